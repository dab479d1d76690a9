use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{Kind, Log, clock};

/// LogEntry of the Provisioning API: the description of a fault, of a call or of a record.
///
/// No `Debug`: `attributeValue` and `message` may quote what was sent.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEntry {
    pub(crate) id: String,
    pub(crate) status_code: u16,
    message_type: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute_value: Option<Value>,
    severity_level: Severity,
    /// Spelt as Skolverket spells it.
    time_of_occurance: String,
}

#[derive(Clone, Copy, Serialize)]
enum Severity {
    Warning,
    Error,
}

impl LogEntry {
    pub(crate) fn new(
        id: &str,
        status_code: u16,
        message_type: &str,
        message: impl Into<String>,
        wall: Timestamp,
    ) -> LogEntry {
        LogEntry {
            id: id.into(),
            status_code,
            message_type: message_type.into(),
            message: message.into(),
            parameter_name: None,
            parameter_value: None,
            resource_type: None,
            resource_id: None,
            attribute_name: None,
            attribute_value: None,
            severity_level: Severity::Error,
            time_of_occurance: clock::rfc3339(wall),
        }
    }

    pub(crate) fn scripted(log: &Log, kind: Kind, record: Uuid, wall: Timestamp) -> LogEntry {
        LogEntry {
            attribute_name: log.attribute_name.clone(),
            attribute_value: log.attribute_value.clone(),
            ..LogEntry::new(&log.id, log.status_code, &log.message_type, &log.message, wall)
                .resource(kind, record)
        }
    }

    pub(crate) fn parameter(self, name: &'static str, value: impl Into<String>) -> LogEntry {
        LogEntry { parameter_name: Some(name), parameter_value: Some(value.into()), ..self }
    }

    pub(crate) fn resource_type(self, kind: Kind) -> LogEntry {
        LogEntry { resource_type: Some(kind.object_type()), ..self }
    }

    pub(crate) fn resource(self, kind: Kind, id: Uuid) -> LogEntry {
        LogEntry { resource_id: Some(id.to_string()), ..self.resource_type(kind) }
    }

    /// With the object's id in capitals.
    pub(crate) fn in_capitals(self) -> LogEntry {
        LogEntry { resource_id: self.resource_id.map(|id| id.to_uppercase()), ..self }
    }

    pub(crate) fn attribute(self, name: impl Into<String>, value: Option<Value>) -> LogEntry {
        LogEntry { attribute_name: Some(name.into()), attribute_value: value, ..self }
    }

    pub(crate) fn warning(self) -> LogEntry {
        LogEntry { severity_level: Severity::Warning, ..self }
    }
}
