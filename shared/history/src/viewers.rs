//! Who will see whose results, of a send that was accepted: its duties, page by page, with the groups and activities that
//! each meets. Reads the page's duties, the send's activities, and those batches of groups that hold a group of the page:
//! one body at a time.

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
    /// The duties of a send with what they give to see, in the order in which they were given: at most `limit`, from the
    /// duty at this place of this batch on. None where there is no such send.
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

    /// Takes a page of duties; gives the cursor behind each of them, and that of the next page.
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

    /// Looks up the groups that the page's duties see.
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
