//! What a send holds, before it is stored.

use stafett_domain::register::Register;
use stafett_domain::{ActivitySummary, KindCount, PerKind, RecordId, RecordKind};

use crate::key::PartBody;
use crate::packed::Body;

/// The content of a send to be stored.
pub struct SendContent<F> {
    /// Its activities, in order.
    pub activities: Vec<ActivitySummary>,
    /// What was found in it, in numbers.
    pub findings: Vec<KindCount>,
    /// The registers that it could not be held against.
    pub not_checked: Vec<Register>,
    /// Its jobs, one a stage, in the order of the stages.
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
    /// Its body, and what its rows show.
    pub body: NewBody<F>,
}

/// The body of a batch to be stored.
pub enum NewBody<F> {
    /// This is it.
    Whole(Body<F>),
    /// It came with a part. `facts`: those of its rows, where they are not the part's.
    Part {
        /// Where it is.
        at: PartBody,
        /// One entry a record, in the records' order.
        facts: Option<Vec<F>>,
    },
}

impl<F> SendContent<F> {
    /// The ids of all its records.
    pub fn record_ids(&self) -> impl Iterator<Item = RecordId> {
        self.jobs.iter().flat_map(|job| &job.batches).flat_map(|batch| batch.ids.iter().copied())
    }

    /// How many batches each stage has.
    pub(crate) fn batches(&self) -> PerKind<u32> {
        PerKind::from_fn(|stage| {
            self.jobs.iter().filter(|job| job.stage == stage).map(|job| count(job.batches.len())).sum()
        })
    }
}

/// A number of things in a send.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
