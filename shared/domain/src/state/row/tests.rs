use serde_json::json;

use super::*;
use crate::sample::{ACTIVITY, DUTY, GROUP, STUDENT, TEACHER, TEST, UNIT, complete, parse, with};
use crate::submission::plan::Plan;

fn shown(kind: RecordKind, access: Access) -> Value {
    let plan = Plan::of(&parse(&complete()).unwrap());
    let batch = &plan.batches(kind)[0];
    let rows = rows(kind, &batch.body, &batch.facts).unwrap_or_else(|error| panic!("{error}"));
    rows.into_iter().map(|row| serde_json::to_value(row.shown(access)).unwrap()).collect()
}

#[test]
fn the_personal_view_shows_all() {
    let expected = json!([
        {
            "id": STUDENT, "name": "Åke Öster Ängdal", "role": "Elev", "civicNo": "201401019805",
            "eppn": "k7q2m9@edu.example.se", "schoolYear": 6, "schoolType": "GR", "protected": false, "masked": false,
        },
        {
            "id": TEACHER, "name": "Siv Rönnhed", "role": "Lärare", "civicNo": "19800101TF20",
            "eppn": "p3x8v1@edu.example.se", "schoolYear": null, "schoolType": null, "protected": true, "masked": false,
        },
    ]);
    assert_eq!(shown(RecordKind::Person, Access::Personal), expected);
    let duty = json!([{
        "id": DUTY, "name": "Siv Rönnhed", "role": "Lärare", "personId": TEACHER, "schoolUnitId": UNIT,
        "protected": true, "masked": false,
    }]);
    assert_eq!(shown(RecordKind::Duty, Access::Personal), duty);
}

#[test]
fn the_masked_view_leaves_out_numbers_eppns_and_protected_names_and_says_so() {
    let expected = json!([
        {
            "id": STUDENT, "name": "Åke Öster Ängdal", "role": "Elev", "civicNo": null,
            "eppn": null, "schoolYear": 6, "schoolType": "GR", "protected": false, "masked": true,
        },
        {
            "id": TEACHER, "name": null, "role": "Lärare", "civicNo": null,
            "eppn": null, "schoolYear": null, "schoolType": null, "protected": true, "masked": true,
        },
    ]);
    assert_eq!(shown(RecordKind::Person, Access::Masked), expected);
    let duty = json!([{
        "id": DUTY, "name": null, "role": "Lärare", "personId": TEACHER, "schoolUnitId": UNIT,
        "protected": true, "masked": true,
    }]);
    assert_eq!(shown(RecordKind::Duty, Access::Masked), duty);
}

#[test]
fn groups_and_activities_are_shown_unmasked_to_all() {
    let group = json!([{
        "id": GROUP, "name": "Grupp Å", "groupType": "Undervisning", "schoolType": "GR", "schoolUnitId": UNIT,
        "members": 1,
    }]);
    let activity = json!([{
        "id": ACTIVITY, "name": "Prov Matematik", "testCode": null, "testActivityId": TEST, "schoolUnitCode": null,
        "schoolUnitId": UNIT, "groups": 1, "teachers": 1,
    }]);
    for access in [Access::Masked, Access::Personal] {
        assert_eq!(shown(RecordKind::Group, access), group);
        assert_eq!(shown(RecordKind::Activity, access), activity);
    }
}

#[test]
fn nobody_is_counted_twice() {
    let group =
        json!({"id": GROUP, "groupMemberships": [{"person": {"id": STUDENT}}, {"person": {"id": STUDENT}}]});
    let activity = json!({
        "id": ACTIVITY, "groups": [{"id": GROUP}, {"id": GROUP}],
        "teachers": [{"duty": {"id": DUTY}}, {"duty": {"id": DUTY}}],
    });
    let row = |kind, record: Value| {
        let body = json!({"data": [record]}).to_string();
        serde_json::to_value(rows(kind, &body, &[Facts::default()]).unwrap_or_default()).unwrap()[0].clone()
    };
    assert_eq!(row(RecordKind::Group, group)["members"], 1);
    let activity = row(RecordKind::Activity, activity);
    assert_eq!((&activity["groups"], &activity["teachers"]), (&json!(1), &json!(1)));
}

#[test]
fn a_marking_that_is_not_known_protects() {
    for (marking, protected) in [("Ingen", false), ("Sekretessmarkering", true), ("Något nytt", true)] {
        let body =
            json!({"data": [{"id": STUDENT, "givenName": "Åke", "securityMarking": marking}]}).to_string();
        let Ok([row]) =
            <[Row; 1]>::try_from(rows(RecordKind::Person, &body, &[Facts::default()]).unwrap_or_default())
        else {
            panic!("{marking}")
        };
        let wire = serde_json::to_value(row.shown(Access::Masked)).unwrap();
        assert_eq!(wire["name"], if protected { Value::Null } else { json!("Åke") }, "{marking}");
        assert_eq!(
            (&wire["protected"], &wire["masked"]),
            (&json!(protected), &json!(protected)),
            "{marking}"
        );
    }
}

#[test]
fn what_is_absent_is_null() {
    let body = json!({"data": [{"id": STUDENT}]}).to_string();
    for (kind, attributes) in RecordKind::ALL.into_iter().zip([9, 7, 6, 8]) {
        let row = rows(kind, &body, &[Facts::default()]).unwrap_or_default().remove(0);
        let wire = serde_json::to_value(row.shown(Access::Masked)).unwrap();
        assert_eq!(wire.as_object().unwrap().len(), attributes, "{kind}");
        assert!(
            wire.as_object()
                .unwrap()
                .iter()
                .all(|(name, value)| name == "id" || value.is_null() || value == 0 || value == false)
        );
    }
}

#[test]
fn a_stored_body_that_is_not_one_is_an_error_without_values() {
    let error = |body: &str, facts: usize| {
        rows(RecordKind::Person, body, &vec![Facts::default(); facts]).map(drop).unwrap_err()
    };
    for body in ["", "[]", "{}", r#"{"data":{}}"#, r#"{"data":[{"givenName":"Märkt"}]}"#] {
        assert_eq!(error(body, 1), RowError::NotABatch, "{body}");
    }
    let body = format!(r#"{{"data":[{{"id":"{STUDENT}"}}]}}"#);
    assert_eq!(error(&body, 2), RowError::FactsDiffer { records: 1, facts: 2 });
}

#[test]
fn a_sent_object_is_found_by_its_place() {
    let sent = with(|_| ());
    let plan = Plan::of(&parse(&sent).unwrap());
    let body = &plan.batches(RecordKind::Person)[0].body;
    assert_eq!(sent_object(body, 1), Some(sent["persons"][1].clone()));
    assert_eq!(sent_object(body, 2), None);
    assert_eq!(sent_object("nothing", 0), None);
}
