//! From Skolverket's answer about a job to the outcome of each record of a batch.

use std::collections::HashMap;

use stafett_domain::{Counts, Outcome, RecordId};
use stafett_skolverket::{JobAnswer, RecordAnswer, RecordStatus};

use crate::history::{Issue, Issues};

/// The outcomes of a batch's records.
pub(crate) struct Outcomes {
    pub(crate) counts: Counts,
    pub(crate) issues: Issues,
    /// The status code that the accepted records without an issue have.
    pub(crate) usual_status_code: Option<u16>,
}

/// Reads the outcomes of `records` (a batch's, in order). A record that the answer leaves out is pending.
///
/// With `last`, pending records become unknown: nobody will look again. A passing fault (`TemporaryError`) is an
/// error: the record was not accepted.
pub(crate) fn outcomes(records: &[RecordId], answer: &JobAnswer, last: bool) -> Outcomes {
    let answers: HashMap<RecordId, &RecordAnswer> =
        answer.responses.iter().map(|record| (record.id, record)).collect();
    let outcome = |id: &RecordId| match answers.get(id).map(|record| record.status()) {
        Some(RecordStatus::Success) => Outcome::Success,
        Some(RecordStatus::Warning) => Outcome::Warning,
        Some(RecordStatus::Error | RecordStatus::TemporaryError) => Outcome::Error,
        Some(RecordStatus::Pending) | None if last => Outcome::Unknown,
        Some(RecordStatus::Pending) | None => Outcome::Pending,
    };
    let usual_status_code = usual(
        records
            .iter()
            .filter(|id| outcome(id) == Outcome::Success)
            .filter_map(|id| answers.get(id).and_then(|record| record.status_code())),
    );
    let mut issues = Issues::default();
    for (index, id) in (0..).zip(records) {
        let outcome = outcome(id);
        let status_code = answers.get(id).and_then(|record| record.status_code());
        if outcome == Outcome::Success && status_code == usual_status_code {
            continue;
        }
        let messages = answers.get(id).map(|record| record.entries().cloned().collect()).unwrap_or_default();
        issues.records.push(Issue { index, outcome, status_code, messages });
    }
    Outcomes { counts: Counts::of(records.iter().map(outcome)), issues, usual_status_code }
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
        let read = outcomes(&[id(1), id(2), id(3), id(4), id(5), id(6), id(7)], &answer, true);
        let expected = Counts { total: 7, success: 3, warning: 1, error: 2, unknown: 1, ..Counts::default() };
        assert_eq!(read.counts, expected);
        assert_eq!(read.usual_status_code, Some(201));
        let kept: Vec<_> = read
            .issues
            .records
            .iter()
            .map(|issue| (issue.index, issue.outcome, issue.messages.len()))
            .collect();
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
        let read = outcomes(&[id(1), id(2), id(3)], &answer, false);
        assert_eq!((read.counts.success, read.counts.pending), (1, 2));
    }
}
