//! An organiser's test activities: each once, as in the latest send that contains it.
//!
//! A send stores its own activities. Reading the activities of all sends of a year would be too much, and one item per
//! activity would cost one write per activity in each send. So after every [`MERGED_AT_ONCE`] sends, their activities
//! are merged into a catalogue. It is packed and written once under its own key. A small item names the current
//! catalogue and its last send. The list is the catalogue and the few sends after it, newest first. If writing a
//! catalogue fails, a later send writes it; until then the list reads a few more sends.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use futures::stream::TryChunksError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{ActivitySummary, OrganisationNumber, SendId};
use uuid::Uuid;

use crate::activities::shown;
use crate::contention::Contention;
use crate::error::HistoryError;
use crate::item::SendHeader;
use crate::key::{self, SendRef};
use crate::order::Placed;
use crate::page::{Listed, Page, Wanted, is_wanted};
use crate::store::History;
use crate::version::PackedKind;
use crate::write::{Rewritten, Write};

/// The number of sends from one catalogue to the next.
const MERGED_AT_ONCE: u64 = 16;
/// The approximate maximum number of sends in one merge. After failed merges, the next ones catch up step by step.
const MERGED_AT_MOST: usize = 2 * PLACES_AT_ONCE;
/// The number of places in the order to read at once.
const PLACES_AT_ONCE: usize = 32;
/// The maximum number of latest sends that one page reads.
const SENDS_A_PAGE: usize = 100;

/// A filter for the organiser's activities. An empty filter accepts all.
#[derive(Default)]
pub struct ActivityFilter {
    /// By fields of the activity itself.
    pub wanted: Option<Wanted<ActivitySummary>>,
    /// By fields of its latest send.
    pub latest: Option<Wanted<SendHeader>>,
}

/// An activity and its latest send.
#[derive(Debug)]
pub struct CurrentActivity {
    /// The activity as in that send.
    pub activity: ActivitySummary,
    /// The latest send that contains it.
    pub latest: SendHeader,
}

/// The item that names the current catalogue.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pointer {
    /// The last send in it.
    up_to: u64,
    current: Version,
    /// The previous catalogue, kept for readers that were reading it when it was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Version>,
    expires: i64,
}

impl Rewritten for Pointer {
    const ATTRIBUTES: &[&str] = &["upTo", "current", "previous", "expires"];
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Version {
    id: Uuid,
    /// The number of items of its content.
    items: usize,
}

/// The base of a list: a catalogue. The sends after `up_to` come before it in the list.
struct Base {
    pointer: Option<Pointer>,
    up_to: u64,
    sends: Vec<SendActivities>,
}

/// The purpose of reading the sends since the last catalogue.
#[derive(Clone, Copy)]
enum Reader {
    /// A list leaves out what cannot be parsed.
    List,
    /// A merge that left something out would lose it, so it waits until everything can be parsed.
    Merge,
}

/// A send, and its activities that no later send contains.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct SendActivities {
    seq: u64,
    send: SendId,
    expires: i64,
    /// Each activity with its index in the send.
    activities: Vec<(u32, ActivitySummary)>,
}

/// Merges sends, newest first: each keeps only the activities that no later send contains. Expired sends and sends
/// without remaining activities are removed. In `newest_first`, sends that were merged before may follow the others.
fn merged(newest_first: impl IntoIterator<Item = SendActivities>, now: Timestamp) -> Vec<SendActivities> {
    let mut seen = HashSet::new();
    let mut left = Vec::new();
    for mut send in newest_first {
        send.activities.retain(|(_, activity)| seen.insert(activity.id));
        if !send.activities.is_empty() && send.expires > now.as_second() {
            left.push(send);
        }
    }
    left
}

impl History {
    /// An organiser's activities, each as the latest send that holds it has it: those of the newest send first, within
    /// a send in the order given. At most `limit`, after the cursor of the page before; fewer, and a cursor, where a
    /// filter by the latest send has looked at enough sends.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn current_activities(
        &self,
        organisation: &OrganisationNumber,
        filter: &ActivityFilter,
        limit: usize,
        after: Option<(u64, u32)>,
        now: Timestamp,
    ) -> Result<Page<CurrentActivity>, HistoryError> {
        let all = self.catalogue_now(organisation, now).await?;
        let is_after = |seq: u64, place: u32| {
            after.is_none_or(|(last, last_place)| seq < last || (seq == last && place > last_place))
        };
        let mut rows = all
            .into_iter()
            .flat_map(|of| of.activities.into_iter().map(move |(place, row)| (of.seq, of.send, place, row)))
            .filter(|(seq, _, place, row)| is_after(*seq, *place) && is_wanted(filter.wanted.as_ref(), row))
            .peekable();

        let mut chosen = Vec::new();
        let mut sends = HashSet::new();
        let by_send = filter.latest.is_some();
        while let Some((_, send, ..)) = rows.peek() {
            let full = if by_send {
                sends.len() == SENDS_A_PAGE && !sends.contains(send)
            } else {
                chosen.len() == limit
            };
            if full {
                break;
            }
            sends.insert(*send);
            chosen.extend(rows.next());
        }
        let mut more = rows.peek().is_some();
        let keys: Vec<_> =
            sends.into_iter().map(|send| SendRef::new(organisation.clone(), send).header()).collect();
        let headers: Vec<SendHeader> = self.get_many_listed(&keys).await?;
        let headers: HashMap<SendId, SendHeader> =
            headers.into_iter().map(|header| (header.id, header)).collect();

        let (mut items, mut last) = (Vec::new(), None);
        for (seq, send, place, activity) in chosen {
            if items.len() == limit {
                more = true;
                break;
            }
            last = Some((seq, place));
            let Some(latest) = headers.get(&send).filter(|header| header.is_seen(now)) else { continue };
            if !is_wanted(filter.latest.as_ref(), latest) {
                continue;
            }
            let item = CurrentActivity { activity, latest: latest.clone() };
            items.push(Listed { item, after: format!("{seq}.{place}") });
        }
        let next = last.filter(|_| more).map(|(seq, place)| format!("{seq}.{place}"));
        Ok(Page { items, next })
    }

    /// Reads the whole list: the catalogue and the sends since.
    async fn catalogue_now(
        &self,
        organisation: &OrganisationNumber,
        now: Timestamp,
    ) -> Result<Vec<SendActivities>, HistoryError> {
        let Base { up_to, sends, .. } = self.base(organisation, now).await?;
        let since = self.activities_since(organisation, up_to, Reader::List).await?;
        Ok(merged(since.into_iter().rev().chain(sends), now))
    }

    /// Returns the current catalogue. If the named catalogue is missing and has not been replaced, the list starts
    /// again from the first send, because the sends contain all the data.
    async fn base(&self, organisation: &OrganisationNumber, now: Timestamp) -> Result<Base, HistoryError> {
        let mut pointer = self.pointer(organisation).await?;
        let mut contention = Contention::default();
        loop {
            if let Some(sends) = self.catalogue_at(organisation, pointer.as_ref(), now).await? {
                let up_to = pointer.as_ref().map_or(0, |pointer| pointer.up_to);
                return Ok(Base { pointer, up_to, sends });
            }
            let seen = pointer.map(|pointer| pointer.current.id);
            pointer = self.pointer(organisation).await?;
            if pointer.as_ref().map(|pointer| pointer.current.id) == seen {
                tracing::warn!(
                    event = "catalogue.lost", organisation = %organisation,
                    "the list of activities cannot be read: it is made anew of the sends"
                );
                return Ok(Base { pointer, up_to: 0, sends: Vec::new() });
            }
            contention.met_another().await?;
        }
    }

    async fn pointer(&self, organisation: &OrganisationNumber) -> Result<Option<Pointer>, HistoryError> {
        self.get(&key::catalogue(organisation)).await
    }

    /// Returns the catalogue that this pointer names. It is empty before the first one, and `None` if it is missing or
    /// cannot be parsed.
    async fn catalogue_at(
        &self,
        organisation: &OrganisationNumber,
        pointer: Option<&Pointer>,
        now: Timestamp,
    ) -> Result<Option<Vec<SendActivities>>, HistoryError> {
        let Some(pointer) = pointer.filter(|pointer| pointer.expires > now.as_second()) else {
            return Ok(Some(Vec::new()));
        };
        let key = key::catalogue_of(organisation, pointer.current.id);
        let read = self.get_packed_json(PackedKind::Catalogue, &key).await;
        // A catalogue that is being removed may miss some of its parts.
        if read.as_ref().err().and_then(HistoryError::unreadable).is_some() { Ok(None) } else { read }
    }

    /// Returns the activities of the sends accepted after `seq`, oldest first. A merge reads only the first
    /// [`MERGED_AT_MOST`] sends or a few more.
    async fn activities_since(
        &self,
        organisation: &OrganisationNumber,
        seq: u64,
        reader: Reader,
    ) -> Result<Vec<SendActivities>, HistoryError> {
        let mut chunks = self.placed_after(organisation, seq, PLACES_AT_ONCE).try_chunks(PLACES_AT_ONCE);
        let mut found = Vec::new();
        while let Some(placed) = chunks.try_next().await.map_err(|TryChunksError(_, error)| error)? {
            let sends: Vec<_> = placed.iter().map(|placed| placed.send.clone()).collect();
            let (first, most) = match reader {
                Reader::List => (self.first_activities(&sends).await?, usize::MAX),
                Reader::Merge => (self.all_first_activities(&sends).await?, MERGED_AT_MOST),
            };
            for Placed { seq, send, expires } in placed {
                let all = match first.get(&send.activities().pk) {
                    Some(first) => shown(send.send, self.with_rest(&send, first).await)?,
                    None => Vec::new(),
                };
                let activities = (0..).zip(all).collect();
                found.push(SendActivities { seq, send: send.send, expires, activities });
            }
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    /// Writes a new catalogue if enough sends have been accepted since the last one. Call it last, after the send at
    /// place `seq` was accepted and started: a failure here does not affect that send.
    pub async fn keep_catalogue(&self, organisation: &OrganisationNumber, seq: u64, now: Timestamp) {
        if !seq.is_multiple_of(MERGED_AT_ONCE) {
            return;
        }
        if let Err(error) = self.merge_catalogue(organisation, seq, now).await {
            tracing::warn!(
                event = "catalogue.failed", organisation = %organisation, error = %error,
                "the list of activities was not merged: the next ones will be"
            );
        }
    }

    async fn merge_catalogue(
        &self,
        organisation: &OrganisationNumber,
        seq: u64,
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let Base { pointer, up_to, sends } = self.base(organisation, now).await?;
        if up_to >= seq {
            return Ok(());
        }
        let since = self.activities_since(organisation, up_to, Reader::Merge).await?;
        let Some(up_to) = since.last().map(|send| send.seq) else { return Ok(()) };
        // Includes the sends without remaining activities, so that they are not read again.
        let expires = since.iter().chain(&sends).map(|send| send.expires).max().unwrap_or_default();
        let merged = merged(since.into_iter().rev().chain(sends), now);
        let id = Uuid::new_v4();
        let key = key::catalogue_of(organisation, id);
        let items = self.put_packed_json(PackedKind::Catalogue, &key, &merged, expires).await?;
        let current = Version { id, items };
        let next = Pointer { up_to, current, previous: pointer.as_ref().map(|old| old.current), expires };
        let write = Write::rewrite(key::catalogue(organisation), &next)?;
        let write = match &pointer {
            None => write.when("attribute_not_exists(#pk)"),
            Some(old) => write.when("#current.#id = :seen").with("seen", old.current.id)?,
        };
        // A write whose answer was lost is retried and finds its own result: the pointer shows which catalogue won.
        let holds = self.write(write).await? || self.is_named(organisation, id).await?;
        // The catalogue that nobody can reach any more: the one replaced earlier, or this one if another was written
        // meanwhile.
        let unused = if holds { pointer.and_then(|old| old.previous) } else { Some(current) };
        match unused {
            Some(Version { id, items }) => {
                self.remove_packed(&key::catalogue_of(organisation, id), items).await
            }
            None => Ok(()),
        }
    }

    /// Whether a reader may be directed to this catalogue.
    async fn is_named(&self, organisation: &OrganisationNumber, id: Uuid) -> Result<bool, HistoryError> {
        let pointer = self.pointer(organisation).await?;
        Ok(pointer.is_some_and(|Pointer { current, previous, .. }| {
            current.id == id || previous.is_some_and(|previous| previous.id == id)
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stafett_domain::RecordId;

    use super::*;

    fn activity(number: u128) -> ActivitySummary {
        serde_json::from_value(serde_json::json!({
            "id": RecordId(Uuid::from_u128(number)), "displayName": "Prov", "testCode": null,
            "testActivityId": Uuid::nil(), "schoolUnit": {"id": Uuid::nil(), "code": null, "name": null},
            "groups": 1, "students": 2, "teachers": 3,
        }))
        .unwrap()
    }

    fn send(seq: u64, expires: i64, activities: &[u128]) -> SendActivities {
        let activities = (0..).zip(activities.iter().map(|number| activity(*number))).collect();
        SendActivities { seq, send: SendId(Uuid::from_u128(seq.into())), expires, activities }
    }

    /// Send, place and activity of each row.
    fn rows(sends: &[SendActivities]) -> Vec<(u64, u32, u128)> {
        let rows = sends.iter().flat_map(|send| {
            send.activities.iter().map(|(place, activity)| (send.seq, *place, activity.id.0.as_u128()))
        });
        rows.collect()
    }

    #[test]
    fn the_latest_send_that_holds_an_activity_has_it() {
        let sends = [send(3, 9, &[1]), send(2, 9, &[1, 2]), send(1, 9, &[2, 1])];
        assert_eq!(rows(&merged(sends, Timestamp::UNIX_EPOCH)), [(3, 0, 1), (2, 1, 2)]);
    }

    #[test]
    fn what_has_expired_is_gone() {
        let sends = [send(2, 9, &[1]), send(1, 5, &[1, 2])];
        assert_eq!(rows(&merged(sends, Timestamp::from_second(5).unwrap())), [(2, 0, 1)]);
    }

    proptest! {
        #[test]
        fn a_catalogue_and_the_sends_since_are_the_same_as_all_sends(
            sends in proptest::collection::vec(proptest::collection::vec(0_u128..12, 1..6), 0..12),
            at in 0_usize..12,
        ) {
            let now = Timestamp::UNIX_EPOCH;
            let mut newest_first: Vec<_> =
                (1..).zip(&sends).map(|(seq, activities)| send(seq, 9, activities)).collect();
            newest_first.reverse();
            let (since, before) = newest_first.split_at(at.min(newest_first.len()));
            let base = merged(before.to_vec(), now);
            let base: Vec<SendActivities> = serde_json::from_slice(&serde_json::to_vec(&base).unwrap()).unwrap();
            let found = merged(since.iter().cloned().chain(base), now);
            prop_assert_eq!(rows(&found), rows(&merged(newest_first, now)));
        }
    }
}
