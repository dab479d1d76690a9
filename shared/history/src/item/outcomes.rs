//! The outcomes of a batch's records.

use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptId, Cause, Counts};

/// The number of records of a batch with a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(flatten)]
    pub cause: Cause,
    /// The number of records with this cause. A record may have several causes.
    pub records: u32,
}

/// The records of a batch that have an outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcomes {
    /// The outcomes of all records that have one so far.
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
    /// The status code of accepted records, except for records in the issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_status_code: Option<u16>,
}

impl Outcomes {
    /// Whether nothing is known yet.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
