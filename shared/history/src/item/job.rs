//! A job: a stage of a send.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::takeover::Unfinished;
use stafett_domain::{Counts, JobStatus, Outcome, Reason, RecordKind, WaitCause};

use super::claim::{self, Claim};
use super::due::Due;

/// A stage of a send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub stage: RecordKind,
    /// The state of the job.
    pub status: JobStatus,
    pub batches: u32,
    /// The number of batches that are claimed and not finished.
    pub open: u32,
    /// The number of finished batches.
    pub closed: u32,
    /// The outcomes of the records in closed batches. The other records are pending.
    #[serde(flatten)]
    pub counts: Counts,
    /// The number of calls beyond one per batch, because batches had to be split.
    #[serde(default)]
    pub extra: u32,
    /// When its start was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The time since which it waits for Skolverket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Why it waits, from the last call that must be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_cause: Option<WaitCause>,
    /// The current or last holder of its start.
    #[serde(flatten, deserialize_with = "claim::whole_or_absent")]
    pub claim: Option<Claim>,
    /// The messages that follow its start were queued.
    #[serde(default)]
    pub handed_on: bool,
    /// The number of claims of its start in a row, before the current one, that were never finished.
    #[serde(flatten)]
    pub unfinished: Unfinished,
    /// When its start is overdue, for the watchdog.
    #[serde(flatten)]
    pub due: Due,
    /// When the item expires, in seconds since 1970. The same as on the send.
    pub expires: i64,
}

impl Job {
    /// A job in its initial state.
    pub fn waiting(stage: RecordKind, total: u32, batches: u32, expires: i64) -> Self {
        Self {
            stage,
            status: JobStatus::Waiting,
            batches,
            open: 0,
            closed: 0,
            counts: Counts::all(total, Outcome::Pending),
            extra: 0,
            started_at: None,
            ended_at: None,
            reason: None,
            waiting_since: None,
            waiting_cause: None,
            claim: None,
            handed_on: false,
            unfinished: Unfinished::default(),
            due: Due::default(),
            expires,
        }
    }

    /// The outcomes of its records. Once the job has ended, nothing is pending.
    pub fn counts(&self) -> Counts {
        if self.status.has_ended() { self.counts.settled() } else { self.counts }
    }
}
