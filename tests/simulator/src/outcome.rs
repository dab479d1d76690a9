use std::fmt;

use serde_json::Value;

/// A record's outcome by a test's script, whatever the record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptedOutcome {
    /// Not accepted; the record's `statusCode` is that of the log.
    Error(Log),
    /// Accepted (`statusCode` 201 or 200), but should be fixed.
    Warning(Log),
    /// Not accepted this time, to be sent again later; the record's `statusCode` is that of the log.
    TemporaryError(Log),
}

impl ScriptedOutcome {
    /// A record refused for a malformed attribute: 2011.
    pub fn error(attribute_name: impl Into<String>) -> ScriptedOutcome {
        let log = Log::new("2011", 400, "Ogiltigt format", "Attributet har ett ogiltigt format.");
        ScriptedOutcome::Error(Log { attribute_name: Some(attribute_name.into()), ..log })
    }

    /// A person accepted with an EPPN that should be fixed: 3047.
    pub fn warning() -> ScriptedOutcome {
        let log = Log::new("3047", 400, "Bristfälligt värde", "Federationsanvändarnamnet bör ändras.");
        ScriptedOutcome::Warning(Log { attribute_name: Some("eppn".into()), ..log })
    }

    /// A record that could not be handled just now: 5004.
    pub fn temporary_error() -> ScriptedOutcome {
        ScriptedOutcome::TemporaryError(Log::new("5004", 500, "Okänt fel", "Ett tillfälligt fel inträffade."))
    }
}

/// A message about a record: the parts of a LogEntry that a test chooses. Its `Debug` leaves out the text
/// and the value, which may quote what was sent.
#[derive(Clone, PartialEq)]
pub struct Log {
    /// Skolverket's number of the message, e.g. `2011`; not unique per cause.
    pub id: String,
    pub status_code: u16,
    /// The message's category, e.g. `Ogiltigt format`.
    pub message_type: String,
    pub message: String,
    /// Which attribute, e.g. `Enrolment.schoolYear`.
    pub attribute_name: Option<String>,
    /// The attribute's value, text or number; may be personal data.
    pub attribute_value: Option<Value>,
}

impl Log {
    /// A log without attribute.
    pub fn new(
        id: impl Into<String>,
        status_code: u16,
        message_type: impl Into<String>,
        message: impl Into<String>,
    ) -> Log {
        Log {
            id: id.into(),
            status_code,
            message_type: message_type.into(),
            message: message.into(),
            attribute_name: None,
            attribute_value: None,
        }
    }

    /// The same with an attribute and its value.
    pub fn attribute(self, name: impl Into<String>, value: impl Into<Value>) -> Log {
        Log { attribute_name: Some(name.into()), attribute_value: Some(value.into()), ..self }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("id", &self.id)
            .field("status_code", &self.status_code)
            .field("message_type", &self.message_type)
            .field("attribute_name", &self.attribute_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let log =
            Log::new("3047", 400, "Bristfälligt värde", "marked text").attribute("eppn", "marked value");
        let shown = format!("{:?}", ScriptedOutcome::Warning(log));
        assert!(shown.contains("3047") && shown.contains("eppn"));
        assert!(!shown.contains("marked"));
    }
}
