//! Reads Skolverket's answer about a job, and gives each record of the batch its outcome.

use std::collections::HashMap;

use stafett_domain::{Counts, Outcome, RecordId};
use stafett_skolverket::{JobAnswer, RecordStatus};

use stafett_history::Issue;

/// The outcomes of a batch's records according to an answer.
pub(crate) struct Outcomes {
    /// The counts of the records that have an outcome, and of the pending ones.
    pub(crate) counts: Counts,
    /// The records that were not simply accepted.
    pub(crate) issues: Vec<Issue>,
    /// The status code of the accepted records without an issue.
    pub(crate) usual_status_code: Option<u16>,
    /// The records with a transient fault, which are sent again. They are not counted.
    pub(crate) transient: Vec<u32>,
    /// The number of pending records that are given up: their outcome is unknown.
    pub(crate) given_up: u32,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// There is no further poll: pending records become unknown.
    pub(crate) last: bool,
    /// Records with a transient fault (`TemporaryError`) may be sent again; otherwise they are errors.
    pub(crate) again: bool,
    /// The usual status code of the batch's records that already have an outcome.
    pub(crate) usual_status_code: Option<u16>,
}

impl Reading {
    fn outcome(self, status: RecordStatus) -> Outcome {
        match status {
            RecordStatus::Success => Outcome::Success,
            RecordStatus::Warning => Outcome::Warning,
            RecordStatus::Error | RecordStatus::TemporaryError => Outcome::Error,
            RecordStatus::Unknown => Outcome::Unknown,
            RecordStatus::Pending if self.last => Outcome::Unknown,
            RecordStatus::Pending => Outcome::Pending,
        }
    }
}

/// Reads the outcomes of `records` (places and ids). A record that the answer leaves out is pending.
pub(crate) fn outcomes(records: &[(u32, RecordId)], answer: &JobAnswer, reading: Reading) -> Outcomes {
    let status = |id: &RecordId| answer.record(*id).map_or(RecordStatus::Pending, |record| record.status);
    let status_code = |id: &RecordId| answer.record(*id).and_then(|record| record.status_code);
    let accepted = records.iter().filter(|(_, id)| status(id) == RecordStatus::Success);
    let usual_status_code =
        reading.usual_status_code.or_else(|| usual(accepted.filter_map(|(_, id)| status_code(id))));
    let mut read = Outcomes {
        counts: Counts::default(),
        issues: Vec::new(),
        usual_status_code,
        transient: Vec::new(),
        given_up: 0,
    };
    for (index, id) in records {
        let status = status(id);
        if reading.again && status == RecordStatus::TemporaryError {
            read.transient.push(*index);
            continue;
        }
        let outcome = reading.outcome(status);
        read.counts = read.counts.plus(Counts::of([outcome]));
        if status == RecordStatus::Pending && reading.last {
            read.given_up += 1;
        }
        let (messages, unknown_status) = answer
            .record(*id)
            .map(|record| (record.messages.clone(), record.unknown_status.clone()))
            .unwrap_or_default();
        let status_code = status_code(id);
        if outcome != Outcome::Success || status_code != usual_status_code || !messages.is_empty() {
            let issue = Issue::new(*index, outcome);
            read.issues.push(Issue { status_code, messages, unknown_status, ..issue });
        }
    }
    read
}

/// The most frequent value. If two are equally frequent, the smaller one.
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
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    fn answer(records: &[(u128, &str, u16)]) -> JobAnswer {
        let entries: Vec<_> = records
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
        read_answer(&entries)
    }

    fn read_answer(entries: &[Value]) -> JobAnswer {
        JobAnswer::read(&serde_json::json!({"jobId": id(0), "responses": entries}).to_string()).unwrap()
    }

    fn read(ids: &[u128], answer: &JobAnswer, last: bool, again: bool) -> Outcomes {
        let records: Vec<_> = (0..).zip(ids.iter().copied().map(id)).collect();
        outcomes(&records, answer, Reading { last, again, usual_status_code: None })
    }

    #[test]
    fn each_record_gets_its_outcome_and_only_issues_are_stored() {
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
    fn a_transient_fault_is_neither_an_outcome_nor_pending_while_it_may_be_tried_again() {
        let answer = answer(&[(1, "Success", 201), (2, "TemporaryError", 503)]);
        let again = read(&[1, 2], &answer, false, true);
        assert_eq!(
            (again.counts.total, again.counts.pending, again.transient.as_slice()),
            (1, 0, [1].as_slice())
        );
        assert!(again.issues.is_empty());
    }

    /// `job-answer-unknown-status`: the second record has its outcome, the first one shows the unknown status.
    #[test]
    fn a_status_that_is_not_known_makes_its_own_record_unknown() {
        let answer = answer(&[(1, "Rejected", 400), (2, "success", 201)]);
        let read = read(&[1, 2], &answer, false, true);
        assert_eq!((read.counts.unknown, read.counts.success, read.given_up), (1, 1, 0));
        let [first] = read.issues.as_slice() else { panic!("one issue") };
        assert_eq!((first.outcome, first.unknown_status.as_deref()), (Outcome::Unknown, Some("Rejected")));
    }

    #[test]
    fn messages_about_an_accepted_record_are_stored() {
        let mut entry = json!({"id": id(1), "response": {"status": "Success", "statusCode": 201}});
        entry["response"]["warnings"] = json!([{"id": "1"}]);
        let read = read(&[1], &read_answer(&[entry]), false, true);
        assert_eq!((read.counts.success, read.issues.len()), (1, 1));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000.0..1000.0_f64).prop_map(Value::from),
            "[a-zA-Z ]{0,12}".prop_map(Value::from),
            prop_oneof![Just("Success"), Just("ERROR"), Just("pending")].prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec(("[a-zA-Z]{1,6}", inner), 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_mutation() -> impl Strategy<Value = (usize, Option<Value>)> {
        (0..PLACES.len(), prop::option::of(any_json()))
    }

    /// The parts of an entry that are changed. The empty one stands for the whole entry.
    const PLACES: [&str; 13] = [
        "",
        "/id",
        "/response",
        "/response/status",
        "/response/statusCode",
        "/response/errors",
        "/response/errors/0",
        "/response/errors/0/id",
        "/response/errors/0/message",
        "/response/errors/0/attributeName",
        "/response/warnings",
        "/response/location",
        "/meta",
    ];

    /// Sets the value at this place, or removes it if `value` is `None`.
    fn change(entry: &mut Value, place: &str, value: Option<Value>) {
        let Some((parent, name)) = place.rsplit_once('/') else {
            *entry = value.unwrap_or_default();
            return;
        };
        match (entry.pointer_mut(parent), value) {
            (Some(Value::Object(members)), Some(value)) => drop(members.insert(name.to_owned(), value)),
            (Some(Value::Object(members)), None) => drop(members.remove(name)),
            (Some(Value::Array(entries)), value) => *entries = value.into_iter().collect(),
            _ => {}
        }
    }

    /// The rows of all records except one: outcome, status code, messages.
    fn others(answer: &JobAnswer, changed: u32) -> Vec<(u32, Outcome, Option<u16>, Vec<String>)> {
        let read = read(&[1, 2, 3, 4, 5], answer, true, false);
        let shown = |index: u32| match read.issues.iter().find(|issue| issue.index == index) {
            Some(issue) => {
                let messages = issue.messages.iter().map(|message| message.message.clone()).collect();
                (index, issue.outcome, issue.status_code, messages)
            }
            None => (index, Outcome::Success, read.usual_status_code, Vec::new()),
        };
        (0..5).filter(|index| *index != changed).map(shown).collect()
    }

    proptest! {
        #[test]
        fn whatever_one_entry_holds_the_others_have_their_outcomes(
            changed in 0..5_u32,
            mutations in prop::collection::vec(any_mutation(), 1..4),
        ) {
            let entry = |number: u128, status: &str, code: u16| json!({
                "id": id(number),
                "response": {
                    "status": status, "statusCode": code, "location": "x", "warnings": [],
                    "errors": [{"id": "2011", "message": format!("of {number}"), "attributeName": "eppn"}],
                },
                "meta": {},
            });
            let mut entries = vec![
                entry(1, "Success", 201),
                entry(2, "Error", 400),
                entry(3, "Warning", 201),
                entry(4, "Success", 200),
                entry(5, "Pending", 0),
            ];
            let before = others(&read_answer(&entries), changed);
            for (place, value) in mutations {
                change(&mut entries[changed as usize], PLACES[place], value);
            }
            prop_assert_eq!(others(&read_answer(&entries), changed), before);
        }
    }
}
