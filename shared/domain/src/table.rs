//! The form of a `POST /v1/sends` body, as data: which attributes, which are required, and by which rule.
//!
//! Attributes and types are those of Skolverket's Provisioning API 1.3.2 less what Skolverket sets itself;
//! what is narrower than there has its rule.

use crate::environment::Environment;
use crate::stage::StageName;
use crate::vocabulary::{ActivityType, DutyRole, EmailType, GroupType, SchoolType, SecurityMarking};

/// What a value must be.
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Integer { min: i64, max: i64 },
    /// A word of a vocabulary.
    OneOf(&'static [&'static str]),
    /// A record's own id.
    OwnId(StageName),
    /// A reference to a record that this stage carries.
    To(StageName),
    /// A reference to something of Skolverket's, by id or code.
    SkolverketId(Code),
    /// An object.
    Object(&'static [Attribute]),
    /// A list.
    List { of: &'static Shape, min: usize, max: Option<usize> },
    /// Not the sender's to give.
    SetBySkolverket,
}

/// The codes that may stand for an id of Skolverket's.
#[derive(Clone, Copy)]
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

    /// The JSON type, in English and Swedish.
    pub(crate) fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Text | Self::OneOf(_) | Self::OwnId(_) => ("a text", "en text"),
            Self::Flag => ("true or false", "true eller false"),
            Self::Integer { .. } => ("a whole number", "ett heltal"),
            Self::To(_) | Self::SkolverketId(_) | Self::Object(_) => ("an object", "ett objekt"),
            Self::List { .. } => ("a list", "en lista"),
            Self::SetBySkolverket => ("absent", "utelämnat"),
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

const META: Attribute = optional("meta", None, Shape::SetBySkolverket);
const PROVISIONING_STATUS: Attribute = optional("provisioningStatus", None, Shape::SetBySkolverket);
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

/// A stage's record.
pub(crate) fn record(stage: StageName) -> &'static Shape {
    match stage {
        StageName::Users => &Shape::Object(PERSON),
        StageName::Duties => &Shape::Object(DUTY),
        StageName::Groups => &Shape::Object(GROUP),
        StageName::Activities => &Shape::Object(ACTIVITY),
    }
}

/// Whether an attribute of a record has this name, whatever its case.
pub(crate) fn is_an_attribute(name: &str) -> bool {
    StageName::ORDER.into_iter().any(|stage| record(stage).names(name))
}

const OPTIONS: &[Attribute] = &[
    optional("onRecordErrors", None, Shape::OneOf(&["stop", "continue"])),
    optional("references", Some(2), Shape::OneOf(&["internal", "external"])),
    optional("environment", None, Shape::OneOf(Environment::WORDS)),
    optional("validation", None, Shape::OneOf(&["strict", "warnOnly"])),
];

const PERSON: &[Attribute] = &[
    required("id", Some(4), Shape::OwnId(StageName::Users)),
    required("givenName", Some(4), Shape::Text),
    optional("middleName", None, Shape::Text),
    required("familyName", Some(4), Shape::Text),
    required("eduPersonPrincipalNames", Some(4), Shape::List { of: &Shape::Text, min: 1, max: Some(1) }),
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
];

const DUTY: &[Attribute] = &[
    required("id", Some(13), Shape::OwnId(StageName::Duties)),
    required("person", Some(13), Shape::To(StageName::Users)),
    required("dutyAt", Some(13), SCHOOL_UNIT),
    required("dutyRole", Some(13), Shape::OneOf(DutyRole::WORDS)),
    META,
    PROVISIONING_STATUS,
];

const GROUP: &[Attribute] = &[
    required("id", Some(14), Shape::OwnId(StageName::Groups)),
    required("displayName", Some(14), Shape::Text),
    required("groupType", Some(14), Shape::OneOf(GroupType::WORDS)),
    required("schoolType", Some(14), Shape::OneOf(SchoolType::WORDS)),
    required("organisation", Some(14), SCHOOL_UNIT),
    optional("groupMemberships", None, any_number(&Shape::Object(MEMBERSHIP))),
    META,
    PROVISIONING_STATUS,
];

/// Skolverket's schema lets `person` be absent, and `duty` in an assignment: a member that is nobody can only
/// be a mistake of the sender's.
const MEMBERSHIP: &[Attribute] = &[required("person", Some(2), Shape::To(StageName::Users))];

const ACTIVITY: &[Attribute] = &[
    required("id", Some(15), Shape::OwnId(StageName::Activities)),
    required("displayName", Some(15), Shape::Text),
    required("activityType", Some(15), Shape::OneOf(ActivityType::WORDS)),
    required("groups", Some(15), at_least_one(&Shape::To(StageName::Groups))),
    optional("teachers", Some(15), any_number(&Shape::Object(ASSIGNMENT))),
    required("organisation", Some(15), SCHOOL_UNIT),
    required("parentActivity", Some(15), Shape::SkolverketId(Code::Test)),
    META,
    PROVISIONING_STATUS,
];

const ASSIGNMENT: &[Attribute] = &[required("duty", Some(2), Shape::To(StageName::Duties))];
