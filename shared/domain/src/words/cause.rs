//! Causes read off Skolverket's messages, and what a cause means.

use crate::kind::finding_code::Severity;
use crate::state::cause::{Cause, weight};
use crate::state::outcome::Outcome;
use crate::words::guidance::Guidance;
use crate::words::guidance::catalogue::{self, Message};
use crate::words::known_words::KnownWords;

impl Cause {
    /// A message of Skolverket's about a record that had this outcome. `severity_level` is its own word.
    pub fn message(outcome: Outcome, severity_level: Option<&str>, message: &Message<'_>) -> Self {
        let severity = match severity_level {
            Some("Error") => Severity::Error,
            Some("Warning") => Severity::Warning,
            _ => weight(outcome),
        };
        Self {
            severity,
            id: Some(message.id.to_owned()),
            attribute: message.attribute.map(str::to_owned),
            message_type: message.message_type.map(str::to_owned),
            ..Self::outcome(outcome)
        }
        .names_only()
    }

    /// The same without what is not known to be a number, an attribute or a category: a value may stand there. Causes
    /// that were stored before this check existed may have one.
    #[must_use]
    pub fn names_only(self) -> Self {
        let words = KnownWords::of(&Message {
            id: self.id.as_deref().unwrap_or_default(),
            attribute: self.attribute.as_deref(),
            parameter: None,
            message_type: self.message_type.as_deref(),
        });
        let part = |text: Option<&str>| text.map(str::to_owned);
        Self {
            id: part(words.id()),
            attribute: part(words.attribute()),
            message_type: part(words.message_type()),
            ..self
        }
    }

    /// What it means, what to do, and who.
    pub fn guidance(&self) -> &'static Guidance {
        if self.unknown_status {
            return catalogue::of_unknown_status();
        }
        match (&self.id, catalogue::of_outcome(self.outcome, self.dependency)) {
            (None, Some(guidance)) if self.message_type.is_none() && self.attribute.is_none() => guidance,
            (id, _) => catalogue::of_message(&Message {
                id: id.as_deref().unwrap_or_default(),
                attribute: self.attribute.as_deref(),
                parameter: None,
                message_type: self.message_type.as_deref(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::known_words::NO_WORDS;

    fn message<'a>(id: &'a str, attribute: Option<&'a str>, message_type: Option<&'a str>) -> Message<'a> {
        Message { id, attribute, parameter: None, message_type }
    }

    #[test]
    fn a_cause_holds_no_value_wherever_it_was_put() {
        for value in NO_WORDS {
            let cause =
                Cause::message(Outcome::Error, Some("Error"), &message(value, Some(value), Some(value)));
            assert_eq!(cause, Cause::outcome(Outcome::Error), "{value}");
            let kept = Cause { attribute: Some(value.to_owned()), ..cause.clone() };
            assert_eq!(kept.names_only(), cause, "{value}");
        }
    }

    #[test]
    fn what_differs_only_in_its_text_is_one_cause() {
        let year = |severity| {
            let message = message("2011", Some("Enrolment.schoolYear"), Some("Ogiltigt format"));
            Cause::message(Outcome::Error, severity, &message)
        };
        assert_eq!(year(Some("Error")), year(None));
        assert_ne!(year(Some("Error")), year(Some("Warning")));
    }

    #[test]
    fn a_message_without_a_number_has_the_words_of_its_type_not_of_its_outcome() {
        let cause = Cause::message(Outcome::Error, None, &message("", None, Some("Ogiltigt format")));
        assert_ne!(cause.guidance(), Cause::outcome(Outcome::Error).guidance());
        assert_ne!(cause.guidance(), &catalogue::UNKNOWN);
    }
}
