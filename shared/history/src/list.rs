//! An organiser's sends and jobs, newest first. A page reads a limited number of sends. If a filter accepts few of
//! them, the page has fewer items than requested, and a cursor to continue.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use stafett_domain::{OrganisationNumber, RecordId, RecordKind, SendId};

use crate::activities::shown;
use crate::attributes::In;
use crate::error::HistoryError;
use crate::item::{Job, SendHeader};
use crate::key::{self, SendRef};
use crate::order::OrderItem;
use crate::page::{Listed, Page, Wanted, behind, is_wanted};
use crate::read::StoredSend;
use crate::shown::{PlacedSend, waits};
use crate::store::History;

/// The maximum number of sends that a filtered page reads, returned or not.
const MOST_READ: usize = 100;
/// The number of sends to read in one call.
const AT_ONCE: usize = 25;
/// Reading a long list of activities counts as reading this number of sends.
const LONG_LIST: usize = 10;
/// The maximum difference between the clocks of two processes.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// A time range from (inclusive) to (exclusive). A missing end is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// A filter for sends. An empty filter accepts all.
#[derive(Default)]
pub struct SendFilter {
    /// By fields of the send itself.
    pub wanted: Option<Wanted<SendHeader>>,
    /// Only sends that contain this activity.
    pub activity: Option<RecordId>,
    /// Only sends accepted in this range.
    pub accepted: Span,
}

/// A filter for jobs. An empty filter accepts all.
#[derive(Default)]
pub struct JobFilter {
    /// By fields of the job itself.
    pub wanted: Option<Wanted<Job>>,
    /// Only jobs of this stage.
    pub stage: Option<RecordKind>,
    /// Only jobs of sends that contain this activity.
    pub activity: Option<RecordId>,
    /// Only jobs started in this range or, if they have not started, whose send was accepted in it.
    pub started: Span,
}

/// A job in the list of all, with its send.
#[derive(Debug)]
pub struct ListedJob {
    pub send: SendHeader,
    pub job: Job,
}

impl Span {
    fn holds(&self, time: Option<Timestamp>) -> bool {
        self.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| time.is_some_and(|time| time < to))
    }

    fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether a send was created after the range, by the time in its id. All its events are later than that.
    fn is_before(&self, send: SendId) -> bool {
        let made = send.0.get_timestamp().map(|made| made.to_unix());
        let made = made.and_then(|(seconds, _)| Timestamp::from_second(i64::try_from(seconds).ok()?).ok());
        let made = made.and_then(|made| made.checked_sub(CLOCKS).ok());
        matches!((self.to, made), (Some(to), Some(made)) if made >= to)
    }
}

impl SendFilter {
    fn is_open(&self) -> bool {
        self.wanted.is_none() && self.activity.is_none() && self.accepted.is_open()
    }
}

impl JobFilter {
    fn is_open(&self) -> bool {
        self.wanted.is_none() && self.stage.is_none() && self.activity.is_none() && self.started.is_open()
    }

    fn wants(&self, send: &SendHeader, job: &Job) -> bool {
        is_wanted(self.wanted.as_ref(), job) && self.started.holds(job.started_at.or(send.accepted_at))
    }
}

/// The state of reading the organiser's sends, newest first.
struct Walk<'a> {
    organisation: &'a OrganisationNumber,
    /// The last place that was read.
    after: Option<String>,
    /// The number of sends that may still be read.
    left: usize,
    /// There are no more sends.
    at_end: bool,
}

impl<'a> Walk<'a> {
    fn new(organisation: &'a OrganisationNumber, after: Option<String>, left: usize) -> Self {
        Self { organisation, after, left, at_end: false }
    }

    fn is_done(&self) -> bool {
        self.at_end || self.left == 0
    }

    /// Returns where to continue. `None` at the end.
    fn rest(self) -> Option<String> {
        self.after.filter(|_| !self.at_end)
    }
}

impl History {
    /// Returns an organiser's sends, newest first: at most `limit`, after the cursor.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn sends(
        &self,
        organisation: &OrganisationNumber,
        filter: &SendFilter,
        limit: usize,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Page<PlacedSend>, HistoryError> {
        let after = cursor.map(|cursor| format!("{}{cursor}", key::ORDER_PREFIX));
        let open = filter.is_open();
        let mut walk = Walk::new(organisation, after, if open { limit } else { MOST_READ });
        let mut found = Vec::new();
        let next = 'page: loop {
            if walk.is_done() {
                break walk.rest();
            }
            let listed = self
                .read_places(&mut walk, if open { limit } else { AT_ONCE }, &filter.accepted, now)
                .await?;
            let last = listed.len();
            for (at, (sk, header)) in listed.into_iter().enumerate() {
                let Some(header) = header else { continue };
                let too_old = |from: Timestamp| header.accepted_at.is_some_and(|at| at + CLOCKS < from);
                if filter.accepted.from.is_some_and(too_old) {
                    break 'page None;
                }
                let wanted =
                    is_wanted(filter.wanted.as_ref(), &header) && filter.accepted.holds(header.accepted_at);
                if !wanted || !self.holds(&mut walk, &header, filter.activity).await? {
                    continue;
                }
                found.push((behind(&sk, key::ORDER_PREFIX), header));
                if found.len() == limit {
                    break 'page Some(sk).filter(|_| !walk.at_end || at + 1 < last);
                }
            }
        };
        let next = next.map(|sk| behind(&sk, key::ORDER_PREFIX));
        let (after, headers): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let sends = self.with_jobs(organisation, headers).await?;
        let organiser = if sends.iter().any(waits) { self.organiser(organisation).await? } else { None };
        let placed = sends.into_iter().map(|send| PlacedSend::of(send, organiser.as_ref()));
        let items = placed.zip(after).map(|(item, after)| Listed { item, after });
        Ok(Page { items: items.collect(), next })
    }

    /// Returns an organiser's jobs, those of the newest send first, and within a send the last stage first: at most
    /// `limit`, after the place and stage of the previous page's last job.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn jobs(
        &self,
        organisation: &OrganisationNumber,
        filter: &JobFilter,
        limit: usize,
        after: Option<(u64, usize)>,
        now: Timestamp,
    ) -> Result<Page<ListedJob>, HistoryError> {
        // The send of the last job may have more jobs, so reading begins with it.
        let begin = after.map(|(seq, _)| key::order(organisation, seq.saturating_add(1)).sk);
        let open = filter.is_open();
        let sends = limit.div_ceil(RecordKind::ALL.len()) + 1;
        let mut walk = Walk::new(organisation, begin, if open { sends } else { MOST_READ });
        let mut items: Vec<Listed<ListedJob>> = Vec::new();
        while !walk.is_done() {
            let mut chosen = Vec::new();
            let chunk = if open { sends } else { AT_ONCE };
            for (_, header) in self.read_places(&mut walk, chunk, &filter.started, now).await? {
                let Some(header) = header else { continue };
                // All earlier sends had ended when this one started.
                let too_old =
                    |from: Timestamp| header.started_at.and(header.ended_at).is_some_and(|at| at < from);
                if filter.started.from.is_some_and(too_old) {
                    walk.at_end = true;
                    break;
                }
                if self.holds(&mut walk, &header, filter.activity).await? {
                    chosen.push(header);
                }
            }
            let mut jobs = self.jobs_of(organisation, &chosen, filter.stage).await?;
            for header in chosen {
                let seq = header.seq.unwrap_or_default();
                let mut jobs = jobs
                    .remove(&SendRef::new(organisation.clone(), header.id).header().pk)
                    .unwrap_or_default();
                let position = |job: &Job| header.route.position(job.stage).unwrap_or_default();
                jobs.sort_by_key(|job| std::cmp::Reverse(position(job)));
                for job in jobs {
                    let position = position(&job);
                    let shown_before = after.is_some_and(|last| (seq, position) >= last);
                    if shown_before || !filter.wants(&header, &job) {
                        continue;
                    }
                    if items.len() == limit {
                        let next = items.last().map(|last| last.after.clone());
                        return Ok(Page { items, next });
                    }
                    let after = format!("{seq}.{position}");
                    items.push(Listed { item: ListedJob { send: header.clone(), job }, after });
                }
            }
        }
        // Continue after all jobs of the last send that was read: no stage comes before the first.
        let next = walk.rest();
        let next = next.and_then(|sk| sk.strip_prefix(key::ORDER_PREFIX).map(|seq| format!("{seq}.0")));
        Ok(Page { items, next })
    }

    /// Reads at most `chunk` next places: their keys, and their sends if these are visible and may be in `span`.
    async fn read_places(
        &self,
        walk: &mut Walk<'_>,
        chunk: usize,
        span: &Span,
        now: Timestamp,
    ) -> Result<Vec<(String, Option<SendHeader>)>, HistoryError> {
        let chunk = chunk.min(walk.left);
        let pk = key::order(walk.organisation, 0).pk;
        // One more place shows whether there are others after it.
        let mut places: Vec<(String, Option<OrderItem>)> =
            self.query_listed(&pk, key::ORDER_PREFIX, walk.after.as_deref(), false, chunk + 1).await?;
        walk.at_end = places.len() <= chunk;
        places.truncate(chunk);
        walk.left -= chunk;
        walk.after = places.last().map(|(sk, _)| sk.clone()).or(walk.after.take());
        let seen = |place: &OrderItem| place.expires > now.as_second() && !span.is_before(place.send);
        let keys: Vec<_> = places
            .iter()
            .filter_map(|(_, place)| place.as_ref().filter(|place| seen(place)))
            .map(|place| SendRef::new(walk.organisation.clone(), place.send).header())
            .collect();
        let headers: Vec<SendHeader> = self.get_many_listed(&keys).await?;
        let mut headers: HashMap<SendId, SendHeader> = headers
            .into_iter()
            .filter(|header| header.is_seen(now))
            .map(|header| (header.id, header))
            .collect();
        let listed = places.into_iter().map(|(sk, place)| {
            let header = place.and_then(|place| headers.remove(&place.send));
            (sk, header)
        });
        Ok(listed.collect())
    }

    /// Whether a send contains an activity. True if no activity is requested.
    async fn holds(
        &self,
        walk: &mut Walk<'_>,
        header: &SendHeader,
        activity: Option<RecordId>,
    ) -> Result<bool, HistoryError> {
        let Some(activity) = activity else { return Ok(true) };
        let send = SendRef::new(walk.organisation.clone(), header.id);
        let first = self.first_activities(std::slice::from_ref(&send)).await?;
        let Some(first) = first.get(&send.activities().pk) else { return Ok(false) };
        if first.more {
            walk.left = walk.left.saturating_sub(LONG_LIST);
        }
        let activities = shown(header.id, self.with_rest(&send, first).await)?;
        Ok(activities.iter().any(|held| held.id == activity))
    }

    /// Returns jobs of these sends, of one stage or of all, by the partition of their send.
    async fn jobs_of(
        &self,
        organisation: &OrganisationNumber,
        sends: &[SendHeader],
        stage: Option<RecordKind>,
    ) -> Result<HashMap<String, Vec<Job>>, HistoryError> {
        let mut keys = Vec::new();
        for header in sends {
            let send = SendRef::new(organisation.clone(), header.id);
            let stages =
                RecordKind::ALL.into_iter().filter(|other| stage.is_none_or(|stage| stage == *other));
            keys.extend(stages.map(|stage| send.job(stage).key()));
        }
        let mut jobs: HashMap<String, Vec<Job>> = HashMap::new();
        for In { pk, item } in self.get_many_listed(&keys).await? {
            jobs.entry(pk).or_default().push(item);
        }
        Ok(jobs)
    }

    /// Adds the other data to sends whose headers are known.
    async fn with_jobs(
        &self,
        organisation: &OrganisationNumber,
        headers: Vec<SendHeader>,
    ) -> Result<Vec<StoredSend>, HistoryError> {
        let sends: Vec<_> =
            headers.iter().map(|header| SendRef::new(organisation.clone(), header.id)).collect();
        let activities = self.first_activities(&sends).await?;
        let mut jobs = self.jobs_of(organisation, &headers, None).await?;
        let sends = headers.into_iter().zip(sends).map(|(header, send)| {
            let pk = send.header().pk;
            let jobs = jobs.remove(&pk).unwrap_or_default();
            self.listed(StoredSend::of(header, activities.get(&pk), jobs)).transpose()
        });
        sends.flatten().collect()
    }
}
