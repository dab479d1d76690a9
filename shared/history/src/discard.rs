//! Removes the stored data of a send that was never accepted.
//!
//! The header is closed first, and everything else is removed in a later run. By then every request that found the send
//! open has ended, so that none writes after the removal. A request between the two runs sees that the send is closed.

use std::time::Duration;

use jiff::Timestamp;
use stafett_domain::{BatchId, Ending, PerKind, SendEvent, SendStatus};

use crate::contention::Contention;
use crate::error::HistoryError;
use crate::item::SendHeader;
use crate::key::{Key, SendRef};
use crate::store::{History, at_once};
use crate::write::Write;
use stafett_domain::time::{Millis, later};

/// The result of cancelling a send before it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelledUpload {
    /// The send is cancelled, now or by an earlier request.
    Yes,
    /// The send is accepted, so this call cannot stop it.
    Accepted,
    /// There is no such send, or it does not arrive in parts.
    NotFound,
}

impl History {
    /// Cancels a send that arrives in parts and is not accepted. It then takes no parts and cannot be accepted. Its
    /// parts are removed from `removed_at` on, and the rest when it would have been discarded. The call can be
    /// repeated.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn cancel_upload(
        &self,
        send: &SendRef,
        now: Timestamp,
        removed_at: Millis,
    ) -> Result<CancelledUpload, HistoryError> {
        let mut contention = Contention::default();
        loop {
            let header: Option<SendHeader> = self.get(&send.header()).await?;
            let Some(header) = header else { return Ok(CancelledUpload::NotFound) };
            if header.was_accepted() {
                return Ok(CancelledUpload::Accepted);
            }
            if header.upload.is_none() || header.discarded {
                return Ok(CancelledUpload::NotFound);
            }
            // The send is already cancelled.
            let Ok(cancelled) = header.status.next(SendEvent::Ended(Ending::Cancelled)) else {
                return Ok(CancelledUpload::Yes);
            };
            let write = Write::update(
                send.header(),
                "SET #status = :cancelled, #endedAt = :now, #shownUntil = :until, #dueAt = :removed, \
                 #dueShard = :shard",
            )
            .when("#status = :receiving AND attribute_not_exists(#discarded)")
            .with("cancelled", cancelled)?
            .with("now", now)?
            .with("until", header.due.due_at.unwrap_or(removed_at))?
            .with("removed", removed_at)?
            .with("shard", send.shard())?
            .with("receiving", SendStatus::Receiving)?;
            if self.write(write).await? {
                tracing::info!(
                    event = "upload.cancelled", send = %send.send, organisation = %send.organisation,
                    "a send in parts is cancelled before it was submitted"
                );
                return Ok(CancelledUpload::Yes);
            }
            contention.met_another().await?;
        }
    }

    /// Closes a send that was not accepted in time. Removes a send that was closed or cancelled at least `grace` ago,
    /// which is longer than any request takes. The call can be repeated from any point.
    pub(crate) async fn discard(
        &self,
        send: &SendRef,
        now: Millis,
        grace: Duration,
    ) -> Result<(), HistoryError> {
        let Some(header) = self.get::<SendHeader>(&send.header()).await? else { return Ok(()) };
        let Some(due) = header.due.due_at.filter(|due| *due <= now && !header.was_accepted()) else {
            return Ok(());
        };
        let again = later(now, grace);
        if header.is_open() {
            let close = Write::update(send.header(), "SET #discarded = :yes, #dueAt = :again")
                .when("#status = :receiving AND #dueAt = :due")
                .with("yes", true)?
                .with("again", again)?
                .with("due", due)?
                .with("receiving", SendStatus::Receiving)?;
            if self.write(close).await? {
                tracing::warn!(
                    event = "upload.discarded", send = %send.send, organisation = %send.organisation,
                    "a send that was never accepted is removed"
                );
            }
            return Ok(());
        }
        // Only one of two concurrent runs continues.
        if !self.move_due(send, due, again).await? {
            return Ok(());
        }
        self.remove_contents(send, header.batches).await?;
        match header.shown_until.filter(|until| *until > now) {
            Some(until) => self.move_due(send, again, until).await.map(drop),
            None => self.delete(&send.header()).await,
        }
    }

    async fn move_due(&self, send: &SendRef, from: Millis, to: Millis) -> Result<bool, HistoryError> {
        let write = Write::update(send.header(), "SET #dueAt = :to").when("#dueAt = :from");
        self.write(write.with("from", from)?.with("to", to)?).await
    }

    /// Removes everything but the header. Each item is removed before the item that says where it is.
    async fn remove_contents(&self, send: &SendRef, batches: PerKind<u32>) -> Result<(), HistoryError> {
        let Key { pk, sk: header } = send.header();
        let small = self.sort_keys(&pk).await?;
        let parts = small.iter().filter_map(|sk| SendRef::begun_part(sk)).map(|part| send.part(part));
        let batches = batches.into_iter().flat_map(|(stage, count)| {
            (0..count).map(move |batch| send.job(stage).batch_contents(BatchId(batch)))
        });
        let lists = [send.ids(0).pk, send.all_activities().pk];
        let partitions: Vec<String> = parts.chain(batches).chain(lists).collect();
        at_once(partitions.iter().map(|pk| self.remove_partition(pk)).collect()).await?;
        for sk in small.into_iter().filter(|sk| *sk != header) {
            self.delete(&Key { pk: pk.clone(), sk }).await?;
        }
        Ok(())
    }

    async fn remove_partition(&self, pk: &str) -> Result<(), HistoryError> {
        for sk in self.sort_keys(pk).await? {
            self.delete(&Key { pk: pk.to_owned(), sk }).await?;
        }
        Ok(())
    }
}
