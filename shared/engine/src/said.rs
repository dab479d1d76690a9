//! What Skolverket says about records, as log lines: ids, attributes and how often, so that it is known which faults are
//! common before anybody complains. Never its texts, and nothing of a record.

use std::collections::BTreeMap;

use stafett_skolverket::LogEntry;

use crate::history::Batch;
use crate::relay::JobRef;

/// Kinds of message that one answer is told of; an answer with more says little.
const MOST_KINDS: usize = 20;
/// No name in Skolverket's interface is longer.
const LONGEST_WORD: usize = 64;
/// No name there has more digits in a row; what has may be a number of somebody.
const MOST_DIGITS: usize = 4;

/// Logs a line for each kind of message, with the number of its occurrences. Each comes with what it led to: a record's
/// outcome, or `refused` for one about a whole call.
pub(crate) fn note<'a>(
    job: &JobRef,
    batch: &Batch,
    messages: impl Iterator<Item = (&'static str, &'a LogEntry)>,
) {
    for ((error_id, attribute, outcome), records) in kinds(messages).into_iter().take(MOST_KINDS) {
        tracing::info!(
            event = "skolverket.issue", send = %job.send.send, organisation = %job.send.organisation,
            stage = %job.stage, batch = batch.batch.0, attempt = %batch.attempt(), error_id, attribute, outcome,
            records, "what Skolverket said about records"
        );
    }
}

/// How often each id, attribute and outcome.
fn kinds<'a>(
    messages: impl Iterator<Item = (&'static str, &'a LogEntry)>,
) -> BTreeMap<(&'a str, &'a str, &'static str), u32> {
    let mut kinds = BTreeMap::new();
    for (outcome, message) in messages {
        let attribute = message.attribute_name.as_deref().map_or("", word);
        *kinds.entry((word(&message.id), attribute, outcome)).or_default() += 1;
    }
    kinds
}

/// The text, if it is a word of an interface; it comes from outside, and may be anything.
fn word(text: &str) -> &str {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    let few_digits =
        text.split(|letter: char| !letter.is_ascii_digit()).all(|digits| digits.len() <= MOST_DIGITS);
    if text.len() <= LONGEST_WORD && is_name && few_digits { text } else { "other" }
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
        assert_eq!(kinds, expected.into());
    }

    #[test]
    fn what_is_no_name_is_not_repeated() {
        for text in ["Åsa", "åsa@edu.example.se", "201401019804", "x y", "20140101TF12", &"x".repeat(65)] {
            assert_eq!(word(text), "other");
        }
        assert_eq!(word("eduPersonPrincipalNames"), "eduPersonPrincipalNames");
    }
}
