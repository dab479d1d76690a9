//! The causes why a job's records were not simply accepted.
//!
//! Each batch stores a short tally of its causes on its own small item, written when the batch ends. So a job with
//! hundreds of batches can be shown from these items alone. Bodies and issues are read only for the few batches that
//! contain the first records of each cause.

use std::collections::{BTreeMap, HashMap};

use futures::TryStreamExt;
use jiff::Timestamp;
use stafett_domain::dependency::depends;
use stafett_domain::guidance::Message;
use stafett_domain::{BatchId, Cause, JobStatus, OnRecordErrors, Options, Outcome, RecordId};
use stafett_skolverket::LogEntry;

use crate::error::HistoryError;
use crate::item::{Batch, Job, Tally};
use crate::key::JobKey;
use crate::packed::{Body, Issue, Issues};
use crate::refused::record_ids;
use crate::store::History;

/// The maximum number of causes on a batch's item: a few hundred bytes. With more causes, the issues are read.
const KEPT: usize = 4;
/// The maximum number of causes shown for a job.
const MOST_SHOWN: usize = 20;
/// The maximum number of records named for a cause.
const FIRST_RECORDS: usize = 10;
/// The maximum number of batches read to name records. It is at least the number of causes shown, because each has a
/// first batch.
const OPENED: usize = 24;
const _: () = assert!(OPENED >= MOST_SHOWN);

/// The causes of a job.
#[derive(Default)]
pub struct JobCauses {
    pub total: usize,
    /// The most frequent cause first.
    pub causes: Vec<JobCause>,
}

/// The records of a job with the same cause.
pub struct JobCause {
    pub cause: Cause,
    pub records: u32,
    /// Skolverket's text about the first of these records. It may quote personal data.
    pub message: Option<String>,
    /// The first of these records, in their order.
    pub first_records: Vec<RecordId>,
}

impl Issue {
    /// Why this record was not simply accepted. Empty if it was.
    pub fn causes(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = Vec::new();
        for cause in self.messages.iter().map(|message| cause_of(self.outcome, message)) {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        if self.unknown_status.is_some() {
            causes.push(Cause::unknown_status());
        }
        if !self.without.is_empty() {
            causes.push(Cause::dependency(self.outcome));
        } else if causes.is_empty() && !matches!(self.outcome, Outcome::Success | Outcome::Pending) {
            causes.push(Cause::outcome(self.outcome));
        }
        causes
    }
}

fn cause_of(outcome: Outcome, message: &LogEntry) -> Cause {
    Cause::message(outcome, message.severity_level.as_deref(), &looked_up_by(message))
}

/// The parts of a message that identify its guidance.
pub fn looked_up_by(message: &LogEntry) -> Message<'_> {
    Message {
        id: &message.id,
        attribute: message.attribute_name.as_deref(),
        parameter: message.parameter_name.as_deref(),
        message_type: message.message_type.as_deref(),
    }
}

impl Issues {
    fn tallies(&self) -> Vec<Tally> {
        let mut places: HashMap<Cause, usize> = HashMap::new();
        let mut tallies: Vec<Tally> = Vec::new();
        for cause in self.records.iter().flat_map(Issue::causes) {
            let place = *places.entry(cause).or_insert_with_key(|cause| {
                tallies.push(Tally { cause: cause.clone(), records: 0 });
                tallies.len() - 1
            });
            if let Some(tally) = tallies.get_mut(place) {
                tally.records += 1;
            }
        }
        tallies
    }

    /// The causes to store on the batch's item: see `Batch::causes`.
    pub fn causes(&self) -> Option<Vec<Tally>> {
        Some(self.tallies()).filter(|tallies| !tallies.is_empty() && tallies.len() <= KEPT)
    }
}

/// A cause while a job's batches are being read.
struct Gathered {
    cause: Cause,
    records: u32,
    /// The first batches with this cause, each with its number of records.
    batches: Vec<(BatchId, u32)>,
}

#[derive(Default)]
struct Gathering {
    places: HashMap<Cause, usize>,
    causes: Vec<Gathered>,
}

impl Gathering {
    fn add(&mut self, batch: BatchId, tally: Tally) {
        let Tally { cause, records } = tally;
        let place = *self.places.entry(cause).or_insert_with_key(|cause| {
            self.causes.push(Gathered { cause: cause.clone(), records: 0, batches: Vec::new() });
            self.causes.len() - 1
        });
        if let Some(gathered) = self.causes.get_mut(place) {
            gathered.records += records;
            if gathered.batches.len() < FIRST_RECORDS {
                gathered.batches.push((batch, records));
            }
        }
    }

    /// Returns the total number of causes and the most frequent ones. Of two equally frequent causes, the one found
    /// first comes first.
    fn most_frequent(mut self) -> (usize, Vec<Gathered>) {
        let total = self.causes.len();
        self.causes.sort_by_key(|gathered| std::cmp::Reverse(gathered.records));
        self.causes.truncate(MOST_SHOWN);
        (total, self.causes)
    }
}

/// Returns the batches to read: the first batch of each cause, then more until each cause has its first records, within
/// the limit.
fn to_open(causes: &[Gathered]) -> Vec<BatchId> {
    let mut open: Vec<BatchId> = Vec::new();
    let mut add = |batch| {
        if !open.contains(&batch) && open.len() < OPENED {
            open.push(batch);
        }
    };
    causes.iter().filter_map(|gathered| gathered.batches.first()).for_each(|(batch, _)| add(*batch));
    for gathered in causes {
        let mut named = 0;
        for (batch, records) in &gathered.batches {
            if named < FIRST_RECORDS {
                add(*batch);
            }
            named += *records as usize;
        }
    }
    open.sort_unstable();
    open
}

/// The causes of a batch whose records all have the same outcome, or none yet.
fn shared_outcome(batch: &Batch, status: JobStatus) -> impl Iterator<Item = Tally> {
    let counts = batch.counts_in(status);
    let summarized = [Outcome::Error, Outcome::Skipped, Outcome::NotSent, Outcome::Unknown];
    summarized
        .into_iter()
        .map(move |outcome| Tally { cause: Cause::outcome(outcome), records: counts.get(outcome) })
        .filter(|tally| tally.records > 0)
}

/// False if everything was accepted, because then no batch must be read. An accepted record may still have been sent
/// without another.
fn may_have_causes(job: &Job, options: &Options) -> bool {
    let counts = job.counts();
    let went_without = options.on_record_errors == OnRecordErrors::Continue && depends(job.stage);
    counts.success + counts.pending < counts.total || (went_without && counts.success > 0)
}

impl History {
    /// Returns a job of an accepted send that has not expired, with the causes why its records were not simply
    /// accepted.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn job_and_causes(
        &self,
        key: &JobKey,
        now: Timestamp,
    ) -> Result<Option<(Job, JobCauses)>, HistoryError> {
        let Some((header, job)) = self.header_and_job(key, now).await? else { return Ok(None) };
        let causes = if may_have_causes(&job, &header.options) {
            self.causes(key, job.status).await?
        } else {
            JobCauses::default()
        };
        Ok(Some((job, causes)))
    }

    /// Returns why records of a job were not simply accepted. `status` is the job's status.
    ///
    /// # Errors
    /// [`HistoryError`]
    async fn causes(&self, job: &JobKey, status: JobStatus) -> Result<JobCauses, HistoryError> {
        let mut gathering = Gathering::default();
        let mut states: BTreeMap<BatchId, Batch> = BTreeMap::new();
        let mut batches = self.batches_from(job, BatchId(0));
        while let Some(batch) = batches.try_next().await? {
            let tallies = match (batch.causes(), batch.issues()) {
                (Some(causes), _) => causes.to_vec(),
                (None, Some(attempt)) => self.issues(job, attempt).await?.tallies(),
                (None, None) => shared_outcome(&batch, status).collect(),
            };
            if !tallies.is_empty() {
                tallies.into_iter().for_each(|tally| gathering.add(batch.batch, tally));
                states.insert(batch.batch, batch);
            }
        }
        let (total, gathered) = gathering.most_frequent();
        let open = to_open(&gathered);
        let mut causes: Vec<JobCause> = gathered
            .into_iter()
            .map(|Gathered { cause, records, .. }| JobCause {
                cause,
                records,
                message: None,
                first_records: Vec::new(),
            })
            .collect();
        for batch in open.iter().filter_map(|batch| states.get(batch)) {
            let Body { body, .. } = self.body::<serde::de::IgnoredAny>(job, batch).await?;
            let ids = record_ids(&body)?;
            match batch.issues() {
                Some(attempt) => {
                    let issues = self.issues(job, attempt).await?;
                    causes.iter_mut().for_each(|cause| cause.take(&issues, &ids));
                }
                None => {
                    for cause in &mut causes {
                        if shared_outcome(batch, status).any(|tally| tally.cause == cause.cause) {
                            cause.name(ids.iter().copied());
                        }
                    }
                }
            }
        }
        Ok(JobCauses { total, causes })
    }
}

impl JobCause {
    fn name(&mut self, ids: impl Iterator<Item = RecordId>) {
        let left = FIRST_RECORDS.saturating_sub(self.first_records.len());
        self.first_records.extend(ids.take(left));
    }

    fn take(&mut self, issues: &Issues, ids: &[RecordId]) {
        for issue in &issues.records {
            if !issue.causes().contains(&self.cause) {
                continue;
            }
            self.name(ids.get(issue.index as usize).copied().into_iter());
            if self.message.is_none() {
                let about = |entry: &&LogEntry| cause_of(issue.outcome, entry) == self.cause;
                self.message = issue.messages.iter().find(about).map(|entry| entry.message.clone());
            }
            if self.first_records.len() >= FIRST_RECORDS {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, attribute: &str, value: &str) -> LogEntry {
        serde_json::from_value(serde_json::json!({
            "id": id, "message": format!("Värdet {value} godtas inte."), "attributeName": attribute,
            "attributeValue": value, "messageType": "Ogiltigt format", "severityLevel": "Error",
        }))
        .unwrap()
    }

    fn refused(index: u32, messages: Vec<LogEntry>) -> Issue {
        Issue { messages, status_code: Some(400), ..Issue::new(index, Outcome::Error) }
    }

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn records_with_the_same_cause_are_grouped_whatever_their_values() {
        let twice = vec![entry("2011", "eppn", "a"), entry("2011", "eppn", "b"), entry("2011", "id", "c")];
        let issues =
            Issues { records: vec![refused(0, vec![entry("2011", "eppn", "x")]), refused(3, twice)] };
        let tallies = issues.causes().unwrap();
        let seen: Vec<_> =
            tallies.iter().map(|tally| (tally.cause.attribute.as_deref(), tally.records)).collect();
        assert_eq!(seen, [(Some("eppn"), 2), (Some("id"), 1)]);
        let stored = serde_json::to_string(&tallies).unwrap();
        assert!(stored.len() < 400 && !stored.contains("godtas"), "{stored}");
    }

    #[test]
    fn a_batch_with_more_causes_than_it_keeps_is_asked_for_its_issues() {
        let attributes = ["eppn", "id", "civicNo", "emails", "meta"].map(|name| entry("2011", name, "x"));
        let of = |count: usize| Issues { records: vec![refused(0, attributes[..count].to_vec())] }.causes();
        assert_eq!(of(KEPT).map(|causes| causes.len()), Some(KEPT));
        assert_eq!(of(KEPT + 1), None);
        assert_eq!(Issues::default().causes(), None);
    }

    #[test]
    fn what_skolverket_says_nothing_of_has_a_cause_too() {
        let dependent = |outcome| Issue { without: vec![id(1)], ..Issue::new(0, outcome) }.causes();
        assert_eq!(dependent(Outcome::Skipped), [Cause::dependency(Outcome::Skipped)]);
        assert_eq!(dependent(Outcome::Success), [Cause::dependency(Outcome::Success)]);
        assert_eq!(Issue::new(0, Outcome::Unknown).causes(), [Cause::outcome(Outcome::Unknown)]);
        assert_eq!(Issue::new(0, Outcome::Error).causes(), [Cause::outcome(Outcome::Error)]);
        assert!(Issue::new(0, Outcome::Success).causes().is_empty(), "another status code than usual");
        let unknown =
            Issue { unknown_status: Some("Rejected".to_owned()), ..Issue::new(0, Outcome::Unknown) };
        assert_eq!(unknown.causes(), [Cause::unknown_status()]);
        assert_ne!(
            Cause::unknown_status().guidance(),
            Cause::outcome(Outcome::Unknown).guidance(),
            "Skolverket did say something"
        );
    }

    #[test]
    fn the_most_frequent_cause_comes_first_and_each_has_a_batch_to_be_named_from() {
        let mut gathering = Gathering::default();
        let cause = |id: &str| cause_of(Outcome::Error, &entry(id, "eppn", "x"));
        for batch in 0..200 {
            gathering.add(BatchId(batch), Tally { cause: cause("2011"), records: 1 });
        }
        for number in 0..25_u32 {
            let rare = cause(&format!("30{number}"));
            gathering.add(BatchId(100 + number), Tally { cause: rare, records: 2 });
        }
        let (total, summarized) = gathering.most_frequent();
        assert_eq!((total, summarized.len()), (26, MOST_SHOWN));
        assert_eq!((summarized[0].cause.id.as_deref(), summarized[0].records), (Some("2011"), 200));
        let open = to_open(&summarized);
        assert!(open.len() <= OPENED && open.is_sorted(), "{open:?}");
        assert!(summarized.iter().all(|gathered| open.contains(&gathered.batches[0].0)), "{open:?}");
    }

    #[test]
    fn ten_records_are_named_and_the_text_is_of_the_first() {
        let records = (0..14).map(|index| refused(index, vec![entry("2011", "eppn", &format!("v{index}"))]));
        let issues = Issues { records: records.collect() };
        let ids: Vec<_> = (0..20).map(id).collect();
        let cause = issues.tallies()[0].cause.clone();
        let mut summarized = JobCause { cause, records: 14, message: None, first_records: Vec::new() };
        summarized.take(&issues, &ids);
        assert_eq!(summarized.first_records, ids[..FIRST_RECORDS]);
        assert_eq!(summarized.message.as_deref(), Some("Värdet v0 godtas inte."));
    }
}
