//! Who gets access to which results of an accepted send: its duties, page by page, with their groups and activities. It
//! reads the page's duties, the send's activities, and the batches that contain a group of the page, one body at a
//! time.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use jiff::Timestamp;
use stafett_domain::{Access, BatchId, Facts, Preview, RecordKind, Viewer};

use crate::error::HistoryError;
use crate::key::SendRef;
use crate::packed::Body;
use crate::page::{Listed, Page};
use crate::store::History;

impl History {
    /// Returns the duties of a send with what they give access to, in their original order: at most `limit`, starting
    /// at the given index of the given batch. `None` if there is no such send.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn viewers(
        &self,
        send: &SendRef,
        access: Access,
        from: (BatchId, usize),
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Page<Viewer>>, HistoryError> {
        if self.send(send, now).await?.is_none() {
            return Ok(None);
        }
        let mut preview = Preview::new(access);
        let (places, next) = self.preview_duties(send, &mut preview, from, limit).await?;
        let activities = send.job(RecordKind::Activity);
        let mut batches = self.batches_from(&activities, BatchId(0));
        while let Some(batch) = batches.try_next().await? {
            let Body { body, facts } = self.body_and_facts::<Facts>(&activities, &batch).await?;
            preview.activities(&body, &facts)?;
        }
        self.preview_groups(send, &mut preview).await?;
        let viewers = preview.finish().into_iter().zip(places);
        Ok(Some(Page { items: viewers.map(|(item, after)| Listed { item, after }).collect(), next }))
    }

    /// Takes a page of duties. Returns the cursor after each of them, and the cursor of the next page.
    async fn preview_duties(
        &self,
        send: &SendRef,
        preview: &mut Preview,
        (first, mut index): (BatchId, usize),
        limit: usize,
    ) -> Result<(Vec<String>, Option<String>), HistoryError> {
        let (mut room, mut places) = (limit, Vec::new());
        let duties = send.job(RecordKind::Duty);
        let mut batches = self.batches_from(&duties, first);
        while let Some(batch) = batches.try_next().await? {
            let id = batch.batch.0;
            if room == 0 {
                return Ok((places, Some(format!("{id}.{index}"))));
            }
            let Body { body, facts } = self.body_and_facts::<Facts>(&duties, &batch).await?;
            let taken = preview.duties(&body, &facts, index, room)?;
            places.extend((index..index + taken).map(|place| format!("{id}.{}", place + 1)));
            index += taken;
            room -= taken;
            if index < facts.len() {
                return Ok((places, Some(format!("{id}.{index}"))));
            }
            index = 0;
        }
        Ok((places, None))
    }

    /// Looks up the groups that the page's duties refer to.
    async fn preview_groups(&self, send: &SendRef, preview: &mut Preview) -> Result<(), HistoryError> {
        if preview.wanted().next().is_none() {
            return Ok(());
        }
        let ids = self.record_ids(send).await?;
        let places = preview.wanted().flat_map(|group| ids.places(group).collect::<Vec<_>>());
        let batches: BTreeSet<BatchId> =
            places.filter(|place| place.stage == RecordKind::Group).map(|place| place.batch).collect();
        let groups = send.job(RecordKind::Group);
        for id in batches {
            let batch = self.batch(&groups, id).await?;
            let batch = batch.ok_or(HistoryError::Corrupt("a record in a batch that is not there"))?;
            let Body { body, .. } = self.body_and_facts::<Facts>(&groups, &batch).await?;
            preview.groups(&body)?;
        }
        Ok(())
    }
}
