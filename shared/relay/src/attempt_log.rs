//! Stores a call to Skolverket in the history and in the log.

use jiff::Timestamp;
use stafett_domain::{Call, WaitCause};
use stafett_history::{Attempt, Batch, HistoryError, Open};
use stafett_skolverket::Exchange;

use crate::follow_up::JobRef;
use crate::relay::Relay;

/// The number of bytes of a small answer that are stored with its attempt: enough for every documented refusal.
const KEPT_ANSWER_BYTES: usize = 4096;

/// What is stored of an answer with its attempt.
#[derive(Default)]
pub(crate) struct Kept {
    /// The start of its body.
    pub(crate) small: Option<String>,
    /// The whole answer is stored as a large item of its own.
    pub(crate) whole: bool,
    /// Why it cannot be read.
    pub(crate) unreadable: Option<WaitCause>,
}

impl Kept {
    pub(crate) fn small(body: &str, unreadable: Option<WaitCause>) -> Self {
        let small = body.get(..body.floor_char_boundary(KEPT_ANSWER_BYTES)).unwrap_or(body);
        let small = (!small.is_empty()).then(|| small.to_owned());
        Self { small, unreadable, ..Self::default() }
    }
}

impl Relay {
    /// Stores a call in the history and in the log.
    pub(crate) async fn keep<T>(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        exchange: &Exchange<T>,
        started_at: Timestamp,
        kept: Kept,
    ) -> Result<(), HistoryError> {
        let duration_ms = u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX);
        self.metrics.attempt(batch.call(), exchange.status, exchange.duration);
        let outcome = match &exchange.answer {
            Ok(_) => "answered".to_owned(),
            Err(failure) => failure.to_string(),
        };
        tracing::info!(
            event = "skolverket.call", send = %job.key.send.send, organisation = %job.key.send.organisation,
            stage = %job.key.stage, batch = batch.batch.0, attempt = %batch.attempt(), call = batch.call().as_str(),
            status = exchange.status, duration_ms, outcome, "a call to Skolverket"
        );
        let attempt = Attempt {
            attempt: batch.attempt(),
            call: batch.call().into(),
            method: match batch.call() {
                Call::Submit => "POST".to_owned(),
                Call::Poll => "GET".to_owned(),
            },
            path: exchange.path.clone(),
            started_at,
            duration_ms,
            status: exchange.status,
            cause: None,
            request_bytes: exchange.request_bytes as u64,
            request: None,
            response_bytes: exchange.response_bytes as u64,
            wait_cause: kept.unreadable,
            response: kept.small,
            answer_kept: kept.whole,
            records: batch.progress.pieces.first().map(|piece| piece.records.clone()).unwrap_or_default(),
            expires: batch.expires,
        };
        self.history.put_attempt(&job.key, &attempt).await
    }
}
