//! A body with every attribute that a sender may give, for the tests of this crate.

use serde_json::{Value, json};

use crate::rules::conditions::{Conditions, ProtectedIdentities};
use crate::rules::finding::Findings;
use crate::submission::body::Submission;
use crate::submission::reader::{Read, Rejection};

pub(crate) const STUDENT: &str = "11111111-0000-4000-8000-000000000001";
pub(crate) const TEACHER: &str = "11111111-0000-4000-8000-000000000002";
pub(crate) const DUTY: &str = "22222222-0000-4000-8000-000000000001";
pub(crate) const GROUP: &str = "33333333-0000-4000-8000-000000000001";
pub(crate) const ACTIVITY: &str = "44444444-0000-4000-8000-000000000001";
pub(crate) const UNIT: &str = "fb22448b-b724-5e53-8a2c-d8b339206901";
pub(crate) const TEST: &str = "505c5ee0-7be4-560d-9c27-10ab0d96ac9a";
/// An id that no record has.
pub(crate) const NOBODY: &str = "99999999-0000-4000-8000-000000000009";

/// Every attribute, with ids where codes could stand.
pub(crate) fn complete() -> Value {
    json!({
        "activities": [{
            "id": ACTIVITY, "displayName": "Prov Matematik", "activityType": "Undervisning",
            "groups": [{"id": GROUP}], "teachers": [{"duty": {"id": DUTY}}],
            "organisation": {"id": UNIT}, "parentActivity": {"id": TEST},
        }],
        "groups": [{
            "id": GROUP, "displayName": "Grupp Å", "groupType": "Undervisning", "schoolType": "GR",
            "organisation": {"id": UNIT}, "groupMemberships": [{"person": {"id": STUDENT}}],
        }],
        "duties": [{
            "id": DUTY, "person": {"id": TEACHER}, "dutyAt": {"id": UNIT}, "dutyRole": "Lärare",
        }],
        "persons": [
            {
                "id": STUDENT, "givenName": "Åke", "middleName": "Öster", "familyName": "Ängdal",
                "eduPersonPrincipalNames": ["k7q2m9@edu.example.se"], "securityMarking": "Ingen",
                "civicNo": {"value": "201401019805", "nationality": "SE"},
                "emails": [{"value": "elev@example.se", "type": "Skola elev"}, {"value": "hem@example.se"}],
                "enrolments": [
                    {"enroledAt": {"id": UNIT}, "schoolType": "GY", "educationCode": "EKJURV", "cancelled": true},
                    {"enroledAt": {"id": UNIT}, "schoolYear": 6, "schoolType": "GR", "cancelled": false},
                ],
            },
            {
                "id": TEACHER, "givenName": "Siv", "familyName": "Rönnhed",
                "eduPersonPrincipalNames": ["p3x8v1@edu.example.se"], "securityMarking": "Skyddad folkbokföring",
                "externalIdentifiers": [
                    {"value": "movip@eduid.se", "context": "https://eduid.se", "globallyUnique": true}
                ],
                "civicNo": {"value": "19800101TF20"},
                "emails": [{"value": "siv@example.se", "type": "Skola personal"}],
                "enrolments": [],
            },
        ],
        "options": {"onRecordErrors": "stop", "references": "internal", "validation": "strict", "environment": "production"},
    })
}

/// The complete body after a change.
pub(crate) fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = complete();
    change(&mut body);
    body
}

/// Where protected persons may be sent, on a day in 2026.
pub(crate) const ATTESTED: Conditions =
    Conditions { protected: ProtectedIdentities::Attested, today: jiff::civil::date(2026, 11, 23) };
/// Where they may not.
pub(crate) const NOT_ATTESTED: Conditions =
    Conditions { protected: ProtectedIdentities::NotAttested, ..ATTESTED };

/// The body as it is read where protected persons may be sent.
pub(crate) fn read(body: &Value) -> Read<Submission> {
    Submission::read(body.to_string().as_bytes(), ATTESTED).unwrap()
}

/// The body as it is accepted.
pub(crate) fn parse(body: &Value) -> Result<Submission, Rejection> {
    accept(body).map(|(submission, _)| submission)
}

pub(crate) fn accept(body: &Value) -> Result<(Submission, Findings), Rejection> {
    let read = read(body);
    let validation = read.content.options.validation;
    read.accepted(validation)
}

/// The complete body with one value set, or taken out.
pub(crate) fn setting(pointer: &str, value: Option<Value>) -> Value {
    with(|body| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match (body.pointer_mut(parent).unwrap(), value) {
            (Value::Object(object), Some(value)) => drop(object.insert(name.to_owned(), value)),
            (Value::Object(object), None) => drop(object.remove(name).unwrap()),
            (Value::Array(list), Some(value)) => list[name.parse::<usize>().unwrap()] = value,
            (Value::Array(list), None) => drop(list.remove(name.parse().unwrap())),
            _ => panic!("{pointer}"),
        }
    })
}
