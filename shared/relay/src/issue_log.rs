//! Logs Skolverket's messages about records: ids, attributes and counts. They show which faults are common before
//! anybody complains. The log never holds Skolverket's texts, or any data of a record.

use std::collections::BTreeMap;

use stafett_domain::KnownWords;
use stafett_history::{Batch, Open, looked_up_by};
use stafett_skolverket::LogEntry;

use crate::follow_up::JobRef;

/// The maximum number of message kinds that are logged per answer. An answer with more kinds says little.
const MOST_KINDS: usize = 20;
/// Replaces a value that is not a known number or attribute.
const OTHER: &str = "other";

/// Logs one line for each kind of message, with its count and its result: a record's outcome, or `refused` for a
/// message about a whole call.
pub(crate) fn note<'a>(
    job: &JobRef,
    batch: &Batch<Open>,
    messages: impl Iterator<Item = (&'static str, &'a LogEntry)>,
) {
    for ((error_id, attribute, outcome), records) in kinds(messages).into_iter().take(MOST_KINDS) {
        tracing::info!(
            event = "skolverket.issue", send = %job.key.send.send, organisation = %job.key.send.organisation,
            stage = %job.key.stage, batch = batch.batch.0, attempt = %batch.attempt(), error_id, attribute, outcome,
            records, "what Skolverket said about records"
        );
    }
}

/// Counts each combination of id, attribute and outcome.
fn kinds<'a>(
    messages: impl Iterator<Item = (&'static str, &'a LogEntry)>,
) -> BTreeMap<(String, String, &'static str), u32> {
    let mut kinds = BTreeMap::new();
    for (outcome, message) in messages {
        let words = KnownWords::of(&looked_up_by(message));
        let id = word(words.id(), Some(&message.id));
        let attribute = word(words.attribute(), message.attribute_name.as_deref());
        *kinds.entry((id, attribute, outcome)).or_default() += 1;
    }
    kinds
}

/// The text to log for a part of a message. `known` is the part if its value is known. Empty if the part is missing.
fn word(known: Option<&str>, part: Option<&str>) -> String {
    let there = part.is_some_and(|part| !part.is_empty());
    known.unwrap_or(if there { OTHER } else { "" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, attribute: Option<&str>) -> LogEntry {
        serde_json::from_value(serde_json::json!({"id": id, "attributeName": attribute})).unwrap()
    }

    #[test]
    fn messages_are_counted_by_kind() {
        let messages = [
            ("error", message("2011", Some("Enrolment.schoolYear"))),
            ("error", message("2011", Some("Enrolment.schoolYear"))),
            ("warning", message("3047", None)),
        ];
        let kinds = kinds(messages.iter().map(|(outcome, message)| (*outcome, message)));
        let expected = [(("2011", "Enrolment.schoolYear", "error"), 2), (("3047", "", "warning"), 1)];
        let expected = expected
            .map(|((id, attribute, outcome), times)| ((id.to_owned(), attribute.to_owned(), outcome), times));
        assert_eq!(kinds, expected.into());
    }

    #[test]
    fn what_is_not_known_to_be_a_name_is_not_repeated() {
        for text in
            ["Åsa", "anna.andersson", "Andersson", "åsa@edu.example.se", "201401019804", "20140101TF12"]
        {
            let message = message(text, Some(text));
            let logged: Vec<_> = kinds([("error", &message)].into_iter()).into_keys().collect();
            assert_eq!(logged, [(OTHER.to_owned(), OTHER.to_owned(), "error")], "{text}");
        }
    }
}
