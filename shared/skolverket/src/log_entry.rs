//! Skolverket's messages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use stafett_domain::RecordId;

use crate::tolerant::{Members, is_null, list, text};

/// A message from Skolverket about a call or a record. Its texts may quote personal data, so the type has no `Debug`.
///
/// `Deserialize` is for entries that were parsed earlier and stored. [`log_entries`] and
/// [`JobAnswer`](crate::JobAnswer) parse answers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The type of message, such as 2011. Different causes may share a number.
    #[serde(default)]
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// The category, such as "Ogiltigt format".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    #[serde(default)]
    pub message: String,
    /// The call parameter with the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The attribute with the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute_name: Option<String>,
    /// The attribute's value, of any JSON type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute_value: Option<Value>,
    /// `Warning` or `Error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_level: Option<String>,
}

impl LogEntry {
    /// Parses a message. A value that is not an object becomes the message's text. Null returns `None`.
    fn read(value: &RawValue) -> Option<Self> {
        let Some(members) = Members::of(value.get()) else {
            return Some(Self { message: text(value)?, ..Self::empty() });
        };
        let any = |value: &RawValue| {
            serde_json::from_str(value.get()).unwrap_or_else(|_| Value::String(value.get().to_owned()))
        };
        Some(Self {
            id: members.text("id").unwrap_or_default(),
            status_code: members.status_code("statusCode"),
            message_type: members.text("messageType"),
            message: members.text("message").unwrap_or_default(),
            parameter_name: members.text("parameterName"),
            resource_type: members.text("resourceType"),
            resource_id: members.text("resourceId"),
            attribute_name: members.text("attributeName"),
            attribute_value: members.get("attributeValue").filter(|value| !is_null(value)).map(any),
            severity_level: members.text("severityLevel").map(severity),
        })
    }

    fn empty() -> Self {
        Self {
            id: String::new(),
            status_code: None,
            message_type: None,
            message: String::new(),
            parameter_name: None,
            resource_type: None,
            resource_id: None,
            attribute_name: None,
            attribute_value: None,
            severity_level: None,
        }
    }

    /// Whether the message names this record. Ids are compared without regard to case.
    pub fn is_about(&self, record: RecordId) -> bool {
        self.resource_id.as_deref().and_then(|id| id.trim().parse().ok()) == Some(record)
    }
}

/// Normalises the case of the known words.
fn severity(word: String) -> String {
    let known = ["Error", "Warning"].into_iter().find(|known| known.eq_ignore_ascii_case(word.trim()));
    known.map_or(word, str::to_owned)
}

/// Returns the messages in a value that should be a list. A single message counts as a list of one.
pub(crate) fn messages(value: &RawValue) -> Vec<LogEntry> {
    match list(value) {
        Some(entries) => entries.into_iter().filter_map(LogEntry::read).collect(),
        None => LogEntry::read(value).into_iter().collect(),
    }
}

/// Returns the messages in the body of a refused call. A body that is not JSON, such as a gateway's page, has none.
pub fn log_entries(body: &str) -> Vec<LogEntry> {
    serde_json::from_str::<&RawValue>(body).map(messages).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> LogEntry {
        let [entry] = log_entries(value).try_into().ok().unwrap();
        entry
    }

    #[test]
    fn what_cannot_be_read_of_a_message_is_shown_as_it_came() {
        let entry = read(
            r#"[{"id": 2011, "statusCode": "400", "message": null, "attributeName": ["a", "b"],
                "resourceId": 17, "severityLevel": "ERROR", "attributeValue": 0, "messageType": "Ogiltigt format"}]"#,
        );
        assert_eq!((entry.id.as_str(), entry.status_code, entry.message.as_str()), ("2011", Some(400), ""));
        assert_eq!(entry.attribute_name.as_deref(), Some(r#"["a", "b"]"#));
        assert_eq!(entry.resource_id.as_deref(), Some("17"));
        assert_eq!(entry.severity_level.as_deref(), Some("Error"));
        assert_eq!(entry.attribute_value, Some(Value::from(0)));
        assert_eq!(read(r#"[{"message": 12, "severityLevel": "Fatal"}]"#).message, "12");
    }

    #[test]
    fn messages_need_not_be_a_list_of_objects() {
        assert_eq!(read(r#"{"id": "2011"}"#).id, "2011");
        assert_eq!(read(r#"["a text"]"#).message, "a text");
        assert_eq!(read(r#""a text""#).message, "a text");
        assert_eq!(log_entries("[null]").len() + log_entries("null").len() + log_entries("<html>").len(), 0);
    }

    #[test]
    fn a_record_is_named_in_any_letter_case() {
        let record: RecordId = "3fa85f64-5717-4562-b3fc-2c963f66afa6".parse().unwrap();
        for (id, named) in [
            (r#""3fa85f64-5717-4562-b3fc-2c963f66afa6""#, true),
            (r#""3FA85F64-5717-4562-B3FC-2C963F66AFA6 ""#, true),
            (r#""3fa85f64-5717-4562-b3fc-2c963f66afa7""#, false),
            ("17", false),
            ("null", false),
        ] {
            assert_eq!(read(&format!(r#"[{{"resourceId": {id}}}]"#)).is_about(record), named, "{id}");
        }
    }
}
