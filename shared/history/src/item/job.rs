//! A job: a stage of a send.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::takeover::Unfinished;
use stafett_domain::{Counts, JobStatus, Outcome, Reason, RecordKind, WaitCause};

use super::claim::{self, Claim};
use super::due::Due;

/// A send's stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub stage: RecordKind,
    /// Where it stands.
    pub status: JobStatus,
    pub batches: u32,
    /// How many of them are claimed and not finished.
    pub open: u32,
    /// How many of them are finished.
    pub closed: u32,
    /// What became of its records, of those in closed batches: the others are pending.
    #[serde(flatten)]
    pub counts: Counts,
    /// Calls beyond one for each batch, because batches had to be split.
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
    /// Since when it waits for Skolverket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Why it does, by the last call that has to be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_cause: Option<WaitCause>,
    /// Who takes its start, or took it last.
    #[serde(flatten, deserialize_with = "claim::whole_or_absent")]
    pub claim: Option<Claim>,
    /// The messages that follow from the start were sent.
    #[serde(default)]
    pub handed_on: bool,
    /// Claims of its start in a row that were never finished, before the present one.
    #[serde(flatten)]
    pub unfinished: Unfinished,
    /// When its start is overdue, for the watchdog.
    #[serde(flatten)]
    pub due: Due,
    /// See the send's.
    pub expires: i64,
}

impl Job {
    /// A job that nothing has happened to.
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

    /// What became of its records: once it has ended, nothing is pending.
    pub fn counts(&self) -> Counts {
        if self.status.has_ended() { self.counts.settled() } else { self.counts }
    }
}
