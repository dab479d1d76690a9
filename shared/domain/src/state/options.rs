//! What the sender of a send chose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::environment::Environment;

/// What the sender may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SendOptions")]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// What becomes of the stages after one with refused records.
    #[serde(default)]
    pub on_record_errors: OnRecordErrors,
    /// Where the records are that others refer to.
    #[serde(default)]
    pub references: References,
    /// Where the send goes. A sender who names none leaves it to the organiser's settings; a stored send has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(!skip_serializing_if, with = "Environment")]
    pub environment: Option<Environment>,
    /// What becomes of a send with errors that Skolverket might yet take.
    #[serde(default)]
    pub validation: Validation,
}

/// Where the records are that others refer to (domain rule 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "Where the records are that others refer to.")]
pub enum References {
    /// All in the same send.
    #[default]
    Internal,
    /// Also at Skolverket already, from an earlier send.
    External,
}

/// What becomes of the stages after one in which Skolverket refused records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnRecordErrors {
    /// They do not start.
    #[default]
    Stop,
    /// They go without what depends on refused records.
    Continue,
}

/// What the sender wants done about errors that are not binding (see `FindingCode::is_binding`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    rename = "ValidationMode",
    description = "What the sender wants done about errors that are not binding."
)]
#[serde(rename_all = "camelCase")]
pub enum Validation {
    /// They refuse the send.
    #[default]
    Strict,
    /// They are stored with the send, which is accepted: Skolverket decides.
    WarnOnly,
}
