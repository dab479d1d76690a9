//! The body of a batch while its steps are taken: which parts of it are sent, and which are not.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use stafett_domain::dependency::{Prepared, depends, prepare};
use stafett_domain::{OnRecordErrors, RecordId, RecordKind};
use stafett_history::{Batch, Body, HistoryError, Open, record_ids};

use crate::error::StepFailure;
use crate::follow_up::JobRef;
use crate::relay::Relay;

/// The body of a batch, read once per invocation.
pub(crate) struct BatchBody {
    pub(crate) body: String,
    pub(crate) records: Vec<RecordId>,
    /// The records that earlier stages did not get accepted, if the sender chose to continue without them.
    refused: HashSet<RecordId>,
}

impl BatchBody {
    /// How each of these records is sent or skipped, because of the records that were not accepted.
    fn prepared(&self, stage: RecordKind, records: &[u32]) -> Vec<(u32, Prepared)> {
        if self.refused.is_empty() {
            return Vec::new();
        }
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let prepared = |index: &u32| {
            let record = body.get("data")?.get(*index as usize)?;
            Some((*index, prepare(stage, record, &self.refused)))
        };
        records.iter().filter_map(prepared).collect()
    }

    /// The records that are skipped, each with the record that causes it.
    pub(crate) fn skipped(&self, stage: RecordKind, records: &[u32]) -> Vec<(u32, RecordId)> {
        let because = |(index, prepared)| match prepared {
            Prepared::Skipped { because } => Some((index, because)),
            Prepared::Unchanged | Prepared::Without { .. } => None,
        };
        self.prepared(stage, records).into_iter().filter_map(because).collect()
    }

    /// The body of a call with these records, without what was not accepted.
    pub(crate) fn call_body(&self, stage: RecordKind, batch: &Batch<Open>) -> Result<String, HistoryError> {
        let records = batch.piece().records;
        let changed: HashMap<u32, String> = self
            .prepared(stage, &records)
            .into_iter()
            .filter_map(|(index, prepared)| match prepared {
                Prepared::Without { record, .. } => Some((index, record.to_string())),
                Prepared::Unchanged | Prepared::Skipped { .. } => None,
            })
            .collect();
        if batch.progress.pieces.is_empty() && changed.is_empty() {
            return Ok(self.body.clone());
        }
        part_of(&self.body, &records, &changed)
            .ok_or(HistoryError::Corrupt("a piece that is not in its batch"))
    }

    /// For each of these records, the ids that were left out of it.
    pub(crate) fn left_out(&self, stage: RecordKind, records: &[u32]) -> Vec<(u32, Vec<RecordId>)> {
        let left_out = |(index, prepared)| match prepared {
            Prepared::Without { left_out, .. } => Some((index, left_out)),
            Prepared::Unchanged | Prepared::Skipped { .. } => None,
        };
        self.prepared(stage, records).into_iter().filter_map(left_out).collect()
    }
}

impl Relay {
    pub(crate) async fn load(&self, job: &JobRef, batch: &Batch<Open>) -> Result<BatchBody, StepFailure> {
        let key = &job.key;
        let Body { body, .. } = self.history.body::<serde::de::IgnoredAny>(key, batch).await?;
        let goes_on = batch.on_record_errors == OnRecordErrors::Continue && depends(key.stage);
        let refused = if goes_on { self.history.refused_before(key).await? } else { HashSet::new() };
        Ok(BatchBody { records: record_ids(&body)?, body, refused })
    }
}

/// `{"data": […]}` with only these records of a body. A record in `changed` is taken from there.
fn part_of(body: &str, records: &[u32], changed: &HashMap<u32, String>) -> Option<String> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        data: Vec<&'a serde_json::value::RawValue>,
    }
    let Data { data } = serde_json::from_str(body).ok()?;
    let part = |index: &u32| {
        let changed = changed.get(index).map(String::as_str);
        changed.or_else(|| data.get(*index as usize).map(|raw| raw.get()))
    };
    let parts: Option<Vec<&str>> = records.iter().map(part).collect();
    Some(format!(r#"{{"data":[{}]}}"#, parts?.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_body_holds_its_records_as_they_are() {
        let none = HashMap::new();
        let body = r#"{"data":[{"id":"a","n":"å,]"},{"id":"b"},{"id":"c"}]}"#;
        assert_eq!(
            part_of(body, &[0, 2], &none).as_deref(),
            Some(r#"{"data":[{"id":"a","n":"å,]"},{"id":"c"}]}"#)
        );
        assert_eq!(part_of(body, &[3], &none), None);
        let changed = HashMap::from([(1, r#"{"id":"B"}"#.to_owned())]);
        assert_eq!(part_of(body, &[1, 2], &changed).as_deref(), Some(r#"{"data":[{"id":"B"},{"id":"c"}]}"#));
    }
}
