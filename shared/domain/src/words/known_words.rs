//! The words of a message from outside that may be repeated where personal data may not be.

use crate::kind::attribute::is_an_attribute;
use crate::words::guidance::catalogue::{self, Message};

/// The parts of a message of Skolverket's that are known to be nobody's data: a number, names of attributes, categories.
/// Logs, metrics, error texts and views for those who may not see personal data hold nothing else of it.
///
/// The text in the place of a name may be a value that a fault put there, and a person's name may look like an
/// attribute's. Therefore only known names are repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownWords {
    id: Option<String>,
    attribute: Option<String>,
    message_type: Option<String>,
}

impl KnownWords {
    /// Of a message.
    pub fn of(message: &Message<'_>) -> Self {
        Self {
            id: Some(message.id.to_owned()).filter(|id| is_a_number(id)),
            attribute: message.attribute.and_then(known_attribute),
            message_type: message.message_type.filter(|text| catalogue::is_a_type(text)).map(str::to_owned),
        }
    }

    /// The message's number.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The attribute that it names, without places in lists: `Enrolment.schoolYear`. Of a path that begins with
    /// something unknown, its end.
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }

    /// Its category, such as "Ogiltigt format".
    pub fn message_type(&self) -> Option<&str> {
        self.message_type.as_deref()
    }

    /// Skolverket's word for how much a message weighs, if `text` is one.
    pub fn severity(text: &str) -> Option<&'static str> {
        ["Error", "Warning"].into_iter().find(|word| *word == text)
    }
}

/// Of those that are documented none is longer than four digits; a civic number or a part of one is.
fn is_a_number(id: &str) -> bool {
    (1..=5).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn known_attribute(name: &str) -> Option<String> {
    let name = catalogue::without_places(name);
    let known = |part: &&str| is_an_attribute(part) || catalogue::is_named(part);
    let mut parts: Vec<&str> = name.rsplit('.').take_while(known).collect();
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// Values and other texts that are not known words, for tests.
#[cfg(test)]
pub(super) const NO_WORDS: [&str; 9] = [
    "201404189812",
    "pippi@edu.example.se",
    "Pippi Långstrump",
    "20140418-9812",
    "201404",
    "Andersson",
    "anna.andersson",
    "schoolYear.Andersson",
    "",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: &str) -> KnownWords {
        KnownWords::of(&Message {
            id: value,
            attribute: Some(value),
            parameter: Some(value),
            message_type: Some(value),
        })
    }

    #[test]
    fn no_value_is_known_wherever_it_was_put() {
        for value in NO_WORDS {
            assert_eq!(words(value), KnownWords::default(), "{value}");
            assert_eq!(KnownWords::severity(value), None);
        }
        let known = KnownWords::of(&Message {
            id: "2011",
            attribute: Some("Enrolment.schoolYear"),
            parameter: None,
            message_type: Some("Ogiltigt format"),
        });
        assert_eq!(
            (known.id(), known.attribute(), known.message_type()),
            (Some("2011"), Some("Enrolment.schoolYear"), Some("Ogiltigt format"))
        );
    }

    #[test]
    fn an_attribute_is_shown_as_far_as_it_is_known() {
        for (name, known) in [
            ("Enrolment.schoolYear", "Enrolment.schoolYear"),
            ("enrolments[3].schoolYear", "enrolments.schoolYear"),
            ("DutyAssignment.duty.id", "DutyAssignment.duty.id"),
            ("groupMemberships[Andersson].person", "groupMemberships.person"),
            ("anna.andersson.eppn", "eppn"),
            ("SecurityMarking", "SecurityMarking"),
            ("globallyUnique", "globallyUnique"),
        ] {
            assert_eq!(words(name).attribute(), Some(known));
        }
    }
}
