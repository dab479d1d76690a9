//! What groups and activities say of each other, and attributes that Skolverket does not take (rules 14–17).

use serde_json::{Value, json};

use super::super::another_duty;
use super::{OTHER, OTHER_UNIT, Row, row};
use crate::kind::finding_code::FindingCode::*;
use crate::sample::{ACTIVITY, DUTY, GROUP, NOBODY, STUDENT, TEACHER};

/// Names the first entry of a list once more.
fn twice(body: &mut Value, list: &str) {
    let list = body.pointer_mut(list).unwrap().as_array_mut().unwrap();
    list.push(list[0].clone());
}

/// A principal at each of the two school units.
fn principals(body: &mut Value) {
    for (id, unit) in [(OTHER, None), (NOBODY, Some(OTHER_UNIT))] {
        let mut duty = body["duties"][0].clone();
        (duty["id"], duty["dutyRole"]) = (json!(id), json!("Rektor"));
        if let Some(unit) = unit {
            duty["dutyAt"]["id"] = json!(unit);
        }
        body["duties"].as_array_mut().unwrap().push(duty);
    }
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            14,
            DisplayNameBlank,
            "/groups/0/displayName",
            Some(GROUP),
            |_| {},
            |body| body["groups"][0]["displayName"] = json!(""),
        ),
        row(
            15,
            DisplayNameBlank,
            "/activities/0/displayName",
            Some(ACTIVITY),
            |_| {},
            |body| body["activities"][0]["displayName"] = json!("  "),
        ),
        row(
            14,
            MemberNamedTwice,
            "/groups/0/groupMemberships/1/person/id",
            Some(GROUP),
            |_| {},
            |body| twice(body, "/groups/0/groupMemberships"),
        ),
        row(
            14,
            StaffMember,
            "/groups/0/groupMemberships/1/person/id",
            Some(TEACHER),
            |_| {},
            |body| {
                let members = body["groups"][0]["groupMemberships"].as_array_mut().unwrap();
                members.push(json!({"person": {"id": TEACHER}}));
            },
        ),
        row(
            14,
            MemberCancelled,
            "/groups/0/groupMemberships/0/person/id",
            Some(STUDENT),
            |_| {},
            |body| body["persons"][0]["enrolments"][1]["cancelled"] = json!(true),
        ),
        row(
            15,
            ActivityWithoutTeachers,
            "/activities/0/teachers",
            Some(ACTIVITY),
            |_| {},
            |body| {
                body["activities"][0].as_object_mut().unwrap().remove("teachers");
            },
        ),
        row(
            15,
            GroupNamedTwice,
            "/activities/0/groups/1/id",
            Some(ACTIVITY),
            |_| {},
            |body| twice(body, "/activities/0/groups"),
        ),
        row(
            15,
            TeacherNamedTwice,
            "/activities/0/teachers/1/duty/id",
            Some(ACTIVITY),
            |_| {},
            |body| twice(body, "/activities/0/teachers"),
        ),
        row(
            15,
            DutiesAlike,
            "/duties/1",
            Some(OTHER),
            |body| another_duty(body, "Kurator"),
            |body| another_duty(body, "Lärare"),
        ),
        row(15, GroupOfOtherSchoolUnit, "/activities/0/groups/0/id", Some(ACTIVITY), principals, |body| {
            principals(body);
            body["groups"][0]["organisation"]["id"] = json!(OTHER_UNIT);
            body["persons"][0]["enrolments"][1]["enroledAt"]["id"] = json!(OTHER_UNIT);
        }),
        row(
            16,
            TeacherOfOtherSchoolUnit,
            "/activities/0/teachers/0/duty/id",
            Some(ACTIVITY),
            principals,
            |body| {
                principals(body);
                body["duties"][0]["dutyAt"]["id"] = json!(OTHER_UNIT);
            },
        ),
        row(
            17,
            AttributeNotTaken,
            "/duties/0/startDate",
            Some(DUTY),
            |_| {},
            |body| body["duties"][0]["startDate"] = json!("2026-08-20"),
        ),
    ]
}
