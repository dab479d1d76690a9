//! Sends that are larger than one request: they are opened, filled with parts in any order, and then submitted.

use serde::Deserialize;
use stafett_domain::{
    KindCount, PackedPart, PerKind, PlannedBatch, SendId, Submission, Validation, without_byte_order_mark,
};
use stafett_history::{Body, CancelledUpload, NewPart, SendRef, Stored};

use crate::error::IntakeError;
use crate::idempotency::{IdempotencyKey, RequestDigest};
use crate::intake::{Intake, Requester};

/// The maximum size in bytes of a request that opens a send for parts.
const LARGEST_OPENING: usize = 10_000;

/// A stored part.
#[derive(Debug)]
pub struct TakenPart {
    /// The part number, from 1.
    pub part: u32,
    /// The number of records of each kind.
    pub records: PerKind<usize>,
    /// The number of findings of each kind.
    pub findings: Vec<KindCount>,
}

/// Whether a body opens a send for parts.
pub(crate) fn opens_upload(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Opening {
        upload: bool,
    }
    body.len() <= LARGEST_OPENING
        && serde_json::from_slice::<Opening>(without_byte_order_mark(body))
            .is_ok_and(|opening| opening.upload)
}

impl Intake {
    /// Opens a send for parts: `{"upload": true, options?}`.
    pub(crate) async fn open_upload(
        &self,
        requester: &Requester,
        key: &IdempotencyKey,
        body: &[u8],
    ) -> Result<SendId, IntakeError> {
        let Requester { organisation, subject } = requester;
        let options = Submission::parse_upload(body)?;
        let organiser = self.organisers.get(organisation, self.clock.now()).await?;
        let terms = self.terms(&organiser, subject, options, None)?;
        let send = self.send_of(organisation, &RequestDigest::of(key, body)).await?;
        let now = self.clock.now();
        let discard_at = (now + self.upload_open).as_millisecond();
        self.history.open_upload(&send, &terms, now, discard_at).await?;
        tracing::info!(
            event = "upload.opened", send = %send.send, organisation = %send.organisation, "a send takes parts"
        );
        Ok(send.send)
    }

    /// Stores a part: `{part, persons?, duties?, groups?, activities?}`. A later part with the same number replaces it.
    /// The body's memory is freed as soon as it is parsed.
    ///
    /// # Errors
    /// [`IntakeError`]; the caller can send the part again.
    pub async fn take_part(&self, send: &SendRef, body: impl AsRef<[u8]>) -> Result<TakenPart, IntakeError> {
        let conditions = self.conditions(&send.organisation).await?;
        let read = PackedPart::read(body.as_ref(), conditions)?;
        drop(body);
        // The caller's validation option is read only where it changes the result.
        let validation = if read.findings.refuse(Validation::Strict) {
            let (header, _) = self.history.upload_header(send).await?.ok_or(IntakeError::NotFound)?;
            header.options.validation
        } else {
            Validation::Strict
        };
        let (PackedPart { part, batches }, findings) = read.accepted(validation)?;
        let count = |batches: &Vec<PlannedBatch>| batches.iter().map(|batch| batch.ids.len()).sum::<usize>();
        let records = batches.as_ref().map(count);
        let findings = findings.counts().to_vec();
        let bodies = |batches: Vec<PlannedBatch>| {
            batches.into_iter().map(|batch| Body { body: batch.body, facts: batch.facts }).collect()
        };
        let new = NewPart { part, findings: findings.clone(), batches: batches.map(bodies) };
        match self.history.put_part(send, new).await? {
            Stored::Yes => {}
            Stored::Submitted => return Err(IntakeError::Submitted),
            Stored::Cancelled => return Err(IntakeError::Ended),
            Stored::NotFound => return Err(IntakeError::NotFound),
        }
        tracing::info!(
            event = "upload.part", send = %send.send, organisation = %send.organisation, part,
            records = records.values().sum::<usize>(), "a part of a send is stored"
        );
        Ok(TakenPart { part, records, findings })
    }

    /// Cancels a send that is open for parts, at once. It does not change an accepted send. The call can be repeated.
    ///
    /// # Errors
    /// [`IntakeError`]
    pub async fn cancel_upload(&self, send: &SendRef) -> Result<CancelledUpload, IntakeError> {
        let now = self.clock.now();
        if self.history.send(send, now).await?.is_some() {
            return Ok(CancelledUpload::Accepted);
        }
        // The delay lets requests that are still storing parts finish before the watchdog removes the parts.
        let removed_at = (now + self.overdue).as_millisecond();
        Ok(self.history.cancel_upload(send, now, removed_at).await?)
    }
}
