//! Why records were not simply accepted, in a form that lets records with the same cause be grouped.

use serde::{Deserialize, Serialize};

use crate::kind::finding_code::Severity;
use crate::state::outcome::Outcome;

/// What a cause weighs: an error where records were not accepted, or nobody knows whether they were; a warning where
/// they were, but something should be fixed.
pub(crate) fn weight(outcome: Outcome) -> Severity {
    match outcome {
        Outcome::Success | Outcome::Warning => Severity::Warning,
        Outcome::Error | Outcome::Skipped | Outcome::NotSent | Outcome::Unknown | Outcome::Pending => {
            Severity::Error
        }
    }
}

/// A cause, without anything that differs between the records that share it. It holds names and categories only, no
/// value and no text of Skolverket's, so it may stand where personal data may not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// What became of the records.
    pub outcome: Outcome,
    /// What it weighs.
    pub severity: Severity,
    /// The number of Skolverket's message, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The attribute that the message names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The message's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// It is that other records were not accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dependency: bool,
    /// It is that Skolverket gave the record a status that is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_status: bool,
}

impl Cause {
    /// Records about which Skolverket sent no message.
    pub fn outcome(outcome: Outcome) -> Self {
        Self {
            outcome,
            severity: weight(outcome),
            id: None,
            attribute: None,
            message_type: None,
            dependency: false,
            unknown_status: false,
        }
    }

    /// Records to which Skolverket gave a status that is not known.
    pub fn unknown_status() -> Self {
        Self { unknown_status: true, ..Self::outcome(Outcome::Unknown) }
    }

    /// Records that went without others which were not accepted, or did not go because of them.
    pub fn dependency(outcome: Outcome) -> Self {
        Self { dependency: true, ..Self::outcome(outcome) }
    }
}
