//! The facts of a record that are stored besides its body.

use serde::{Deserialize, Serialize};

use crate::kind::finding_code::FindingCode;
use crate::kind::personal::Personal;
use crate::kind::record::{Activity, Person};
use crate::kind::skolverket_id::{SchoolUnitCode, TestCode};

/// The role in the row of a student.
pub(crate) const STUDENT_ROLE: &str = "Elev";

/// What a record's row shows that is not in the record itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Of a person: `Elev`, or the roles of its duties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Of a duty: the person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal>,
    /// Of a person or a duty: the person's identity is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Of an activity: the test's code, where the sender gave it. The code cannot be computed from the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_code: Option<TestCode>,
    /// Of an activity: the school unit's code, where the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub school_unit_code: Option<SchoolUnitCode>,
    /// The findings about the record that did not refuse it, in the order of the codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingCode>,
}

impl Facts {
    /// The facts of an activity: its codes, which are sent as ids.
    pub(crate) fn of_activity(activity: &Activity) -> Self {
        Self {
            test_code: activity.parent_activity.code.clone(),
            school_unit_code: activity.organisation.code.clone(),
            ..Self::default()
        }
    }

    /// What a person's row shows as long as no duty of the person is known.
    pub(crate) fn of_person(person: &Person) -> Self {
        let enrolled = person.enrolments.as_ref().is_some_and(|enrolments| !enrolments.is_empty());
        let role = enrolled.then(|| STUDENT_ROLE.to_owned());
        Self { role, protected: person.is_protected(), ..Self::default() }
    }
}
