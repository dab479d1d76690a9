//! The current state of sends, for the API.

use jiff::Timestamp;
use stafett_domain::SendStatus;

use crate::error::HistoryError;
use crate::item::{Organiser, SendHeader};
use crate::key::SendRef;
use crate::read::StoredSend;
use crate::store::History;
use crate::upload::UploadParts;

/// An accepted send, and its position among the waiting sends.
#[derive(Debug, Clone)]
pub struct PlacedSend {
    pub send: StoredSend,
    /// The number of sends before it. `None` if it does not wait.
    pub position: Option<u64>,
}

/// A send, accepted or not.
#[derive(Debug)]
pub enum ShownSend {
    /// The send is accepted.
    Accepted(Box<PlacedSend>),
    /// The send arrives in parts and is not accepted.
    Upload(Box<UploadParts>),
}

impl PlacedSend {
    /// `organiser` is the send's organiser. It is needed only if the send waits.
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
    /// Returns a send that has not expired, accepted or not.
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
            // The send was accepted after the first read.
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
