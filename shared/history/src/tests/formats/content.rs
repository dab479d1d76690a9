//! What the sends of the fixtures hold. All people are made up.

use serde_json::{Value, json};
use stafett_domain::register::Register;
use stafett_domain::{
    ActivitySummary, Facts, FindingCode, FindingKind, KindCount, RecordKind, SchoolUnitSummary, Severity,
};
use uuid::Uuid;

use crate::tests::sample::record;
use crate::{Body, NewBatch, NewBody, NewJob, SendContent};

fn person(batch: u32, place: u32, names: (&str, &str), civic_no: &str) -> Value {
    let (given, family) = names;
    json!({
        "id": record(RecordKind::Person, batch, place), "givenName": given, "familyName": family,
        "civicNo": {"value": civic_no, "nationality": "SE"}, "securityMarking": "Ingen",
        "eduPersonPrincipalNames": [format!("p{batch}x{place}@edu.example.se")],
    })
}

fn persons(batch: u32) -> Vec<Value> {
    let pairs = [
        [("Åsa-Lo", "Björkehed", "201403249905"), ("Nils", "Ekmark", "201002149803")],
        [("Vera", "Mosskulle", "201003059811"), ("Jörgen", "Sandtorp", "199208139874")],
    ];
    let [first, second] = pairs[batch as usize % 2];
    [first, second]
        .into_iter()
        .zip(0..)
        .map(|((given, family, civic_no), place)| person(batch, place, (given, family), civic_no))
        .collect()
}

/// Two records of a kind, and what their rows show beside.
pub(super) fn body(kind: RecordKind, batch: u32) -> Body<Facts> {
    let refers = |to, place| json!({"id": record(to, 0, place)});
    let (data, facts): (Vec<Value>, Facts) = match kind {
        RecordKind::Person => {
            let facts = Facts { role: Some("Elev".to_owned()), protected: batch == 1, ..Facts::default() };
            (persons(batch), facts)
        }
        RecordKind::Duty => {
            let duty = |place| json!({"id": record(kind, batch, place), "person": refers(RecordKind::Person, place), "dutyRole": "Lärare"});
            let name = Some("Åsa-Lo Björkehed".to_owned().into());
            ([0, 1].map(duty).into(), Facts { name, ..Facts::default() })
        }
        RecordKind::Group => {
            let group = |place| json!({"id": record(kind, batch, place), "displayName": "6A", "groupMemberships": [{"person": refers(RecordKind::Person, place)}]});
            ([0, 1].map(group).into(), Facts { findings: vec![FindingCode::EmailType], ..Facts::default() })
        }
        RecordKind::Activity => {
            let activity = |place| json!({"id": record(kind, batch, place), "displayName": "Prov Biologi", "groups": [refers(RecordKind::Group, place)]});
            let facts = Facts {
                test_code: Some("GRGRBIO01_6".parse().unwrap()),
                school_unit_code: Some("31279295".parse().unwrap()),
                ..Facts::default()
            };
            ([0, 1].map(activity).into(), facts)
        }
    };
    Body { facts: vec![facts; data.len()], body: json!({"data": data}).to_string() }
}

pub(super) fn activity(place: u32) -> ActivitySummary {
    ActivitySummary {
        id: record(RecordKind::Activity, 0, place),
        display_name: format!("Prov Biologi {place}"),
        test_code: Some("GRGRBIO01_6".parse().unwrap()),
        test_activity_id: Some(Uuid::from_u128(11)),
        school_unit: SchoolUnitSummary {
            id: Uuid::from_u128(12),
            code: Some("31279295".parse().unwrap()),
            name: Some("Björkskolan".to_owned()),
        },
        groups: 1,
        students: Some(2),
        teachers: 1,
        finding_count: Some(1),
    }
}

pub(super) fn findings() -> Vec<KindCount> {
    let kind = FindingKind { rule: Some(8), code: FindingCode::EmailType, severity: Severity::Warning };
    vec![KindCount { kind, count: 1, first_record_ids: vec![record(RecordKind::Person, 0, 0)] }]
}

/// A send with so many activities and so many batches of each kind.
pub(super) fn content(
    activities: u32,
    batches: [u32; 4],
    body: impl Fn(RecordKind, u32) -> NewBody<Facts>,
) -> SendContent<Facts> {
    let jobs = RecordKind::ALL.into_iter().zip(batches).map(|(stage, batches)| {
        let batch = |batch| NewBatch {
            ids: [0, 1].map(|place| record(stage, batch, place)).into(),
            body: body(stage, batch),
        };
        NewJob { stage, batches: (0..batches).map(batch).collect() }
    });
    SendContent {
        activities: (0..activities).map(activity).collect(),
        findings: findings(),
        not_checked: vec![Register::TestActivities],
        jobs: jobs.collect(),
    }
}

pub(super) fn whole(kind: RecordKind, batch: u32) -> NewBody<Facts> {
    NewBody::Whole(body(kind, batch))
}
