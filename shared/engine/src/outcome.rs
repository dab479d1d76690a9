//! From Skolverket's answer about a job to the outcome of each record of a batch.

use std::collections::HashMap;

use stafett_domain::{Counts, Outcome, RecordId};
use stafett_skolverket::{JobAnswer, RecordAnswer, RecordStatus};

use crate::history::Issue;

/// What an answer says of the records that it was asked about.
pub(crate) struct Outcomes {
    /// The outcomes of those that got one; and the pending ones.
    pub(crate) counts: Counts,
    /// Those that were not simply accepted.
    pub(crate) issues: Vec<Issue>,
    /// The status code that the accepted records without an issue have.
    pub(crate) usual_status_code: Option<u16>,
    /// Those that met a passing fault and are to be sent again: not counted.
    pub(crate) passing: Vec<u32>,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Nobody will look again: pending records become unknown.
    pub(crate) last: bool,
    /// Records with a passing fault (`TemporaryError`) may be sent again; else they are errors.
    pub(crate) again: bool,
    /// The usual status code of the batch's records that had their outcome before.
    pub(crate) usual_status_code: Option<u16>,
}

/// Reads the outcomes of `records` (places and ids). A record that the answer leaves out is pending.
pub(crate) fn outcomes(records: &[(u32, RecordId)], answer: &JobAnswer, reading: Reading) -> Outcomes {
    let answers: HashMap<RecordId, &RecordAnswer> =
        answer.responses.iter().map(|record| (record.id, record)).collect();
    let is_passing = |id: &RecordId| {
        reading.again && answers.get(id).is_some_and(|record| record.status() == RecordStatus::TemporaryError)
    };
    let outcome = |id: &RecordId| match answers.get(id).map(|record| record.status()) {
        Some(RecordStatus::Success) => Outcome::Success,
        Some(RecordStatus::Warning) => Outcome::Warning,
        Some(RecordStatus::Error | RecordStatus::TemporaryError) => Outcome::Error,
        Some(RecordStatus::Pending) | None if reading.last => Outcome::Unknown,
        Some(RecordStatus::Pending) | None => Outcome::Pending,
    };
    let status_code = |id: &RecordId| answers.get(id).and_then(|record| record.status_code());
    let accepted = records.iter().filter(|(_, id)| outcome(id) == Outcome::Success);
    let usual_status_code =
        reading.usual_status_code.or_else(|| usual(accepted.filter_map(|(_, id)| status_code(id))));
    let mut read =
        Outcomes { counts: Counts::default(), issues: Vec::new(), usual_status_code, passing: Vec::new() };
    for (index, id) in records {
        if is_passing(id) {
            read.passing.push(*index);
            continue;
        }
        let outcome = outcome(id);
        read.counts = read.counts.plus(Counts::of([outcome]));
        if outcome != Outcome::Success || status_code(id) != usual_status_code {
            let messages = answers.get(id).map(|record| record.entries().cloned().collect());
            let messages = messages.unwrap_or_default();
            let status_code = status_code(id);
            read.issues.push(Issue { index: *index, outcome, status_code, messages, without: Vec::new() });
        }
    }
    read
}

/// The value that comes most often; of two as often, the smaller.
fn usual(values: impl Iterator<Item = u16>) -> Option<u16> {
    let mut times: HashMap<u16, u32> = HashMap::new();
    for value in values {
        *times.entry(value).or_default() += 1;
    }
    times.into_iter().max_by_key(|(value, times)| (*times, std::cmp::Reverse(*value))).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    fn answer(records: &[(u128, &str, u16)]) -> JobAnswer {
        let responses: Vec<_> = records
            .iter()
            .map(|(number, status, code)| {
                let errors =
                    (*status == "Error").then(|| serde_json::json!([{"id": "2011", "message": "m"}]));
                serde_json::json!({
                    "id": id(*number).to_string(),
                    "response": {"status": status, "statusCode": code, "errors": errors},
                })
            })
            .collect();
        serde_json::from_value(serde_json::json!({"responses": responses})).unwrap()
    }

    fn read(ids: &[u128], answer: &JobAnswer, last: bool, again: bool) -> Outcomes {
        let records: Vec<_> = (0..).zip(ids.iter().copied().map(id)).collect();
        outcomes(&records, answer, Reading { last, again, usual_status_code: None })
    }

    #[test]
    fn each_record_gets_its_outcome_and_only_what_deserves_to_be_seen_is_kept() {
        let answer = answer(&[
            (4, "Error", 400),
            (1, "Success", 201),
            (2, "Success", 200),
            (3, "Warning", 201),
            (9, "Success", 201),
            (5, "TemporaryError", 503),
            (6, "Success", 201),
        ]);
        let last = read(&[1, 2, 3, 4, 5, 6, 7], &answer, true, false);
        let expected = Counts { total: 7, success: 3, warning: 1, error: 2, unknown: 1, ..Counts::default() };
        assert_eq!(last.counts, expected);
        assert_eq!(last.usual_status_code, Some(201));
        let kept: Vec<_> =
            last.issues.iter().map(|issue| (issue.index, issue.outcome, issue.messages.len())).collect();
        assert_eq!(
            kept,
            [
                (1, Outcome::Success, 0),
                (2, Outcome::Warning, 0),
                (3, Outcome::Error, 1),
                (4, Outcome::Error, 0),
                (6, Outcome::Unknown, 0)
            ]
        );
    }

    #[test]
    fn a_record_that_the_answer_leaves_out_is_pending() {
        let answer = answer(&[(1, "Success", 201), (2, "Pending", 0)]);
        let counts = read(&[1, 2, 3], &answer, false, true).counts;
        assert_eq!((counts.success, counts.pending), (1, 2));
    }

    #[test]
    fn a_passing_fault_is_neither_an_outcome_nor_pending_while_it_may_be_tried_again() {
        let answer = answer(&[(1, "Success", 201), (2, "TemporaryError", 503)]);
        let again = read(&[1, 2], &answer, false, true);
        assert_eq!(
            (again.counts.total, again.counts.pending, again.passing.as_slice()),
            (1, 0, [1].as_slice())
        );
        assert!(again.issues.is_empty());
    }
}
