//! The four kinds of record as Skolverket's schema has them (Provisioning API 1.3.2), with the narrower value lists
//! that its text asks for: Klass and Undervisning, one EPPN, SE, eduID.

use serde_json::Value;
use uuid::Uuid;

use crate::Kind;

/// The shape that a value must have.
enum Shape {
    Id,
    Text,
    Boolean,
    /// A whole number between the two, both included.
    Integer(i64, i64),
    Code(&'static [&'static str]),
    /// The title stands before the attribute's name in LogEntry.attributeName, as in `Enrolment.schoolYear`; without
    /// one it is the path.
    Object(Option<&'static str>, &'static [Attribute]),
    /// Between so many and so many of the same.
    List(&'static Shape, usize, usize),
    /// In the schema, but not for the caller to send.
    ReadOnly,
}

struct Attribute {
    name: &'static str,
    required: bool,
    shape: Shape,
}

const fn required(name: &'static str, shape: Shape) -> Attribute {
    Attribute { name, required: true, shape }
}

const fn optional(name: &'static str, shape: Shape) -> Attribute {
    Attribute { name, required: false, shape }
}

const ANY: usize = usize::MAX;
const SCHOOL_TYPES: Shape = Shape::Code(&["GR", "SP", "SAM", "GY", "VUXGY"]);
const REFERENCE: Shape = Shape::Object(None, &[required("id", Shape::Id)]);

const CIVIC_NUMBER: &[Attribute] =
    &[required("value", Shape::Text), optional("nationality", Shape::Code(&["SE"]))];

const EMAIL: Shape = Shape::Object(
    Some("Email"),
    &[
        required("value", Shape::Text),
        optional("type", Shape::Code(&["Privat", "Skola elev", "Skola personal", "Arbete övrigt"])),
    ],
);

const EXTERNAL_IDENTIFIER: Shape = Shape::Object(
    Some("ExternalIdentifier"),
    &[
        required("value", Shape::Text),
        required("context", Shape::Code(&["https://eduid.se"])),
        optional("globallyUnique", Shape::Boolean),
    ],
);

const ENROLMENT: Shape = Shape::Object(
    Some("Enrolment"),
    &[
        required("enroledAt", REFERENCE),
        required("schoolType", SCHOOL_TYPES),
        optional("schoolYear", Shape::Integer(1, 10)),
        optional("cancelled", Shape::Boolean),
        optional("educationCode", Shape::Text),
    ],
);

const PERSON: &[Attribute] = &[
    required("id", Shape::Id),
    required("civicNo", Shape::Object(Some("CivicNo"), CIVIC_NUMBER)),
    required("givenName", Shape::Text),
    optional("middleName", Shape::Text),
    required("familyName", Shape::Text),
    required("eduPersonPrincipalNames", Shape::List(&Shape::Text, 1, 1)),
    optional("externalIdentifiers", Shape::List(&EXTERNAL_IDENTIFIER, 0, 1)),
    optional("securityMarking", Shape::Code(&["Ingen", "Sekretessmarkering", "Skyddad folkbokföring"])),
    optional("emails", Shape::List(&EMAIL, 0, ANY)),
    optional("enrolments", Shape::List(&ENROLMENT, 0, ANY)),
    optional("meta", Shape::ReadOnly),
    optional("provisioningStatus", Shape::ReadOnly),
];

const DUTY_ROLES: &[&str] = &[
    "Rektor",
    "Lärare",
    "Förskollärare",
    "Barnskötare",
    "Bibliotekarie",
    "Lärarassistent",
    "Fritidspedagog",
    "Annan personal",
    "Studie- och yrkesvägledare",
    "Förstelärare",
    "Kurator",
    "Skolsköterska",
    "Skolläkare",
    "Skolpsykolog",
    "Speciallärare/specialpedagog",
    "Skoladministratör",
    "Övrig arbetsledning",
];

const DUTY: &[Attribute] = &[
    required("id", Shape::Id),
    required("person", REFERENCE),
    required("dutyAt", REFERENCE),
    required("dutyRole", Shape::Code(DUTY_ROLES)),
    optional("meta", Shape::ReadOnly),
    optional("provisioningStatus", Shape::ReadOnly),
];

const MEMBERSHIP: Shape = Shape::Object(Some("GroupMembership"), &[required("person", REFERENCE)]);

const GROUP: &[Attribute] = &[
    required("id", Shape::Id),
    required("displayName", Shape::Text),
    required("groupType", Shape::Code(&["Klass", "Undervisning"])),
    required("schoolType", SCHOOL_TYPES),
    required("organisation", REFERENCE),
    optional("groupMemberships", Shape::List(&MEMBERSHIP, 0, ANY)),
    optional("meta", Shape::ReadOnly),
    optional("provisioningStatus", Shape::ReadOnly),
];

const TEACHER: Shape = Shape::Object(Some("DutyAssignment"), &[required("duty", REFERENCE)]);

const ACTIVITY: &[Attribute] = &[
    required("id", Shape::Id),
    required("displayName", Shape::Text),
    required("activityType", Shape::Code(&["Undervisning"])),
    required("groups", Shape::List(&REFERENCE, 1, ANY)),
    optional("teachers", Shape::List(&TEACHER, 0, ANY)),
    required("organisation", REFERENCE),
    required("parentActivity", REFERENCE),
    optional("meta", Shape::ReadOnly),
    optional("provisioningStatus", Shape::ReadOnly),
];

/// Where a record is not as the schema has it.
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// With brackets for lists, as in `enrolments[].schoolYear`: for the judge.
    pub(crate) path: String,
    /// As LogEntry.attributeName has it, as in `Enrolment.schoolYear`.
    pub(crate) attribute: String,
    /// What stood there, if it was no object or list: quoted to the caller, as Skolverket does.
    pub(crate) value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Not in the schema.
    Unknown,
    /// In the schema, but not to be sent.
    ReadOnly,
    /// Required, and not there.
    Missing,
    /// Of another type, not in the list of values, or too many or few.
    Malformed,
}

/// All faults of a record.
pub(crate) fn faults(kind: Kind, record: &Value) -> Vec<Fault> {
    let attributes = match kind {
        Kind::Persons => PERSON,
        Kind::Duties => DUTY,
        Kind::Groups => GROUP,
        Kind::Activities => ACTIVITY,
    };
    let mut faults = Vec::new();
    compare(&Shape::Object(None, attributes), record, &Place::default(), &mut faults);
    faults
}

/// A UUID with hyphens: `Uuid` would read other forms too.
pub(crate) fn id(value: &Value) -> Option<Uuid> {
    let text = value.as_str().filter(|text| text.len() == 36)?;
    Uuid::try_parse(text).ok()
}

#[derive(Clone, Default)]
struct Place {
    path: String,
    attribute: String,
}

impl Place {
    fn attribute(&self, title: Option<&str>, name: &str) -> Place {
        let join =
            |before: &str| if before.is_empty() { name.to_owned() } else { format!("{before}.{name}") };
        Place { path: join(&self.path), attribute: join(title.unwrap_or(&self.attribute)) }
    }

    fn item(&self) -> Place {
        Place { path: format!("{}[]", self.path), attribute: self.attribute.clone() }
    }

    fn fault(self, kind: FaultKind, value: Option<&Value>) -> Fault {
        let value = value.filter(|value| !value.is_object() && !value.is_array()).cloned();
        Fault { kind, path: self.path, attribute: self.attribute, value }
    }
}

fn compare(shape: &Shape, value: &Value, place: &Place, faults: &mut Vec<Fault>) {
    let fits = match shape {
        Shape::Id => id(value).is_some(),
        Shape::Text => value.is_string(),
        Shape::Boolean => value.is_boolean(),
        Shape::Integer(least, most) => {
            value.as_i64().is_some_and(|number| (*least..=*most).contains(&number))
        }
        Shape::Code(codes) => value.as_str().is_some_and(|text| codes.contains(&text)),
        Shape::Object(title, attributes) => match value.as_object() {
            None => false,
            Some(object) => {
                for (name, value) in object {
                    let place = place.attribute(*title, name);
                    match attributes.iter().find(|attribute| attribute.name == name) {
                        None => faults.push(place.fault(FaultKind::Unknown, None)),
                        Some(Attribute { shape: Shape::ReadOnly, .. }) => {
                            faults.push(place.fault(FaultKind::ReadOnly, None));
                        }
                        Some(attribute) => compare(&attribute.shape, value, &place, faults),
                    }
                }
                for attribute in attributes.iter().filter(|attribute| attribute.required) {
                    if !object.contains_key(attribute.name) {
                        faults.push(place.attribute(*title, attribute.name).fault(FaultKind::Missing, None));
                    }
                }
                true
            }
        },
        Shape::List(item, least, most) => match value.as_array() {
            None => false,
            Some(items) => {
                for value in items {
                    compare(item, value, &place.item(), faults);
                }
                (*least..=*most).contains(&items.len())
            }
        },
        // Met as an attribute above, and nowhere else.
        Shape::ReadOnly => false,
    };
    if !fits {
        faults.push(place.clone().fault(FaultKind::Malformed, Some(value)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::sample;

    fn found(kind: Kind, record: &Value) -> Vec<(FaultKind, String, String)> {
        faults(kind, record).into_iter().map(|fault| (fault.kind, fault.path, fault.attribute)).collect()
    }

    fn fault(kind: FaultKind, path: &str, attribute: &str) -> (FaultKind, String, String) {
        (kind, path.into(), attribute.into())
    }

    #[test]
    fn good_records_have_no_faults() {
        let (person, duty, group) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        assert_eq!(found(Kind::Persons, &sample::person(person)), []);
        assert_eq!(found(Kind::Duties, &sample::duty(duty, person)), []);
        assert_eq!(found(Kind::Groups, &sample::group(group, &[person])), []);
        assert_eq!(found(Kind::Activities, &sample::activity(Uuid::new_v4(), &[group], &[duty])), []);
    }

    #[test]
    fn unknown_and_read_only_attributes_are_found_at_any_depth() {
        let mut person = sample::person(Uuid::new_v4());
        person["shoeSize"] = json!(38);
        person["meta"] = json!({});
        person["provisioningStatus"] = json!(true);
        person["civicNo"]["country"] = json!("SE");
        person["enrolments"][0]["enroledAt"]["displayName"] = json!("x");
        let found = found(Kind::Persons, &person);
        assert_eq!(found.len(), 5);
        for expected in [
            fault(FaultKind::Unknown, "shoeSize", "shoeSize"),
            fault(FaultKind::ReadOnly, "meta", "meta"),
            fault(FaultKind::ReadOnly, "provisioningStatus", "provisioningStatus"),
            fault(FaultKind::Unknown, "civicNo.country", "CivicNo.country"),
            fault(
                FaultKind::Unknown,
                "enrolments[].enroledAt.displayName",
                "Enrolment.enroledAt.displayName",
            ),
        ] {
            assert!(found.contains(&expected), "{expected:?}");
        }
    }

    #[test]
    fn missing_and_malformed_attributes_are_named() {
        let mut person = sample::person(Uuid::new_v4());
        person["givenName"] = json!(7);
        person["eduPersonPrincipalNames"] = json!([]);
        person["enrolments"][0]["schoolYear"] = json!(11);
        person["middleName"] = Value::Null;
        person.as_object_mut().unwrap().remove("familyName");
        let mut found = found(Kind::Persons, &person);
        found.sort_by(|a, b| a.1.cmp(&b.1));
        assert_eq!(
            found,
            [
                fault(FaultKind::Malformed, "eduPersonPrincipalNames", "eduPersonPrincipalNames"),
                fault(FaultKind::Malformed, "enrolments[].schoolYear", "Enrolment.schoolYear"),
                fault(FaultKind::Missing, "familyName", "familyName"),
                fault(FaultKind::Malformed, "givenName", "givenName"),
                fault(FaultKind::Malformed, "middleName", "middleName"),
            ]
        );
    }

    #[test]
    fn codes_lists_and_ids_are_held_to_their_values() {
        let (person, group) = (Uuid::new_v4(), Uuid::new_v4());
        let mut duty = sample::duty(Uuid::new_v4(), person);
        duty["dutyRole"] = json!("Vaktmästare");
        duty["person"]["id"] = json!(person.simple().to_string());
        assert_eq!(
            found(Kind::Duties, &duty),
            [
                fault(FaultKind::Malformed, "dutyRole", "dutyRole"),
                fault(FaultKind::Malformed, "person.id", "person.id"),
            ]
        );
        let activity = sample::activity(Uuid::new_v4(), &[], &[]);
        assert_eq!(found(Kind::Activities, &activity), [fault(FaultKind::Malformed, "groups", "groups")]);
        let mut class = sample::group(group, &[]);
        class["groupType"] = json!("Mentor");
        assert_eq!(found(Kind::Groups, &class), [fault(FaultKind::Malformed, "groupType", "groupType")]);
        assert_eq!(found(Kind::Groups, &json!("text")), [fault(FaultKind::Malformed, "", "")]);
    }
}
