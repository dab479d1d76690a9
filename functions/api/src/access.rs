//! `GET /v1/sends/{id}/access`: who will see whose results, a duty an item. Reads the page's duties, the send's
//! activities, and those batches of groups that hold a group of the page: one body at a time.

use std::collections::BTreeSet;

use axum::extract::State;
use stafett_domain::{BatchId, Facts, Preview, RecordKind, Viewer};
use stafett_engine::Relay;
use stafett_engine::history::{Batch, Body, Listed, SendRef};

use crate::Shared;
use crate::address::Address;
use crate::answer::Polled;
use crate::caller::Reader;
use crate::page::{PageQuery, PageView};
use crate::problem::Problem;
use crate::records::{BATCHES_AT_ONCE, unreadable};

/// The duties of a send with what they give to see, in the order in which they were given.
pub(crate) async fn list(
    State(relay): State<Shared>,
    reader: Reader,
    Address(id): Address<String>,
    query: PageQuery,
) -> Result<Polled<PageView<Viewer>>, Problem> {
    let limit = query.limit()?;
    let start = query.place()?.map_or((BatchId(0), 0), |(batch, index)| (BatchId(batch), index));
    let send = SendRef::new(reader.organisation.clone(), id.parse().map_err(|_| Problem::NotFound)?);
    relay.history.send(&send, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    let mut preview = Preview::new(reader.access);
    let (places, next) = duties(&relay, &send, &mut preview, start, limit).await?;
    let mut first = BatchId(0);
    loop {
        let batches = relay.history.batches(&send, RecordKind::Activity, first, BATCHES_AT_ONCE).await?;
        for batch in &batches {
            first = BatchId(batch.batch.0 + 1);
            let Body { body, facts } = read(&relay, &send, RecordKind::Activity, batch).await?;
            preview.activities(&body, &facts).map_err(unreadable)?;
        }
        if batches.len() < BATCHES_AT_ONCE {
            break;
        }
    }
    groups(&relay, &send, &mut preview).await?;
    let viewers = preview.finish().into_iter().zip(places);
    let page = PageView::of(viewers.map(|(item, after)| Listed { item, after }), next.as_deref())?;
    reader.note_reading(&send, RecordKind::Duty, "access", page.len());
    Ok(Polled::personal(page, None))
}

/// Takes a page of duties; gives the cursor behind each of them, and that of the next page.
async fn duties(
    relay: &Relay,
    send: &SendRef,
    preview: &mut Preview,
    (mut first, mut index): (BatchId, usize),
    limit: usize,
) -> Result<(Vec<String>, Option<String>), Problem> {
    let (mut room, mut places) = (limit, Vec::new());
    loop {
        let batches = relay.history.batches(send, RecordKind::Duty, first, BATCHES_AT_ONCE).await?;
        for batch in &batches {
            if room == 0 {
                return Ok((places, Some(format!("{}.{index}", batch.batch.0))));
            }
            first = BatchId(batch.batch.0 + 1);
            let Body { body, facts } = read(relay, send, RecordKind::Duty, batch).await?;
            let taken = preview.duties(&body, &facts, index, room).map_err(unreadable)?;
            places.extend((index..index + taken).map(|place| format!("{}.{}", batch.batch.0, place + 1)));
            index += taken;
            room -= taken;
            if index < facts.len() {
                return Ok((places, Some(format!("{}.{index}", batch.batch.0))));
            }
            index = 0;
        }
        if batches.len() < BATCHES_AT_ONCE {
            return Ok((places, None));
        }
    }
}

/// Looks up the groups that the page's duties meet.
async fn groups(relay: &Relay, send: &SendRef, preview: &mut Preview) -> Result<(), Problem> {
    if preview.wanted().next().is_none() {
        return Ok(());
    }
    let ids = relay.history.record_ids(send).await?;
    let places = preview.wanted().flat_map(|group| ids.places(group).collect::<Vec<_>>());
    let batches: BTreeSet<BatchId> =
        places.filter(|place| place.stage == RecordKind::Group).map(|place| place.batch).collect();
    for batch in batches {
        let batch = relay.history.batch(send, RecordKind::Group, batch).await?.ok_or(Problem::Internal)?;
        let Body { body, .. } = read(relay, send, RecordKind::Group, &batch).await?;
        preview.groups(&body).map_err(unreadable)?;
    }
    Ok(())
}

async fn read(
    relay: &Relay,
    send: &SendRef,
    stage: RecordKind,
    batch: &Batch,
) -> Result<Body<Facts>, Problem> {
    Ok(relay.history.body_and_facts::<Facts>(send, stage, batch).await?)
}
