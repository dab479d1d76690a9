use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::log_entry::LogEntry;
use crate::{Kind, clock};

/// A job, as a bulk call started it.
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    /// Whether records that exist may be updated.
    pub(crate) update: bool,
    pub(crate) accepted: Timestamp,
    /// As they came, in their order.
    pub(crate) records: Vec<(Uuid, Value)>,
    /// One per record, in the same order; None while the job is under way.
    pub(crate) results: Option<Vec<RecordResult>>,
    /// Whether it is not found when its caller asks for it.
    pub(crate) lost: bool,
}

/// What became of a record.
pub(crate) struct RecordResult {
    pub(crate) status: Status,
    pub(crate) status_code: u16,
    pub(crate) errors: Vec<LogEntry>,
    pub(crate) warnings: Vec<LogEntry>,
    pub(crate) meta: Meta,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Status {
    Success,
    Warning,
    Error,
    TemporaryError,
}

/// When a record was first accepted, and last.
#[derive(Clone, Copy)]
pub(crate) struct Meta {
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

impl Meta {
    pub(crate) fn new(at: Timestamp) -> Meta {
        Meta { created: at, modified: at }
    }

    fn json(self) -> Value {
        json!({"created": clock::rfc3339(self.created), "modified": clock::rfc3339(self.modified)})
    }
}

impl Job {
    /// AsynchronousResponse. `location_base` is what stands before `/{kind}/{id}` in the location of a new record;
    /// `only_errors` leaves out all but the refused ones, warnings included; `left_out` are not shown at all.
    pub(crate) fn answer(&self, location_base: &str, only_errors: bool, left_out: &HashSet<Uuid>) -> Value {
        let responses: Vec<Value> = match &self.results {
            None if only_errors => Vec::new(),
            None => {
                let meta = Meta::new(self.accepted).json();
                let pending = |(id, _): &(Uuid, Value)| json!({"id": id, "response": {"status": "Pending"}, "meta": meta});
                self.records.iter().map(pending).collect()
            }
            Some(results) => {
                let both = self.records.iter().map(|(id, _)| *id).zip(results);
                let wanted = both
                    .filter(|(id, _)| !left_out.contains(id))
                    .filter(|(_, result)| !only_errors || result.status == Status::Error);
                wanted.map(|(id, result)| result.json(self.kind, id, location_base)).collect()
            }
        };
        json!({"jobId": self.id, "responses": responses})
    }
}

impl RecordResult {
    fn json(&self, kind: Kind, id: Uuid, location_base: &str) -> Value {
        let mut response = json!({
            "status": self.status,
            "statusCode": self.status_code,
            "errors": self.errors,
            "warnings": self.warnings,
        });
        // Only where something was created.
        if self.status_code == 201 {
            response["location"] = format!("{location_base}/{kind}/{id}").into();
        }
        json!({"id": id, "response": response, "meta": self.meta.json()})
    }
}
