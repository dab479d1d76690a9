//! The last step of every way into the history: a send is stored, gets its place, and is started if it is its turn.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::message::{Message, Step};
use stafett_history::{Acceptance, Received, SendContent, SendRef, SendTerms};

use crate::error::IntakeError;
use crate::intake::Intake;

/// What became of a send that was to be stored and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// It is accepted, now or before.
    Accepted,
    /// Another took the place that it was to have.
    Moved,
    /// It was cancelled, or is being removed because it was not accepted in time.
    Closed,
}

impl Intake {
    /// Stores a send, accepts it and starts it if it is its turn. Each part can be repeated: a repeat of the request
    /// carries on the same work. `place`: accepted only at this one.
    pub(crate) async fn store_and_start<F: Serialize>(
        &self,
        send: &SendRef,
        terms: &SendTerms,
        content: &SendContent<F>,
        place: Option<u64>,
    ) -> Result<Started, IntakeError> {
        let now = self.clock.now();
        let discard_at = (now + self.config.timing.upload_open).as_millisecond();
        let received = self.history.receive(send, terms, content, now, discard_at).await?;
        self.start(send, received, content.activities.len(), now, place).await
    }

    /// The same of a send that came in parts, and was closed for them.
    pub(crate) async fn store_and_start_upload<F: Serialize>(
        &self,
        send: &SendRef,
        content: &SendContent<F>,
    ) -> Result<Started, IntakeError> {
        let now = self.clock.now();
        let received = self.history.receive_upload(send, content).await?;
        self.start(send, received, content.activities.len(), now, None).await
    }

    async fn start(
        &self,
        send: &SendRef,
        received: Received,
        activities: usize,
        now: Timestamp,
        place: Option<u64>,
    ) -> Result<Started, IntakeError> {
        let received = match received {
            Received::Stored(received) => received,
            Received::AcceptedBefore => return Ok(Started::Accepted),
            Received::Closed => return Ok(Started::Closed),
        };
        let overdue_at = (now + self.config.timing.overdue).as_millisecond();
        let (seq, runs) = match self.history.accept(send, received, now, overdue_at, place).await? {
            Acceptance::Accepted { seq, runs } => (seq, runs),
            Acceptance::Before => return Ok(Started::Accepted),
            Acceptance::Moved => return Ok(Started::Moved),
            Acceptance::Closed => return Ok(Started::Closed),
        };
        self.metrics.send_accepted();
        tracing::info!(
            event = "send.accepted", send = %send.send, organisation = %send.organisation, activities, runs,
            "a send is accepted"
        );
        if runs {
            let start = Message::new(send.organisation.clone(), send.send, received.first, Step::Start);
            // The history has it: should this fail, the watchdog sends it.
            if let Err(error) = self.queues.send(&start, Duration::ZERO).await {
                tracing::error!(event = "queue.failed", send = %send.send, error = %error, "a start was not queued");
            }
        }
        // After the start: should this take its time, or the process end in it, the send does not wait for it.
        self.history.keep_catalogue(&send.organisation, seq, now).await;
        Ok(Started::Accepted)
    }
}
