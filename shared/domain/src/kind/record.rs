//! SS 12000 records as Skolverket's Provisioning API takes them.
//!
//! Attribute names are those of the wire. What is absent stays absent: nothing is added, and nothing becomes
//! `null`. `meta` and `provisioningStatus` are Skolverket's to set and therefore not here.

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kind::characters;
use crate::kind::id::RecordId;
use crate::kind::personal::Personal;
use crate::kind::record_kind::RecordKind;
use crate::kind::reference::{RecordRef, SchoolUnitRef, TestRef};
use crate::kind::vocabulary::{ActivityType, DutyRole, EmailType, GroupType, SchoolType, SecurityMarking};

/// The common interface of the four kinds of record.
pub trait Record: Serialize + DeserializeOwned {
    /// Which kind it is.
    const KIND: RecordKind;

    /// The record's id.
    fn id(&self) -> RecordId;

    /// The records of another kind that it refers to, in the order given.
    fn referred(&self, to: RecordKind) -> Vec<RecordId>;

    /// The record as it is sent, where that is not as it was given: a record that is named twice is named once.
    fn named_once(&self) -> Option<Self>;
}

macro_rules! record {
    ($name:ident, $referred:expr, $named_once:expr) => {
        impl Record for $name {
            const KIND: RecordKind = RecordKind::$name;

            fn id(&self) -> RecordId {
                self.id
            }

            fn referred(&self, to: RecordKind) -> Vec<RecordId> {
                let referred: fn(&Self, RecordKind) -> Vec<RecordId> = $referred;
                referred(self, to)
            }

            fn named_once(&self) -> Option<Self> {
                let named_once: fn(&Self) -> Option<Self> = $named_once;
                named_once(self)
            }
        }

        /// Type and id only: a record's values are nobody's business in a log.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.id)
            }
        }
    };
}

record!(Person, |_, _| Vec::new(), |_| None);
record!(
    Duty,
    |duty, to| match to {
        RecordKind::Person => vec![duty.person.id],
        RecordKind::Duty | RecordKind::Group | RecordKind::Activity => Vec::new(),
    },
    |_| None
);
record!(
    Group,
    |group, to| match to {
        RecordKind::Person => group.members().collect(),
        RecordKind::Duty | RecordKind::Group | RecordKind::Activity => Vec::new(),
    },
    |group| {
        let members = once(group.group_memberships.as_deref()?, |membership| membership.person.id)?;
        Some(Group { group_memberships: Some(members), ..group.clone() })
    }
);
record!(
    Activity,
    |activity, to| match to {
        RecordKind::Group => activity.groups().collect(),
        RecordKind::Duty => activity.duties().collect(),
        RecordKind::Person | RecordKind::Activity => Vec::new(),
    },
    |activity| {
        let groups = once(&activity.groups, |group| group.id);
        let teachers =
            activity.teachers.as_deref().and_then(|teachers| once(teachers, |teacher| teacher.duty.id));
        if groups.is_none() && teachers.is_none() {
            return None;
        }
        let mut named_once = activity.clone();
        if let Some(groups) = groups {
            named_once.groups = groups;
        }
        named_once.teachers = teachers.or(named_once.teachers);
        Some(named_once)
    }
);

/// The first of each that name the same; none where all name different ones.
fn once<T: Clone>(entries: &[T], id: impl Fn(&T) -> RecordId) -> Option<Vec<T>> {
    let mut named = HashSet::new();
    let once: Vec<T> = entries.iter().filter(|entry| named.insert(id(entry))).cloned().collect();
    (once.len() < entries.len()).then_some(once)
}

/// A student or a member of staff.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The person's id, stable over time.
    pub id: RecordId,
    /// First names.
    pub given_name: Personal,
    /// Middle name, as the tax agency has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<Personal>,
    pub family_name: Personal,
    /// Exactly one EPPN (domain rule 4).
    pub edu_person_principal_names: Vec<Personal>,
    /// At most one; staff with eduID only (domain rule 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_identifiers: Option<Vec<ExternalIdentifier>>,
    /// Protected identity; absent is as `Ingen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_marking: Option<SecurityMarking>,
    /// Personal, coordination or temporary number (domain rule 7).
    pub civic_no: CivicNo,
    /// E-mail addresses; staff need one (domain rule 8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<Email>>,
    /// Where the person goes to school.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolments: Option<Vec<Enrolment>>,
}

impl Person {
    /// Given, middle and family name, with a space between.
    pub fn full_name(&self) -> Personal {
        let middle = self.middle_name.as_ref().map(Personal::expose);
        let parts = [Some(self.given_name.expose()), middle, Some(self.family_name.expose())];
        full_name(&parts).into()
    }

    /// Whether the person's identity is protected (domain rule 11).
    pub fn is_protected(&self) -> bool {
        self.security_marking.is_some_and(|marking| marking != SecurityMarking::Ingen)
    }
}

/// The parts of a name that are there, with a space between.
pub(crate) fn full_name(parts: &[Option<&str>]) -> String {
    parts.iter().flatten().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// A person's identifier at eduID.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalIdentifier {
    /// The EPPN there.
    pub value: Personal,
    /// Whose identifier it is: `https://eduid.se` (domain rule 10).
    pub context: String,
    /// Whether no other person in the world has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub globally_unique: Option<bool>,
}

/// A civic number.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CivicNo {
    /// 12 characters, no separators (domain rule 7).
    pub value: Personal,
    /// The country that issued it, ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
}

/// An e-mail address.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// The address.
    pub value: Personal,
    /// What it is for.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EmailType>,
}

/// A student's place at a school.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// The school unit. Spelt as on the wire.
    pub enroled_at: SchoolUnitRef,
    /// 1–10 (domain rule 9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub school_year: Option<u8>,
    /// What kind of school.
    pub school_type: SchoolType,
    /// Ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<bool>,
    /// Study path, for GY (domain rule 9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub education_code: Option<String>,
}

impl Enrolment {
    /// Whether it was not cancelled. A cancelled enrolment is ignored by all rules.
    pub(crate) fn is_current(&self) -> bool {
        self.cancelled != Some(true)
    }

    /// The study path's code, if one is given: a blank one is none.
    pub(crate) fn study_path(&self) -> Option<&str> {
        self.education_code.as_deref().filter(|code| !characters::is_blank(code))
    }
}

/// Who works where, in which role (domain rule 13).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duty {
    /// The duty's id.
    pub id: RecordId,
    pub person: RecordRef,
    /// At which school unit.
    pub duty_at: SchoolUnitRef,
    /// In which role.
    pub duty_role: DutyRole,
}

/// A class or a teaching group (domain rule 14).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The group's id.
    pub id: RecordId,
    /// Its name for people.
    pub display_name: String,
    /// Class or teaching group.
    pub group_type: GroupType,
    /// What kind of school.
    pub school_type: SchoolType,
    /// The school unit.
    pub organisation: SchoolUnitRef,
    /// Its students.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_memberships: Option<Vec<GroupMembership>>,
}

impl Group {
    /// The members, in the order given.
    pub fn members(&self) -> impl Iterator<Item = RecordId> {
        self.group_memberships.iter().flatten().map(|membership| membership.person.id)
    }
}

/// One student of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupMembership {
    /// The student.
    pub person: RecordRef,
}

/// Ties groups and teachers to a national test (domain rules 15 and 16).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// The activity's id.
    pub id: RecordId,
    /// Its name for people.
    pub display_name: String,
    /// Always teaching.
    pub activity_type: ActivityType,
    /// At least one group.
    pub groups: Vec<RecordRef>,
    /// Duties, not persons: each can see the results of every student in all the groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teachers: Option<Vec<DutyAssignment>>,
    /// The school unit.
    pub organisation: SchoolUnitRef,
    /// The national test activity.
    pub parent_activity: TestRef,
}

impl Activity {
    /// The groups, in the order given.
    pub fn groups(&self) -> impl Iterator<Item = RecordId> {
        self.groups.iter().map(|group| group.id)
    }

    /// The teachers' duties, in the order given.
    pub fn duties(&self) -> impl Iterator<Item = RecordId> {
        self.teachers.iter().flatten().map(|teacher| teacher.duty.id)
    }
}

/// One teacher of an activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DutyAssignment {
    /// The teacher's duty.
    pub duty: RecordRef,
}
