//! The form of a `POST /v1/sends` body, as data: which attributes, which are required, and by which rule.
//!
//! Attributes and types are those of Skolverket's Provisioning API 1.3.2; what is narrower than there has its rule. What
//! SS 12000:2020 has beyond that, and what Skolverket sets itself, is known here to be left out.

use crate::kind::environment::Environment;
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;
use crate::kind::vocabulary::{ActivityType, DutyRole, EmailType, GroupType, SchoolType, SecurityMarking};

/// What a value must be.
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// A name for people, of at most [`LONGEST_NAME`] characters.
    Name,
    /// A list of one EPPN.
    Eppns,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Integer { min: i64, max: i64 },
    /// A word of a vocabulary.
    OneOf(&'static [&'static str]),
    /// A record's own id.
    OwnId(RecordKind),
    /// A reference to another record.
    To(Relation),
    /// A reference to something of Skolverket's, by id or code.
    SkolverketId(Code),
    /// An object.
    Object(&'static [Attribute]),
    /// A list.
    List { of: &'static Shape, min: usize, max: Option<usize> },
    /// Whatever it is, Skolverket does not take it from senders: SS 12000 has it, or Skolverket sets it. It is left out.
    NotTaken,
}

/// What a value is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonType {
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    Object,
    List,
    /// The attribute must not be there.
    Absent,
}

/// The longest name that is stored and shown, in characters (code points in NFC).
pub(crate) const LONGEST_NAME: usize = 255;

/// The codes that may stand for an id of Skolverket's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    SchoolUnit,
    Test,
}

/// An attribute of an object.
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) rule: Option<u8>,
    pub(crate) shape: Shape,
}

impl Code {
    /// The attribute that carries it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SchoolUnit => "schoolUnitCode",
            Self::Test => "testCode",
        }
    }
}

impl Shape {
    /// Whether an attribute in it has this name, whatever its case.
    fn names(&self, name: &str) -> bool {
        match self {
            Self::Object(attributes) => attributes
                .iter()
                .any(|attribute| attribute.name.eq_ignore_ascii_case(name) || attribute.shape.names(name)),
            Self::List { of, .. } => of.names(name),
            _ => false,
        }
    }

    /// The JSON type.
    pub(crate) fn json_type(&self) -> JsonType {
        match self {
            Self::Text | Self::Name | Self::OneOf(_) | Self::OwnId(_) => JsonType::Text,
            Self::Flag => JsonType::Flag,
            Self::Integer { .. } => JsonType::Integer,
            Self::To(_) | Self::SkolverketId(_) | Self::Object(_) => JsonType::Object,
            Self::List { .. } | Self::Eppns => JsonType::List,
            Self::NotTaken => JsonType::Absent,
        }
    }
}

const fn required(name: &'static str, rule: Option<u8>, shape: Shape) -> Attribute {
    Attribute { name, required: true, rule, shape }
}

const fn optional(name: &'static str, rule: Option<u8>, shape: Shape) -> Attribute {
    Attribute { name, required: false, rule, shape }
}

const fn any_number(of: &'static Shape) -> Shape {
    Shape::List { of, min: 0, max: None }
}

const fn at_least_one(of: &'static Shape) -> Shape {
    Shape::List { of, min: 1, max: None }
}

/// An attribute that is left out (rule 17).
const fn not_taken(name: &'static str) -> Attribute {
    optional(name, Some(17), Shape::NotTaken)
}

const META: Attribute = not_taken("meta");
const PROVISIONING_STATUS: Attribute = not_taken("provisioningStatus");
const START_DATE: Attribute = not_taken("startDate");
const END_DATE: Attribute = not_taken("endDate");
/// What an object brings along that was asked for with `expand`.
const EMBEDDED: Attribute = not_taken("_embedded");
const SCHOOL_UNIT: Shape = Shape::SkolverketId(Code::SchoolUnit);

/// The whole body.
pub(crate) static SUBMISSION: &[Attribute] = &[
    required("activities", None, at_least_one(&Shape::Object(ACTIVITY))),
    required("groups", None, any_number(&Shape::Object(GROUP))),
    required("duties", None, any_number(&Shape::Object(DUTY))),
    required("persons", None, any_number(&Shape::Object(PERSON))),
    optional("options", None, Shape::Object(OPTIONS)),
];

/// Records of an earlier send, corrected.
pub(crate) static CORRECTIONS: &[Attribute] = &[
    optional("activities", None, any_number(&Shape::Object(ACTIVITY))),
    optional("groups", None, any_number(&Shape::Object(GROUP))),
    optional("duties", None, any_number(&Shape::Object(DUTY))),
    optional("persons", None, any_number(&Shape::Object(PERSON))),
];

/// A send that comes in parts, opened.
pub(crate) static UPLOAD: &[Attribute] =
    &[required("upload", None, Shape::Flag), optional("options", None, Shape::Object(OPTIONS))];

/// A send that came in parts, submitted.
pub(crate) static SUBMIT: &[Attribute] =
    &[required("parts", None, Shape::Integer { min: 1, max: MOST_PARTS })];

/// Parts of a send: 4 GB.
const MOST_PARTS: i64 = 1_000;

/// Records of a send that comes in parts.
pub(crate) static PART: &[Attribute] = &[
    required("part", None, Shape::Integer { min: 1, max: MOST_PARTS }),
    optional("activities", None, any_number(&Shape::Object(ACTIVITY))),
    optional("groups", None, any_number(&Shape::Object(GROUP))),
    optional("duties", None, any_number(&Shape::Object(DUTY))),
    optional("persons", None, any_number(&Shape::Object(PERSON))),
];

/// A kind's record.
pub(crate) fn record(kind: RecordKind) -> &'static Shape {
    match kind {
        RecordKind::Person => &Shape::Object(PERSON),
        RecordKind::Duty => &Shape::Object(DUTY),
        RecordKind::Group => &Shape::Object(GROUP),
        RecordKind::Activity => &Shape::Object(ACTIVITY),
    }
}

/// Whether an attribute of a record has this name, whatever its case.
pub(crate) fn is_an_attribute(name: &str) -> bool {
    RecordKind::ALL.into_iter().any(|kind| record(kind).names(name))
}

const OPTIONS: &[Attribute] = &[
    optional("onRecordErrors", None, Shape::OneOf(&["stop", "continue"])),
    optional("references", Some(2), Shape::OneOf(&["internal", "external"])),
    optional("environment", None, Shape::OneOf(Environment::WORDS)),
    optional("validation", None, Shape::OneOf(&["strict", "warnOnly"])),
];

const PERSON: &[Attribute] = &[
    required("id", Some(4), Shape::OwnId(RecordKind::Person)),
    required("givenName", Some(4), Shape::Name),
    optional("middleName", None, Shape::Name),
    required("familyName", Some(4), Shape::Name),
    required("eduPersonPrincipalNames", Some(4), Shape::Eppns),
    optional(
        "externalIdentifiers",
        Some(10),
        Shape::List { of: &Shape::Object(EXTERNAL_IDENTIFIER), min: 0, max: Some(1) },
    ),
    optional("securityMarking", Some(11), Shape::OneOf(SecurityMarking::WORDS)),
    required("civicNo", Some(4), Shape::Object(CIVIC_NO)),
    optional("emails", Some(8), any_number(&Shape::Object(EMAIL))),
    optional("enrolments", Some(9), any_number(&Shape::Object(ENROLMENT))),
    META,
    PROVISIONING_STATUS,
    not_taken("birthDate"),
    not_taken("sex"),
    not_taken("personStatus"),
    not_taken("phoneNumbers"),
    not_taken("addresses"),
    not_taken("photo"),
    not_taken("responsibles"),
    EMBEDDED,
];

const EXTERNAL_IDENTIFIER: &[Attribute] = &[
    required("value", Some(10), Shape::Text),
    required("context", Some(10), Shape::Text),
    optional("globallyUnique", None, Shape::Flag),
];

const CIVIC_NO: &[Attribute] =
    &[required("value", Some(4), Shape::Text), optional("nationality", Some(7), Shape::Text)];

const EMAIL: &[Attribute] =
    &[required("value", Some(8), Shape::Text), optional("type", Some(8), Shape::OneOf(EmailType::WORDS))];

const ENROLMENT: &[Attribute] = &[
    required("enroledAt", Some(3), SCHOOL_UNIT),
    optional("schoolYear", Some(9), Shape::Integer { min: 1, max: 10 }),
    required("schoolType", Some(9), Shape::OneOf(SchoolType::WORDS)),
    optional("cancelled", None, Shape::Flag),
    optional("educationCode", Some(9), Shape::Text),
    START_DATE,
    END_DATE,
    not_taken("programme"),
    not_taken("specification"),
];

const DUTY: &[Attribute] = &[
    required("id", Some(13), Shape::OwnId(RecordKind::Duty)),
    required("person", Some(13), Shape::To(Relation::DUTY_PERSON)),
    required("dutyAt", Some(13), SCHOOL_UNIT),
    required("dutyRole", Some(13), Shape::OneOf(DutyRole::WORDS)),
    META,
    PROVISIONING_STATUS,
    START_DATE,
    END_DATE,
    not_taken("assignmentRoles"),
    not_taken("description"),
    not_taken("signature"),
    not_taken("dutyPercent"),
    not_taken("hoursPerYear"),
    EMBEDDED,
];

const GROUP: &[Attribute] = &[
    required("id", Some(14), Shape::OwnId(RecordKind::Group)),
    required("displayName", Some(14), Shape::Name),
    required("groupType", Some(14), Shape::OneOf(GroupType::WORDS)),
    required("schoolType", Some(14), Shape::OneOf(SchoolType::WORDS)),
    required("organisation", Some(14), SCHOOL_UNIT),
    optional("groupMemberships", None, any_number(&Shape::Object(MEMBERSHIP))),
    META,
    PROVISIONING_STATUS,
    START_DATE,
    END_DATE,
    EMBEDDED,
];

/// Skolverket's schema lets `person` be absent, and `duty` in an assignment: a member that is nobody can only
/// be a mistake of the sender's.
const MEMBERSHIP: &[Attribute] =
    &[required("person", Some(2), Shape::To(Relation::GROUP_MEMBERS)), START_DATE, END_DATE];

const ACTIVITY: &[Attribute] = &[
    required("id", Some(15), Shape::OwnId(RecordKind::Activity)),
    required("displayName", Some(15), Shape::Name),
    required("activityType", Some(15), Shape::OneOf(ActivityType::WORDS)),
    required("groups", Some(15), at_least_one(&Shape::To(Relation::ACTIVITY_GROUPS))),
    optional("teachers", Some(15), any_number(&Shape::Object(ASSIGNMENT))),
    required("organisation", Some(15), SCHOOL_UNIT),
    required("parentActivity", Some(15), Shape::SkolverketId(Code::Test)),
    META,
    PROVISIONING_STATUS,
    START_DATE,
    END_DATE,
    not_taken("calendarEventsRequired"),
    not_taken("comment"),
    not_taken("minutesPlanned"),
    not_taken("syllabus"),
    EMBEDDED,
];

const ASSIGNMENT: &[Attribute] = &[
    required("duty", Some(2), Shape::To(Relation::ACTIVITY_TEACHERS)),
    START_DATE,
    END_DATE,
    not_taken("minutesPlanned"),
    not_taken("allocation"),
    not_taken("grader"),
];

/// What a reference may say beside the id: names for people, which SS 12000 calls expanded.
pub(crate) static REFERENCE: &[Attribute] = &[not_taken("displayName")];

/// The same of a reference to a person.
pub(crate) static PERSON_REFERENCE: &[Attribute] = &[not_taken("displayName"), not_taken("securityMarking")];

impl Shape {
    /// What a reference of this shape may hold that is left out.
    pub(crate) fn not_taken(&self) -> &'static [Attribute] {
        match self {
            Self::To(Relation { to: RecordKind::Person, .. }) => PERSON_REFERENCE,
            _ => REFERENCE,
        }
    }
}

/// Whether an attribute name in a body that is not known may be repeated: letters only, and no more than any attribute
/// has. Anything else may be a civic number, an address or a text that a faulty export put in the place of a name.
pub fn may_be_quoted(name: &str) -> bool {
    (1..=LONGEST_QUOTED).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The longest name of an attribute that is repeated without being known, in letters; SS 12000 has none that is longer.
const LONGEST_QUOTED: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    /// The relations of a shape, with the pointer to the reference at the first place of its list.
    fn relations(shape: &'static Shape, at: &str) -> Vec<(&'static Relation, String)> {
        match shape {
            Shape::To(relation) => vec![(relation, format!("{at}/id"))],
            Shape::List { of, .. } => relations(of, &format!("{at}/0")),
            Shape::Object(attributes) => attributes
                .iter()
                .flat_map(|attribute| relations(&attribute.shape, &format!("{at}/{}", attribute.name)))
                .collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn references_stand_where_the_relations_say() {
        for kind in RecordKind::ALL {
            let found = relations(record(kind), "");
            assert!(Relation::of(kind).eq(found.iter().map(|(relation, _)| **relation)), "{kind}: {found:?}");
            for (relation, at) in found {
                assert_eq!((relation.pointer(0), relation.from), (at, kind));
            }
        }
    }

    #[test]
    fn an_unknown_name_is_quoted_if_it_is_letters_only() {
        for name in ["schoolyear", "X", &"a".repeat(LONGEST_QUOTED)] {
            assert!(may_be_quoted(name), "{name}");
        }
        for other in
            ["x201502099809", "a1", "anna.andersson", "Åsa", "a b", "", &"a".repeat(LONGEST_QUOTED + 1)]
        {
            assert!(!may_be_quoted(other), "{other}");
        }
    }
}
