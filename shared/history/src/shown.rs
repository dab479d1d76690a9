//! Sends as they stand, for those who ask.

use jiff::Timestamp;
use stafett_domain::SendStatus;

use crate::error::HistoryError;
use crate::item::{Organiser, SendHeader};
use crate::key::SendRef;
use crate::read::StoredSend;
use crate::store::History;
use crate::upload::UploadParts;

/// An accepted send, and its place among those that wait.
#[derive(Debug, Clone)]
pub struct PlacedSend {
    pub send: StoredSend,
    /// How many are before it; none where it does not wait.
    pub position: Option<u64>,
}

/// A send, accepted or not.
#[derive(Debug)]
pub enum ShownSend {
    /// It was accepted.
    Accepted(Box<PlacedSend>),
    /// It comes in parts, and was not accepted.
    Upload(Box<UploadParts>),
}

impl PlacedSend {
    /// `organiser`: whose send it is; asked for where the send waits.
    pub(crate) fn of(send: StoredSend, organiser: Option<&Organiser>) -> Self {
        let before = || {
            let running = organiser.and_then(|organiser| organiser.running_seq)?;
            Some(send.header.seq?.saturating_sub(running))
        };
        let position = waits(&send).then(|| before().unwrap_or_default());
        Self { send, position }
    }
}

impl ShownSend {
    /// The send itself.
    pub fn header(&self) -> &SendHeader {
        match self {
            Self::Accepted(placed) => &placed.send.header,
            Self::Upload(upload) => &upload.header,
        }
    }
}

pub(crate) fn waits(send: &StoredSend) -> bool {
    send.header.status == SendStatus::Queued
}

impl History {
    /// A send that has not expired, accepted or not.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn shown_send(
        &self,
        send: &SendRef,
        now: Timestamp,
    ) -> Result<Option<ShownSend>, HistoryError> {
        if let Some(stored) = self.send(send, now).await? {
            return self.shown_as_accepted(send, stored).await.map(Some);
        }
        let Some(upload) = self.upload(send).await? else { return Ok(None) };
        if upload.header.was_accepted() {
            // Just now: it was not when it was looked for first.
            return match self.send(send, now).await? {
                Some(stored) => self.shown_as_accepted(send, stored).await.map(Some),
                None => Ok(None),
            };
        }
        let is_there = upload.header.expires > now.as_second();
        Ok(is_there.then(|| ShownSend::Upload(Box::new(upload))))
    }

    async fn shown_as_accepted(&self, send: &SendRef, stored: StoredSend) -> Result<ShownSend, HistoryError> {
        let organiser = if waits(&stored) { self.organiser(&send.organisation).await? } else { None };
        Ok(ShownSend::Accepted(Box::new(PlacedSend::of(stored, organiser.as_ref()))))
    }
}
