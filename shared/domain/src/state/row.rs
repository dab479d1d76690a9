//! The rows of the history, read back from the body of a call.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::kind::id::RecordId;
use crate::kind::record::full_name;
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;
use crate::state::facts::Facts;

/// What the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Civic numbers, EPPNs and protected persons' names are left out (scope `history:read`).
    Masked,
    /// Everything (scope `history:personal`).
    Personal,
}

/// A stored body that cannot be shown. Names no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not `{"data": […]}` with an id in every record.
    #[error("the stored body is not a batch of records")]
    NotABatch,
    /// The number of facts stored beside the body is not the number of records.
    #[error("the stored batch has {records} records and facts for {facts}")]
    FactsDiffer {
        /// How many records the body has.
        records: usize,
        /// How many facts there are.
        facts: usize,
    },
}

/// One record as a row. What is absent is `null`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Row {
    /// A row of users.
    Person(PersonRow),
    /// A row of duties.
    Duty(DutyRow),
    /// A row of groups.
    Group(GroupRow),
    /// A row of activities.
    Activity(ActivityRow),
}

/// A student or a member of staff.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
#[serde(rename_all = "camelCase")]
pub struct PersonRow {
    /// The person.
    pub id: RecordId,
    /// Full name.
    #[schemars(example = "Signe Ekhult")]
    pub name: Option<String>,
    /// `Elev`, or the roles of its duties.
    #[schemars(example = &"Elev")]
    pub role: Option<String>,
    /// Civic number.
    #[schemars(example = None::<String>)]
    pub civic_no: Option<String>,
    /// The first EPPN.
    #[schemars(example = None::<String>)]
    pub eppn: Option<String>,
    /// Of the first enrolment that is not cancelled.
    #[schemars(example = 6)]
    pub school_year: Option<u64>,
    /// Of the same enrolment.
    #[schemars(example = &"GR")]
    pub school_type: Option<String>,
    /// The person's identity is protected.
    pub protected: bool,
    /// Civic number and EPPN, and a protected person's name, are left out because the caller lacks the scope
    /// `history:personal`. They are `null` here, and not absent at the source.
    #[schemars(example = true)]
    pub masked: bool,
}

/// A duty.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Duty")]
#[serde(rename_all = "camelCase")]
pub struct DutyRow {
    /// The duty.
    pub id: RecordId,
    /// The person's full name.
    pub name: Option<String>,
    /// In which role.
    pub role: Option<String>,
    /// The person.
    pub person_id: Option<String>,
    /// Skolverket's id of the school unit.
    pub school_unit_id: Option<String>,
    /// The person's identity is protected.
    pub protected: bool,
    /// A protected person's name is left out because the caller lacks the scope `history:personal`. It is `null` here,
    /// and not absent at the source.
    pub masked: bool,
}

/// A group.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Group")]
#[serde(rename_all = "camelCase")]
pub struct GroupRow {
    /// The group.
    pub id: RecordId,
    /// Its name for people.
    pub name: Option<String>,
    /// Class or teaching group.
    pub group_type: Option<String>,
    /// What kind of school.
    pub school_type: Option<String>,
    /// Skolverket's id of the school unit.
    pub school_unit_id: Option<String>,
    /// How many members.
    pub members: usize,
}

/// An activity.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Activity")]
#[serde(rename_all = "camelCase")]
pub struct ActivityRow {
    /// The activity.
    pub id: RecordId,
    /// Its name for people.
    pub name: Option<String>,
    /// The code of the national test activity, where the sender gave that.
    pub test_code: Option<String>,
    /// Skolverket's id of the national test activity.
    pub test_activity_id: Option<String>,
    /// The school unit's code, where the sender gave that.
    pub school_unit_code: Option<String>,
    /// Skolverket's id of the school unit.
    pub school_unit_id: Option<String>,
    /// How many groups.
    pub groups: usize,
    /// How many teachers.
    pub teachers: usize,
}

/// Reads the rows of a stored body, in its order.
///
/// Reads attribute by attribute instead of through the record types: the history is stored for more than a year, and
/// must stay readable when those have changed.
///
/// # Errors
/// [`RowError`] if the body is not a batch, or the facts belong to another one.
pub fn rows(kind: RecordKind, body: &str, facts: &[Facts]) -> Result<Vec<Row>, RowError> {
    let records = data(body).ok_or(RowError::NotABatch)?;
    if records.len() != facts.len() {
        return Err(RowError::FactsDiffer { records: records.len(), facts: facts.len() });
    }
    records
        .iter()
        .zip(facts)
        .map(|(record, facts)| row(kind, record, facts).ok_or(RowError::NotABatch))
        .collect()
}

/// One record of a stored body as it was sent: personal, for those who may see everything.
pub fn sent_object(body: &str, index: usize) -> Option<Value> {
    data(body)?.into_iter().nth(index)
}

impl Row {
    /// The record.
    pub fn id(&self) -> RecordId {
        match self {
            Self::Person(row) => row.id,
            Self::Duty(row) => row.id,
            Self::Group(row) => row.id,
            Self::Activity(row) => row.id,
        }
    }

    /// The row as this caller may see it.
    #[must_use]
    pub fn shown(self, access: Access) -> Self {
        match (access, self) {
            (Access::Personal, row) => row,
            (Access::Masked, Self::Person(row)) => {
                let (name, hidden) = shown_name(row.name, row.protected);
                let masked = hidden || row.civic_no.is_some() || row.eppn.is_some();
                Self::Person(PersonRow { name, civic_no: None, eppn: None, masked, ..row })
            }
            (Access::Masked, Self::Duty(row)) => {
                let (name, masked) = shown_name(row.name, row.protected);
                Self::Duty(DutyRow { name, masked, ..row })
            }
            (Access::Masked, row @ (Self::Group(_) | Self::Activity(_))) => row,
        }
    }
}

/// A name as it is shown to those who may not see everything, and whether it was left out.
pub(crate) fn shown_name(name: Option<String>, protected: bool) -> (Option<String>, bool) {
    let hidden = protected && name.is_some();
    (name.filter(|_| !hidden), hidden)
}

fn data(body: &str) -> Option<Vec<Value>> {
    match serde_json::from_str::<Value>(body).ok()?.get_mut("data")?.take() {
        Value::Array(records) => Some(records),
        _ => None,
    }
}

fn row(kind: RecordKind, record: &Value, facts: &Facts) -> Option<Row> {
    let id = record.get("id")?.as_str()?.parse().ok()?;
    Some(match kind {
        RecordKind::Person => Row::Person(person_row(id, record, facts)),
        RecordKind::Duty => Row::Duty(DutyRow {
            id,
            name: facts.name.as_ref().map(|name| name.expose().to_owned()),
            role: text(record, "/dutyRole"),
            person_id: Relation::DUTY_PERSON.written(record).next().map(str::to_owned),
            school_unit_id: text(record, "/dutyAt/id"),
            protected: facts.protected,
            masked: false,
        }),
        RecordKind::Group => Row::Group(GroupRow {
            id,
            name: text(record, "/displayName"),
            group_type: text(record, "/groupType"),
            school_type: text(record, "/schoolType"),
            school_unit_id: text(record, "/organisation/id"),
            members: count(record, &Relation::GROUP_MEMBERS),
        }),
        RecordKind::Activity => Row::Activity(ActivityRow {
            id,
            name: text(record, "/displayName"),
            test_code: facts.test_code.as_ref().map(ToString::to_string),
            test_activity_id: text(record, "/parentActivity/id"),
            school_unit_code: facts.school_unit_code.as_ref().map(ToString::to_string),
            school_unit_id: text(record, "/organisation/id"),
            groups: count(record, &Relation::ACTIVITY_GROUPS),
            teachers: count(record, &Relation::ACTIVITY_TEACHERS),
        }),
    })
}

fn person_row(id: RecordId, record: &Value, facts: &Facts) -> PersonRow {
    let part = |pointer| record.pointer(pointer).and_then(Value::as_str);
    let name = full_name(&[part("/givenName"), part("/middleName"), part("/familyName")]);
    let enrolments = record.get("enrolments").and_then(Value::as_array);
    let current = enrolments
        .into_iter()
        .flatten()
        .find(|enrolment| enrolment.get("cancelled").and_then(Value::as_bool) != Some(true));
    // Anything but a plain "Ingen" protects, a word that is not known here too.
    let marked = record.get("securityMarking").is_some_and(|marking| marking != "Ingen");
    PersonRow {
        id,
        name: (!name.is_empty()).then_some(name),
        role: facts.role.clone(),
        civic_no: text(record, "/civicNo/value"),
        eppn: text(record, "/eduPersonPrincipalNames/0"),
        school_year: current.and_then(|enrolment| enrolment.get("schoolYear")).and_then(Value::as_u64),
        school_type: current.and_then(|enrolment| text(enrolment, "/schoolType")),
        protected: marked || facts.protected,
        masked: false,
    }
}

fn text(record: &Value, pointer: &str) -> Option<String> {
    record.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// How many different records a record refers to. What was stored before nobody was sent twice may name
/// somebody twice.
fn count(record: &Value, relation: &Relation) -> usize {
    relation.written(record).collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests;
