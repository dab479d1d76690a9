//! Parses a job's answer record by record. An error in one record does not affect the outcome of another.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;
use stafett_domain::RecordId;

use crate::log_entry::{LogEntry, messages};
use crate::tolerant::{Members, is_null, list, text};

/// The maximum length of an unknown status that is stored, in characters.
const LONGEST_STATUS: usize = 200;

/// The answer of a job call. It may not contain all records. Its texts may quote personal data, so the type has no
/// `Debug`.
pub struct JobAnswer(HashMap<RecordId, RecordAnswer>);

/// Skolverket's answer about one record.
pub struct RecordAnswer {
    pub status: RecordStatus,
    /// The HTTP-like status of the record, if present.
    pub status_code: Option<u16>,
    /// Errors, then warnings.
    pub messages: Vec<LogEntry>,
    /// The original status text, if the status is [`RecordStatus::Unknown`].
    pub unknown_status: Option<String>,
}

/// The state of a record in a job, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordStatus {
    /// Accepted.
    Success,
    /// Accepted, but should be corrected.
    Warning,
    /// Not processed yet.
    Pending,
    /// Not a documented status.
    Unknown,
    /// Not processed because of a temporary fault at Skolverket. The record must be sent again later.
    TemporaryError,
    /// Not accepted.
    Error,
}

impl RecordStatus {
    const NAMED: [(&str, Self); 5] = [
        ("Success", Self::Success),
        ("Warning", Self::Warning),
        ("Pending", Self::Pending),
        ("TemporaryError", Self::TemporaryError),
        ("Error", Self::Error),
    ];

    fn named(name: &str) -> Option<Self> {
        let is_it = |known: &&(&str, Self)| known.0.eq_ignore_ascii_case(name.trim());
        Self::NAMED.iter().find(is_it).map(|(_, status)| *status)
    }
}

impl JobAnswer {
    /// Parses an answer. Returns `None` if it is not an answer about a job. Entries without a valid id are skipped. If
    /// a record has two entries, the worse status counts, and the messages of both are kept.
    pub fn read(body: &str) -> Option<Self> {
        let mut records: HashMap<RecordId, RecordAnswer> = HashMap::new();
        for (id, entry) in entries(body)?.into_iter().filter_map(identified) {
            let answer = RecordAnswer::read(entry.get("response"));
            match records.remove(&id) {
                Some(other) => records.insert(id, other.merge(answer)),
                None => records.insert(id, answer),
            };
        }
        Some(Self(records))
    }

    /// Returns the outcome of a record, or `None` if the answer does not contain it.
    pub fn record(&self, id: RecordId) -> Option<&RecordAnswer> {
        self.0.get(&id)
    }
}

/// Returns the entries of an answer. A job answer without entries is valid.
fn entries(body: &str) -> Option<Vec<&RawValue>> {
    let answer = Members::of(body)?;
    match answer.get("responses").filter(|responses| !is_null(responses)) {
        Some(responses) => list(responses),
        None => answer.get("jobId").map(|_| Vec::new()),
    }
}

fn identified(entry: &RawValue) -> Option<(RecordId, Members<'_>)> {
    let members = Members::of(entry.get())?;
    let id = members.text("id")?.trim().parse().ok()?;
    Some((id, members))
}

/// Returns the original entries for one record.
pub fn entries_about(body: &str, record: RecordId) -> Vec<Value> {
    let about = |entry: &&RawValue| identified(entry).is_some_and(|(id, _)| id == record);
    let as_it_came = |entry: &RawValue| {
        serde_json::from_str(entry.get()).unwrap_or_else(|_| Value::String(entry.get().to_owned()))
    };
    entries(body).unwrap_or_default().into_iter().filter(about).map(as_it_came).collect()
}

impl RecordAnswer {
    fn read(response: Option<&RawValue>) -> Self {
        let nothing = |status| Self { status, status_code: None, messages: Vec::new(), unknown_status: None };
        // Skolverket's default is "Pending": there is no outcome yet.
        let Some(response) = response.filter(|response| !is_null(response)) else {
            return nothing(RecordStatus::Pending);
        };
        let Some(members) = Members::of(response.get()) else {
            return Self { unknown_status: Some(shortened(response)), ..nothing(RecordStatus::Unknown) };
        };
        let status = members.get("status");
        let known = match status {
            None => Some(RecordStatus::Pending),
            Some(status) => text(status).as_deref().and_then(RecordStatus::named),
        };
        Self {
            status: known.unwrap_or(RecordStatus::Unknown),
            status_code: members.status_code("statusCode"),
            messages: ["errors", "warnings"]
                .into_iter()
                .filter_map(|name| members.get(name))
                .flat_map(messages)
                .collect(),
            unknown_status: status.filter(|_| known.is_none()).map(shortened),
        }
    }

    fn merge(self, other: Self) -> Self {
        let (first, second) = (self.messages, other.messages);
        let (first_status, second_status) = (self.status, other.status);
        let worse = if second_status > first_status {
            Self { messages: Vec::new(), ..other }
        } else {
            Self { messages: Vec::new(), ..self }
        };
        let mut messages = first;
        for message in second {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        Self { messages, ..worse }
    }
}

/// Returns the original status, cut if it is long.
fn shortened(status: &RawValue) -> String {
    text(status).unwrap_or_else(|| "null".to_owned()).chars().take(LONGEST_STATUS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

    fn read(entries: &[&str]) -> JobAnswer {
        let entries = entries.join(",").replace("ID", ID);
        JobAnswer::read(&format!(r#"{{"jobId":"{ID}","responses":[{entries}]}}"#)).unwrap()
    }

    /// The record's status, its status code, the ids of its messages, and the original text of an unknown status.
    fn seen(entries: &[&str]) -> Option<(RecordStatus, Option<u16>, String, String)> {
        let answer = read(entries);
        let record = answer.record(ID.parse().unwrap())?;
        let ids: Vec<_> = record.messages.iter().map(|message| message.id.as_str()).collect();
        Some((
            record.status,
            record.status_code,
            ids.join(" "),
            record.unknown_status.clone().unwrap_or_default(),
        ))
    }

    fn of(response: &str) -> (RecordStatus, Option<u16>, String, String) {
        seen(&[&format!(r#"{{"id":"ID","response":{response},"meta":{{}}}}"#)]).unwrap()
    }

    #[test]
    fn a_readable_status_decides_whatever_else_came() {
        use RecordStatus::*;
        for (response, status, code, messages) in [
            (r#"{"status":"Success","statusCode":201}"#, Success, Some(201), ""),
            (r#"{"status":"success","statusCode":"201"}"#, Success, Some(201), ""),
            (r#"{"STATUS":"TEMPORARYERROR","statusCode":0}"#, TemporaryError, None, ""),
            (r#"{"status":" Warning ","statusCode":201.0,"errors":null}"#, Warning, Some(201), ""),
            (r#"{"status":"Error","statusCode":-1,"errors":{"id":2011}}"#, Error, None, "2011"),
            (r#"{"status":"Error","errors":[{"id":"1"},null,7],"warnings":[{"id":2}]}"#, Error, None, "1  2"),
            (
                r#"{"status":"Error","errors":[{"id":"1","attributeName":["x"],"resourceId":3}]}"#,
                Error,
                None,
                "1",
            ),
            (r#"{"status":"Success","errors":[],"warnings":"","location":1e999}"#, Success, None, ""),
            (r#"{"status":"Pending"}"#, Pending, None, ""),
            ("{}", Pending, None, ""),
            ("null", Pending, None, ""),
        ] {
            let messages = messages.trim();
            let read = of(response);
            assert_eq!((read.0, read.1, read.2.trim()), (status, code, messages), "{response}");
            assert_eq!(read.3, "", "{response}");
        }
    }

    #[test]
    fn a_status_that_is_none_is_unknown_and_shown_as_it_came() {
        for (response, shown) in [
            (r#"{"status":"Rejected","errors":[{"id":"1"}]}"#, "Rejected"),
            (r#"{"status":null}"#, "null"),
            (r#"{"status":3}"#, "3"),
            (r#"{"status":["Success"]}"#, r#"["Success"]"#),
            (r#"{"status":""}"#, ""),
            (r#""Success""#, "Success"),
            ("[]", "[]"),
        ] {
            let (status, _, _, unknown) = of(response);
            assert_eq!((status, unknown.as_str()), (RecordStatus::Unknown, shown), "{response}");
        }
        assert_eq!(of(r#"{"status":"Rejected","errors":[{"id":"1"}]}"#).2, "1");
    }

    #[test]
    fn entries_that_are_nobodys_cost_nothing() {
        let good = r#"{"Id":"ID","response":{"status":"Success"}}"#;
        for odd in [
            r#"{"id":null,"response":{"status":"Error"}}"#,
            r#"{"id":"no UUID","response":{"status":"Error"}}"#,
            r#"{"response":{"status":"Error"}}"#,
            r#"{"id":["ID"],"response":{"status":"Error"}}"#,
            "null",
            "17",
            "[]",
        ] {
            let upper_case = good.replace("ID", &ID.to_uppercase());
            for good in [good, &upper_case] {
                let answer = read(&[odd, good]);
                let record = answer.record(ID.parse().unwrap()).unwrap();
                assert_eq!(record.status, RecordStatus::Success, "{odd}");
            }
        }
    }

    #[test]
    fn of_two_entries_about_one_record_the_worse_counts_and_both_are_reported() {
        let entry = |status: &str, code: u16, message: u16| {
            format!(
                r#"{{"id":"ID","response":{{"status":"{status}","statusCode":{code},"errors":[{{"id":{message}}}]}}}}"#
            )
        };
        let (refused, warned) = (entry("Error", 400, 1), entry("Warning", 201, 2));
        assert_eq!(
            seen(&[&warned, &refused]),
            Some((RecordStatus::Error, Some(400), "2 1".to_owned(), String::new()))
        );
        assert_eq!(
            seen(&[&refused, &warned, &refused]),
            Some((RecordStatus::Error, Some(400), "1 2".to_owned(), String::new()))
        );
        let (accepted, new) = (entry("Success", 201, 3), entry("Rejected", 400, 4));
        assert_eq!(
            seen(&[&new, &accepted]),
            Some((RecordStatus::Unknown, Some(400), "4 3".to_owned(), "Rejected".to_owned()))
        );
    }

    #[test]
    fn only_an_answer_about_a_job_is_one() {
        for body in ["", "<html>", "[]", "3", r#"{"message":"Hello"}"#, r#"{"responses":"none"}"#, "{"] {
            assert!(JobAnswer::read(body).is_none(), "{body}");
        }
        for body in [r#"{"responses":[]}"#, r#"{"jobId":"x","responses":null}"#, r#"{"JobId":"x"}"#] {
            assert!(JobAnswer::read(body).is_some(), "{body}");
        }
    }

    #[test]
    fn what_came_of_a_record_can_be_shown() {
        let body = format!(
            r#"{{"Responses":[{{"id":"{}","response":3}},{{"id":null}},{{"id":"x"}}]}}"#,
            ID.to_uppercase()
        );
        let [entry] = entries_about(&body, ID.parse().unwrap()).try_into().unwrap();
        assert_eq!(entry["response"], 3);
        assert!(entries_about("<html>", ID.parse().unwrap()).is_empty());
    }
}
