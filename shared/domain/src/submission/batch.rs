//! Batches: the bulk calls that records are cut into.

use std::fmt;

use crate::kind::id::RecordId;
use crate::rules::record_findings::RecordFindings;
use crate::state::facts::Facts;

/// The most bytes of a call's body. Skolverket takes 200 KB and does not say whether a KB is 1000 or 1024 bytes
/// (shared/README, Skolverket 1): this is below both, with room for the unforeseen.
pub const MAX_BODY_BYTES: usize = 195_000;

const HEAD: &str = r#"{"data":["#;
const TAIL: &str = "]}";

/// The length of a body whose records, commas included, take this many bytes.
pub(crate) fn framed_len(records: usize) -> usize {
    HEAD.len() + records + TAIL.len()
}

/// One bulk call.
pub struct PlannedBatch {
    /// Compact `{"data":[…]}` in UTF-8, at most [`MAX_BODY_BYTES`].
    pub body: String,
    /// The records in it, in order.
    pub ids: Vec<RecordId>,
    /// One for each record, in the same order.
    pub facts: Vec<Facts>,
}

/// A record on its way into a batch.
pub struct BatchRecord<'a> {
    /// Its JSON as it goes to Skolverket.
    pub wire: &'a str,
    /// Its id.
    pub id: RecordId,
    /// What its row shows beside.
    pub facts: Facts,
}

/// Cuts records into calls, in the order given, as many to a call as fit.
pub fn cut<'a>(records: impl Iterator<Item = BatchRecord<'a>>) -> Vec<PlannedBatch> {
    cut_at(MAX_BODY_BYTES, records)
}

pub(super) fn cut_at<'a>(limit: usize, records: impl Iterator<Item = BatchRecord<'a>>) -> Vec<PlannedBatch> {
    let mut cutter = Cutter::default();
    for record in records {
        cutter.add(limit, record);
    }
    cutter.finish()
}

/// Cuts records into calls as they come.
#[derive(Default)]
pub(crate) struct Cutter(Vec<PlannedBatch>);

impl Cutter {
    /// Adds a record: to the last call if it fits there, within `limit` bytes, else to a new one.
    pub(crate) fn add(&mut self, limit: usize, record: BatchRecord<'_>) {
        match self.0.last_mut() {
            Some(batch) if batch.body.len() + ",".len() + record.wire.len() + TAIL.len() <= limit => {
                batch.body.push(',');
                batch.add(record);
            }
            _ => {
                let mut batch = PlannedBatch { body: HEAD.to_owned(), ids: Vec::new(), facts: Vec::new() };
                batch.add(record);
                self.0.push(batch);
            }
        }
    }

    /// All calls.
    pub(crate) fn finish(mut self) -> Vec<PlannedBatch> {
        for batch in &mut self.0 {
            batch.body.push_str(TAIL);
        }
        self.0
    }
}

impl PlannedBatch {
    /// Adds the findings to the facts of its records.
    pub(crate) fn add_findings(&mut self, findings: &RecordFindings) {
        for (id, facts) in self.ids.iter().zip(&mut self.facts) {
            facts.findings = findings.of(*id).to_vec();
        }
    }

    fn add(&mut self, record: BatchRecord<'_>) {
        self.body.push_str(record.wire);
        self.ids.push(record.id);
        self.facts.push(record.facts);
    }
}

impl fmt::Debug for PlannedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlannedBatch({} records, {} bytes)", self.ids.len(), self.body.len())
    }
}
