//! The content of a send before it is stored.

use stafett_domain::register::Register;
use stafett_domain::{ActivitySummary, KindCount, PerKind, RecordId, RecordKind};

use crate::key::PartBody;
use crate::packed::Body;

/// The content of a send to be stored.
pub struct SendContent<F> {
    /// Its activities, in order.
    pub activities: Vec<ActivitySummary>,
    /// The number of findings of each kind.
    pub findings: Vec<KindCount>,
    /// The registers that did not respond during the check.
    pub not_checked: Vec<Register>,
    /// One job per stage, in the order of the stages.
    pub jobs: Vec<NewJob<F>>,
}

/// A job of a send to be stored.
pub struct NewJob<F> {
    pub stage: RecordKind,
    /// Its batches, in order.
    pub batches: Vec<NewBatch<F>>,
}

/// A batch of a job to be stored.
pub struct NewBatch<F> {
    /// Its records' ids, in order.
    pub ids: Vec<RecordId>,
    /// Its body and the facts for its rows.
    pub body: NewBody<F>,
}

/// The body of a batch to be stored.
pub enum NewBody<F> {
    /// The complete body.
    Whole(Body<F>),
    /// The body arrived with a part. `facts` replaces the part's facts for its rows, if they changed.
    Part {
        /// Where the body is stored.
        at: PartBody,
        /// One entry per record, in the order of the records.
        facts: Option<Vec<F>>,
    },
}

impl<F> SendContent<F> {
    /// The ids of all its records.
    pub fn record_ids(&self) -> impl Iterator<Item = RecordId> {
        self.jobs.iter().flat_map(|job| &job.batches).flat_map(|batch| batch.ids.iter().copied())
    }

    /// The number of batches of each stage.
    pub(crate) fn batches(&self) -> PerKind<u32> {
        PerKind::from_fn(|stage| {
            self.jobs.iter().filter(|job| job.stage == stage).map(|job| count(job.batches.len())).sum()
        })
    }
}

/// Converts a number of things in a send.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
