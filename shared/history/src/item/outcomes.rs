//! What became of records of a batch.

use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptId, Cause, Counts};

/// How many records of a batch have a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(flatten)]
    pub cause: Cause,
    /// How many records have it; one may have several.
    pub records: u32,
}

/// Records of a batch that got their outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcomes {
    /// The outcomes of all records that have one by now.
    pub counts: Counts,
    /// The attempts whose answers gave outcomes, in order. Each answer is stored as a large item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AttemptId>,
    /// The attempt under which the issues are stored, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues: Option<AttemptId>,
    /// Why records were not simply accepted, once all have an outcome; none if this must be read from the issues,
    /// because there are more causes than are stored here, or if there are no issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causes: Option<Vec<Tally>>,
    /// The status code that accepted records have, but for those that the issues name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_status_code: Option<u16>,
}

impl Outcomes {
    /// Nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
