//! Records in good shape, of nobody.

use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) fn person(id: Uuid) -> Value {
    json!({
        "id": id,
        "civicNo": {"value": "20140307TF12", "nationality": "SE"},
        "givenName": "Givenname",
        "familyName": "Familyname",
        "eduPersonPrincipalNames": [format!("x{}@edu.example.se", id.simple())],
        "securityMarking": "Ingen",
        "emails": [
            {"value": "x7q2@edu.example.se", "type": "Skola elev"},
            {"value": "x7q2@example.se", "type": "Skola personal"},
        ],
        "enrolments": [{"enroledAt": {"id": Uuid::new_v4()}, "schoolType": "GR", "schoolYear": 6}],
    })
}

pub(crate) fn duty(id: Uuid, person: Uuid) -> Value {
    json!({"id": id, "person": {"id": person}, "dutyAt": {"id": Uuid::new_v4()}, "dutyRole": "Lärare"})
}

pub(crate) fn group(id: Uuid, members: &[Uuid]) -> Value {
    let members: Vec<Value> = members.iter().map(|person| json!({"person": {"id": person}})).collect();
    json!({
        "id": id,
        "displayName": "6A Biologi",
        "groupType": "Undervisning",
        "schoolType": "GR",
        "organisation": {"id": Uuid::new_v4()},
        "groupMemberships": members,
    })
}

pub(crate) fn activity(id: Uuid, groups: &[Uuid], duties: &[Uuid]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|group| json!({"id": group})).collect();
    let teachers: Vec<Value> = duties.iter().map(|duty| json!({"duty": {"id": duty}})).collect();
    json!({
        "id": id,
        "displayName": "Prov Biologi",
        "activityType": "Undervisning",
        "groups": groups,
        "teachers": teachers,
        "organisation": {"id": Uuid::new_v4()},
        "parentActivity": {"id": Uuid::new_v4()},
    })
}
