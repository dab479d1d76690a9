//! What Skolverket's public registers say: organisers' school units, study paths and national tests, as far as a send
//! can be held against them. Attribute names are those of the Open-data API; what it does not promise may be absent.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::kind::organisation_number::OrganisationNumber;
use crate::state::activity_summary::ActivitySummary;

mod check;
mod mention;
#[cfg(test)]
mod tests;

pub use mention::{At, Mentions};

/// Something that is registered, and is not in use any more.
const EXPIRED: &str = "Expired";
/// Something that is registered and in use.
const ACTIVE: &str = "Active";

/// An organiser with its school units.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organiser {
    /// Those that it runs, as far as they can be read; none where it was not asked for them.
    #[serde(default, deserialize_with = "readable_entries")]
    pub school_units: Option<Vec<SchoolUnit>>,
}

/// One odd entry of a list costs the others nothing.
fn readable_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<SchoolUnit>>, D::Error> {
    let entries = Option::<Vec<serde_json::Value>>::deserialize(deserializer)?;
    let readable = |entry| serde_json::from_value(entry).ok();
    Ok(entries.map(|entries| entries.into_iter().filter_map(readable).collect()))
}

/// A school unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchoolUnit {
    /// Skolverket's id of it.
    pub id: Uuid,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    school_unit_code: Option<String>,
    /// The school types that it offers.
    #[serde(default)]
    school_types: Option<Vec<OfferedType>>,
    /// `New`, `Active` or `Expired`.
    #[serde(default)]
    status: Option<String>,
    /// Whether it is in the test service.
    #[serde(default)]
    dnp_status: Option<bool>,
    /// Who runs it.
    #[serde(default)]
    parent_organisation: Option<Parent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferedType {
    #[serde(default)]
    school_type: Option<String>,
    #[serde(default)]
    school_years: Option<Vec<OfferedYear>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferedYear {
    #[serde(default)]
    school_year: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    organisation_number: String,
}

/// A study path of upper secondary school (domain rule 9).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Programme {
    /// Skolverket's id of it.
    pub id: Uuid,
    /// Before this it cannot be used.
    #[serde(default)]
    valid_from: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

/// A national test activity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NationalTest {
    /// Skolverket's id of it.
    pub id: Uuid,
    /// Its code.
    #[serde(default)]
    display_name: Option<String>,
}

/// One of the registers that a send is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Register {
    /// Organisers and school units.
    SchoolUnits,
    /// Study paths.
    Programmes,
    /// National tests.
    TestActivities,
}

/// What is known of a school unit that a send names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownUnit {
    /// It exists and belongs to the organiser, or the register does not say to whom.
    Own(Arc<SchoolUnit>),
    /// It is there and is another organiser's.
    Others(Arc<SchoolUnit>),
    /// There is no such school unit.
    Nowhere,
}

/// The registers' answers for a send, by Skolverket's ids. An id that is not here is not known: nothing is reported about it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// School units.
    pub school_units: HashMap<Uuid, KnownUnit>,
    /// Study paths; none for what is no study path.
    pub programmes: HashMap<Uuid, Option<Arc<Programme>>>,
    /// National tests; none for what is no test.
    pub tests: HashMap<Uuid, Option<Arc<NationalTest>>>,
}

impl Known {
    /// Gives activities the names of their school units, and the codes that their sender did not give.
    pub fn name(&self, activities: &mut [ActivitySummary]) {
        for activity in activities {
            let unit = &mut activity.school_unit;
            if let Some(KnownUnit::Own(known) | KnownUnit::Others(known)) = self.school_units.get(&unit.id) {
                unit.name.clone_from(&known.display_name);
                let code = known.school_unit_code.as_deref().and_then(|code| code.parse().ok());
                unit.code = unit.code.take().or(code);
            }
            let test = activity.test_activity_id.and_then(|id| self.tests.get(&id));
            if let Some(Some(known)) = test {
                let code = known.display_name.as_deref().and_then(|code| code.parse().ok());
                activity.test_code = activity.test_code.take().or(code);
            }
        }
    }
}

impl SchoolUnit {
    /// Whether somebody else than this organiser runs it.
    pub fn is_of_another(&self, organisation: &OrganisationNumber) -> bool {
        // A number in an unknown form decides neither.
        let parent = self.parent_organisation.as_ref();
        parent
            .and_then(|parent| OrganisationNumber::named_by(&parent.organisation_number))
            .is_some_and(|runs_it| runs_it != *organisation)
    }

    /// Whether it has ceased, or is not in the test service.
    fn is_out_of_use(&self) -> bool {
        self.status.as_deref() == Some(EXPIRED) || self.dnp_status == Some(false)
    }

    /// Whether it is known to offer other school types than this one.
    fn lacks_type(&self, school_type: &str) -> bool {
        let offered = self.school_types.iter().flatten();
        let mut names = offered.filter_map(|offered| offered.school_type.as_deref()).peekable();
        // A unit of adult education may stand there without its levels.
        let is_it = |name: &str| name == school_type || (name == "VUX" && school_type == "VUXGY");
        names.peek().is_some() && !names.any(is_it)
    }

    /// Whether it is known to offer other school years of this type than that one.
    fn lacks_year(&self, school_type: &str, year: u8) -> bool {
        let offered = self.school_types.iter().flatten();
        let of_type = offered.filter(|offered| offered.school_type.as_deref() == Some(school_type));
        let years = of_type.flat_map(|offered| offered.school_years.iter().flatten());
        let mut years = years.filter_map(|offered| offered.school_year).peekable();
        years.peek().is_some() && !years.any(|offered| offered == i64::from(year))
    }
}

impl Programme {
    /// Whether it cannot be used before a day that has not come yet.
    fn is_to_come(&self, now: Timestamp) -> bool {
        let from = self.valid_from.as_deref().and_then(|from| from.parse::<Timestamp>().ok());
        from.is_some_and(|from| from > now)
    }

    fn is_in_use(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == ACTIVE)
    }
}
