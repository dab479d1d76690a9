use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::kind::finding_code::FindingCode;
use crate::rules::finding::KindCount;
use crate::sample::{
    ACTIVITY, DUTY, GROUP, NOBODY, STUDENT, TEACHER, TEST, UNIT, accept, complete, parse, with,
};
use crate::submission::batch::{MAX_BODY_BYTES, cut_at, framed_len};

fn facts(plan: &Plan, kind: RecordKind) -> Vec<Facts> {
    plan.batches(kind).iter().flat_map(|batch| batch.facts.clone()).collect()
}

fn role(role: &str) -> Option<String> {
    Some(role.to_owned())
}

#[test]
fn a_small_send_is_one_call_a_stage() {
    let body = complete();
    let plan = Plan::of(&parse(&body).unwrap());
    let mut ids: Vec<RecordId> = Vec::new();
    for (kind, list) in RecordKind::ALL.into_iter().zip(["persons", "duties", "groups", "activities"]) {
        let [batch] = plan.batches(kind) else { panic!("{kind}") };
        ids.extend(&batch.ids);
        assert_eq!(serde_json::from_str::<Value>(&batch.body).unwrap(), json!({"data": body[list]}));
        assert!(batch.body.starts_with(r#"{"data":[{"id":""#), "compact");
    }
    assert_eq!(ids, [STUDENT, TEACHER, DUTY, GROUP, ACTIVITY].map(|id| id.parse().unwrap()));
}

#[test]
fn facts_have_role_name_and_protection() {
    let plan = Plan::of(&parse(&complete()).unwrap());
    let [student, teacher] = &facts(&plan, RecordKind::Person)[..] else { panic!() };
    assert!(*student == Facts { role: role("Elev"), ..Facts::default() });
    assert!(*teacher == Facts { role: role("Lärare"), protected: true, ..Facts::default() });
    let [duty] = &facts(&plan, RecordKind::Duty)[..] else { panic!() };
    assert!(
        *duty == Facts { name: Some("Siv Rönnhed".to_owned().into()), protected: true, ..Facts::default() }
    );
    assert!(facts(&plan, RecordKind::Group) == [Facts::default()]);
    assert!(facts(&plan, RecordKind::Activity) == [Facts::default()]);
    assert_eq!(serde_json::to_string(student).unwrap(), r#"{"role":"Elev"}"#);
    let back: Facts = serde_json::from_str(&serde_json::to_string(duty).unwrap()).unwrap();
    assert!(back == *duty);
}

#[test]
fn roles_are_those_of_the_persons_duties_each_once() {
    let body = with(|body| {
        // To be both is a breach of a rule, which Skolverket may judge.
        body["options"]["validation"] = json!("warnOnly");
        let duty = body["duties"][0].clone();
        let mut add = |id: &str, role: &str, person: &str| {
            let mut duty = duty.clone();
            (duty["id"], duty["dutyRole"], duty["person"]["id"]) = (json!(id), json!(role), json!(person));
            body["duties"].as_array_mut().unwrap().push(duty);
        };
        add("22222222-0000-4000-8000-000000000002", "Rektor", TEACHER);
        add("22222222-0000-4000-8000-000000000003", "Lärare", TEACHER);
        // Enrolled and on duty: the duty decides.
        add("22222222-0000-4000-8000-000000000004", "Kurator", STUDENT);
        let mut idle = body["persons"][1].clone();
        idle["id"] = json!("11111111-0000-4000-8000-000000000003");
        body["persons"].as_array_mut().unwrap().push(idle);
    });
    let plan = Plan::of(&parse(&body).unwrap());
    let roles: Vec<_> = facts(&plan, RecordKind::Person).into_iter().map(|facts| facts.role).collect();
    assert_eq!(roles, [role("Kurator"), role("Lärare, Rektor"), None]);
    let names: Vec<_> = facts(&plan, RecordKind::Duty).into_iter().map(|facts| facts.name).collect();
    assert_eq!(names[3].as_ref().unwrap().expose(), "Åke Öster Ängdal");
}

#[test]
fn an_activity_is_summed_up() {
    let other = "33333333-0000-4000-8000-000000000002";
    let body = with(|body| {
        let mut group = body["groups"][0].clone();
        group["id"] = json!(other);
        group["groupMemberships"].as_array_mut().unwrap().push(json!({"person": {"id": TEACHER}}));
        body["groups"].as_array_mut().unwrap().push(group);
        body["activities"][0]["groups"] = json!([{"id": GROUP}, {"id": other}]);
    });
    let plan = Plan::of(&parse(&body).unwrap());
    let summary = serde_json::to_value(&plan.activities).unwrap();
    let expected = json!([{
        "id": ACTIVITY, "displayName": "Prov Matematik", "testCode": null, "testActivityId": TEST,
        "schoolUnit": {"id": UNIT, "code": null, "name": null}, "groups": 2, "students": 2, "teachers": 1,
        "findingCount": null,
    }]);
    assert_eq!(summary, expected);

    let coded = with(|body| {
        body["activities"][0]["organisation"] = json!({"schoolUnitCode": "31279295"});
        body["activities"][0]["parentActivity"] = json!({"testCode": "MATMAT01"});
        body["activities"][0].as_object_mut().unwrap().remove("teachers");
    });
    let plan = Plan::of(&parse(&coded).unwrap());
    let summary = serde_json::to_value(&plan.activities[0]).unwrap();
    assert_eq!(summary["testCode"], "MATMAT01");
    assert_eq!(summary["schoolUnit"], json!({"id": UNIT, "code": "31279295", "name": null}));
    assert_eq!((&summary["students"], &summary["teachers"]), (&json!(1), &json!(0)));
    assert!(plan.batches(RecordKind::Activity)[0].body.contains(TEST));
}

#[test]
fn a_summary_that_was_stored_without_the_id_of_its_test_can_be_read() {
    let plan = Plan::of(&parse(&complete()).unwrap());
    let mut stored = serde_json::to_value(&plan.activities[0]).unwrap();
    assert_eq!(stored["testActivityId"], TEST);
    stored.as_object_mut().unwrap().remove("testActivityId");
    let read: ActivitySummary = serde_json::from_value(stored).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["testActivityId"], Value::Null);
    assert!(read == ActivitySummary { test_activity_id: None, ..plan.activities[0].clone() });
}

#[test]
fn facts_stored_before_there_were_findings_can_be_read() {
    let (submission, findings) = accept(&complete()).unwrap();
    let mut plan = Plan::of(&submission);
    plan.add_findings(findings.records());
    let marked = facts(&plan, RecordKind::Person);
    assert_eq!(marked[0].findings, [FindingCode::EmailType]);
    assert_eq!(serde_json::to_value(&marked[0]).unwrap()["findings"], json!(["emailType"]));
    let without = |mut value: Value, name: &str| {
        value.as_object_mut().unwrap().remove(name).unwrap();
        value
    };
    let stored = without(serde_json::to_value(&marked[0]).unwrap(), "findings");
    let read: Facts = serde_json::from_value(stored).unwrap();
    assert!(read == Facts { findings: Vec::new(), ..marked[0].clone() });
    let summary = without(serde_json::to_value(&plan.activities[0]).unwrap(), "findingCount");
    assert_eq!(serde_json::from_value::<ActivitySummary>(summary).unwrap().finding_count, None);
    let count = without(serde_json::to_value(&findings.counts()[0]).unwrap(), "firstRecordIds");
    assert_eq!(serde_json::from_value::<KindCount>(count).unwrap().first_record_ids, []);
}

#[test]
fn an_activity_counts_the_findings_of_all_that_it_is_made_of() {
    let body = with(|body| {
        body["options"]["validation"] = json!("warnOnly");
        // Of a student of its group, of its group, of its teacher, and of itself.
        body["persons"][0]["civicNo"]["value"] = json!("201401019806");
        body["persons"][0]["emails"] = json!([]);
        body["groups"][0]["groupType"] = json!("Klass");
        body["persons"][1]["emails"] = json!([]);
        let mut idle = body["persons"][0].clone();
        idle["id"] = json!(NOBODY);
        body["persons"].as_array_mut().unwrap().push(idle);
    });
    let (submission, findings) = accept(&body).unwrap();
    let mut plan = Plan::of(&submission);
    plan.add_findings(findings.records());
    // The check digit, the missing address, the duty without a principal, and the class; nothing of the one who is in none.
    assert_eq!(plan.activities[0].finding_count, Some(4), "{:?}", findings.counts());
    let marks: Vec<_> = facts(&plan, RecordKind::Person).into_iter().map(|facts| facts.findings).collect();
    assert_eq!(marks[0], [FindingCode::CivicNumberCheckDigit]);
    assert_eq!(marks[2], [FindingCode::EppnShared, FindingCode::CivicNumberCheckDigit]);
}

#[test]
fn a_record_of_the_largest_size_is_a_call_of_its_own() {
    let sized = |name: usize| {
        with(|body| {
            body["persons"][0]["emails"][1]["value"] = json!("x".repeat(name));
            let mut second = body["persons"][0].clone();
            second["id"] = json!(NOBODY);
            second["eduPersonPrincipalNames"] = json!(["k7q2m8@edu.example.se"]);
            body["persons"].as_array_mut().unwrap().insert(1, second);
        })
    };
    let without_name = framed_len(parse(&sized(0)).unwrap().persons[0].wire().len());
    let plan = Plan::of(&parse(&sized(MAX_BODY_BYTES - without_name)).unwrap());
    let lengths: Vec<_> = plan.batches(RecordKind::Person).iter().map(|batch| batch.body.len()).collect();
    assert_eq!(lengths[..2], [MAX_BODY_BYTES, MAX_BODY_BYTES]);
    assert!(parse(&sized(MAX_BODY_BYTES - without_name + 1)).is_err());
}

/// A record's JSON: an id and a text with letters of one and two bytes.
fn a_record() -> impl Strategy<Value = (RecordId, String)> {
    (any::<u128>(), "[aå]{0,120}").prop_map(|(id, text)| {
        let id = RecordId(Uuid::from_u128(id));
        (id, json!({"id": id, "text": text}).to_string())
    })
}

proptest! {
    #[test]
    fn batches_keep_all_records_in_order_and_are_as_full_as_they_can_be(
        records in proptest::collection::vec(a_record(), 0..80),
        limit in 400_usize..2_000,
    ) {
        let parts = records.iter().map(|(id, wire)| BatchRecord {
            wire,
            id: *id,
            facts: Facts { role: Some(id.to_string()), ..Facts::default() },
        });
        let batches = cut_at(limit, parts);
        let mut sent = Vec::new();
        for batch in &batches {
            prop_assert!(batch.body.len() <= limit);
            prop_assert!(!batch.ids.is_empty());
            let tree: Value = serde_json::from_str(&batch.body).unwrap();
            let data = tree["data"].as_array().unwrap();
            prop_assert_eq!((batch.ids.len(), batch.facts.len()), (data.len(), data.len()));
            for ((record, id), facts) in data.iter().zip(&batch.ids).zip(&batch.facts) {
                prop_assert_eq!(record["id"].as_str().unwrap(), id.to_string());
                prop_assert_eq!(facts.role.clone(), Some(id.to_string()));
                sent.push((*id, record.to_string()));
            }
        }
        prop_assert_eq!(sent, records);
        // Greedy: the first record of a batch did not fit the one before.
        for pair in batches.windows(2) {
            let tree: Value = serde_json::from_str(&pair[1].body).unwrap();
            prop_assert!(pair[0].body.len() + 1 + tree["data"][0].to_string().len() > limit);
        }
    }
}

/// How many students a group has that is at Skolverket already is not known here, and is not shown as 0.
#[test]
fn the_students_of_a_group_that_is_not_in_the_send_are_not_counted() {
    let body = with(|body| {
        body["options"]["references"] = json!("external");
        let own = body["activities"][0]["groups"][0].clone();
        body["activities"][0]["groups"] = json!([own, {"id": crate::sample::NOBODY}]);
    });
    let [summary] = &Plan::of(&parse(&body).unwrap()).activities[..] else { panic!() };
    assert_eq!((summary.groups, summary.students), (2, None));
    // The form that was stored when it was always a number.
    let mut stored = serde_json::to_value(summary).unwrap();
    stored["students"] = json!(16);
    let read: ActivitySummary = serde_json::from_value(stored).unwrap();
    assert_eq!(read.students, Some(16));
}
