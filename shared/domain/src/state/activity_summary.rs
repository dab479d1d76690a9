//! A test activity of a send, as a list of activities shows it.

use std::collections::HashSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::id::RecordId;
use crate::kind::record::Activity;
use crate::kind::skolverket_id::{SchoolUnitCode, TestCode};
use crate::state::facts::Facts;

/// A test activity in the list that the admin sees.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivitySummary {
    /// The activity.
    pub id: RecordId,
    /// Its name for people.
    #[schemars(example = "Prov Matematik")]
    pub display_name: String,
    /// The code of the national test activity, where the sender gave it.
    #[schemars(example = &"GRGRMAT01_6")]
    pub test_code: Option<TestCode>,
    /// Skolverket's id of the national test activity; null for sends that were stored before this field existed.
    #[serde(default)]
    pub test_activity_id: Option<Uuid>,
    /// At which school unit.
    pub school_unit: SchoolUnitSummary,
    /// How many groups.
    #[schemars(example = 1)]
    pub groups: usize,
    /// How many different students in them; none where a group is not in the send, so that nobody knows.
    #[schemars(example = 3)]
    pub students: Option<usize>,
    /// How many duties teach in it.
    #[schemars(example = 1)]
    pub teachers: usize,
    /// How many findings it has, and what it is made of: its groups, their members, its duties, and their persons. None
    /// in what was stored before they were counted.
    #[serde(default)]
    pub finding_count: Option<u32>,
}

/// A school unit in the list that the admin sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SchoolUnit")]
pub struct SchoolUnitSummary {
    /// Skolverket's id.
    pub id: Uuid,
    /// Its code, where the sender gave it.
    #[schemars(example = "31279295")]
    pub code: Option<SchoolUnitCode>,
    /// As in Skolverket's register of school units; none where it is not known.
    #[schemars(example = &"Testskolan")]
    pub name: Option<String>,
}

impl ActivitySummary {
    /// `facts`: those of the activity. `students`: how many different ones are in its groups, where that is known.
    pub(crate) fn of(activity: &Activity, facts: &Facts, students: Option<usize>) -> Self {
        let groups: HashSet<RecordId> = activity.groups().collect();
        let teachers: HashSet<RecordId> = activity.duties().collect();
        Self {
            id: activity.id,
            display_name: activity.display_name.clone(),
            test_code: facts.test_code.clone(),
            test_activity_id: Some(activity.parent_activity.id),
            school_unit: SchoolUnitSummary {
                id: activity.organisation.id,
                code: facts.school_unit_code.clone(),
                name: None,
            },
            groups: groups.len(),
            students,
            teachers: teachers.len(),
            finding_count: None,
        }
    }
}

impl fmt::Debug for ActivitySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivitySummary({})", self.id)
    }
}
