//! Skolverket's messages about records.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{Access, Guidance, KnownWords, guidance};
use stafett_history::looked_up_by;
use stafett_skolverket::LogEntry;

use crate::http::size_limit::shortened;

/// The longest text of Skolverket's that a message shows, in characters. The stored answer holds the whole text.
pub(crate) const LONGEST_TEXT: usize = 1_000;
/// The longest word or name of Skolverket's that is shown, in characters.
const LONGEST_WORD: usize = 100;
/// How many messages a row shows.
pub(crate) const MESSAGES_SHOWN: usize = 20;

/// A message from Skolverket about a record. Its own text is shown for `history:personal` only, because it may quote
/// values.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Message")]
pub(crate) struct MessageView {
    #[schemars(example = &"Error")]
    severity: Option<String>,
    #[schemars(example = "2011")]
    id: String,
    #[schemars(example = "Ogiltigt format")]
    message_type: Option<String>,
    /// Cut after 1,000 characters, with `…` at its end.
    #[schemars(example = None::<String>)]
    message: Option<String>,
    #[schemars(example = "Enrolment.schoolYear")]
    attribute_name: Option<String>,
    /// What it means, what to do, and who does it.
    guidance: &'static Guidance,
}

impl MessageView {
    pub(crate) fn new(entry: LogEntry, access: Access) -> Self {
        let guidance = guidance::of_message(&looked_up_by(&entry));
        if access == Access::Personal {
            // Unchanged, except that long texts are cut.
            let word = |text: String| shortened(text, LONGEST_WORD);
            return Self {
                severity: entry.severity_level.map(word),
                id: word(entry.id),
                message_type: entry.message_type.map(word),
                message: Some(shortened(entry.message, LONGEST_TEXT)),
                attribute_name: entry.attribute_name.map(word),
                guidance,
            };
        }
        let words = KnownWords::of(&looked_up_by(&entry));
        let severity = entry.severity_level.as_deref().and_then(KnownWords::severity);
        Self {
            severity: severity.map(str::to_owned),
            id: words.id().unwrap_or_default().to_owned(),
            message_type: words.message_type().map(str::to_owned),
            message: None,
            attribute_name: words.attribute().map(str::to_owned),
            guidance,
        }
    }
}

impl fmt::Display for MessageView {
    /// On one line: `3047 Bristfälligt värde, eppn: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if let Some(kind) = &self.message_type {
            write!(f, " {kind}")?;
        }
        if let Some(attribute) = &self.attribute_name {
            write!(f, ", {attribute}")?;
        }
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(message_type: &str, attribute_name: &str) -> LogEntry {
        serde_json::from_value(serde_json::json!({
            "id": "2011", "messageType": message_type, "message": "Värdet Pippi är fel.",
            "attributeName": attribute_name, "attributeValue": "Pippi", "severityLevel": "Error",
        }))
        .unwrap()
    }

    fn shown(entry: LogEntry, access: Access) -> serde_json::Value {
        serde_json::to_value(MessageView::new(entry, access)).unwrap()
    }

    #[test]
    fn skolverkets_text_is_for_those_who_may_see_personal_data() {
        let personal = shown(entry("Ogiltigt format", "Enrolment.schoolYear"), Access::Personal);
        assert_eq!(personal["message"], "Värdet Pippi är fel.");
        let masked = shown(entry("Ogiltigt format", "Enrolment.schoolYear"), Access::Masked);
        let guidance = masked["guidance"].clone();
        assert_eq!(guidance["who"], "studentRegister");
        assert_eq!(
            masked,
            serde_json::json!({
                "severity": "Error", "id": "2011", "messageType": "Ogiltigt format", "message": null,
                "attributeName": "Enrolment.schoolYear", "guidance": guidance,
            })
        );
    }

    #[test]
    fn a_value_in_the_place_of_a_name_is_hidden() {
        for (message_type, attribute) in
            [("201404189812", "pippi@edu.example.se"), ("Pippi Långstrump", "Andersson")]
        {
            let entry = || LogEntry {
                id: attribute.to_owned(),
                severity_level: Some(message_type.to_owned()),
                ..entry(message_type, attribute)
            };
            let masked = shown(entry(), Access::Masked);
            assert_eq!(masked["id"], "");
            for name in ["severity", "messageType", "attributeName"] {
                assert_eq!(masked[name], serde_json::Value::Null, "{name}");
            }
            assert_eq!(shown(entry(), Access::Personal)["attributeName"], attribute);
        }
    }
}
