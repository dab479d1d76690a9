//! The last step of every use case that creates a send: store it, give it its place in the order, and start it if it is
//! next.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::message::{Message, Step};
use stafett_history::{Acceptance, Received, SendContent, SendRef, SendTerms};

use crate::error::IntakeError;
use crate::intake::Intake;

/// The result of storing and accepting a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// The send is accepted, now or by an earlier request.
    Accepted,
    /// Another send took the requested place.
    Moved,
    /// The send was cancelled, or is being removed because it was not accepted in time.
    Closed,
}

impl Intake {
    /// Stores a send, accepts it, and starts it if it is next. A repeat continues where the first call stopped. If
    /// `place` is set, the send is accepted only at that place.
    pub(crate) async fn store_and_start<F: Serialize>(
        &self,
        send: &SendRef,
        terms: &SendTerms,
        content: &SendContent<F>,
        place: Option<u64>,
    ) -> Result<Started, IntakeError> {
        let now = self.clock.now();
        let discard_at = (now + self.upload_open).as_millisecond();
        let received = self.history.receive(send, terms, content, now, discard_at).await?;
        self.start(send, received, content.activities.len(), now, place).await
    }

    /// Does the same for a send that arrived in parts and takes no more of them.
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
        let overdue_at = (now + self.overdue).as_millisecond();
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
            // If this fails, the watchdog queues the step: the history knows that it is due.
            if let Err(error) = self.queues.send(&start, Duration::ZERO).await {
                tracing::error!(event = "queue.failed", send = %send.send, error = %error, "a start was not queued");
            }
        }
        // This runs after the start, so that a slow write or the end of the process does not delay the send.
        self.history.keep_catalogue(&send.organisation, seq, now).await;
        Ok(Started::Accepted)
    }
}
