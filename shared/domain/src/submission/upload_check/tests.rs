use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::kind::per_kind::PerKind;
use crate::kind::record_kind::RecordKind;
use crate::sample::{ATTESTED, DUTY, GROUP, NOBODY, STUDENT, accept, complete, parse, with};
use crate::state::options::Validation;
use crate::submission::part::PackedPart;
use crate::submission::plan::Plan;

#[derive(Deserialize)]
struct Data<T> {
    data: Vec<T>,
}

/// Facts by kind, and the activities.
type Whole = (PerKind<Vec<Facts>>, Vec<ActivitySummary>);

fn packed(part: &Value) -> PackedPart {
    let read = PackedPart::read(part.to_string().as_bytes(), ATTESTED).unwrap();
    read.accepted(Validation::Strict).unwrap().0
}

/// Takes a send in these parts as the API does: each part is packed by itself, then all are seen as a whole.
fn in_parts(parts: &[Value], references: References) -> Result<Whole, Findings> {
    let parts: Vec<_> = parts.iter().map(packed).collect();
    let mut check = UploadCheck::new(references);
    let mut facts: PerKind<Vec<Facts>> = PerKind::default();
    let ids = RecordKind::ALL.map(|kind| {
        let batches = parts.iter().flat_map(|part| &part.batches[kind]);
        batches.flat_map(|batch| batch.ids.clone()).collect::<Vec<_>>()
    });
    let each = |kind, take: &mut dyn FnMut(Origin, &str, &mut Vec<Facts>)| {
        for PackedPart { part, batches, .. } in &parts {
            let mut first = 0;
            for batch in &batches[kind] {
                let mut facts = batch.facts.clone();
                take(Origin { part: *part, first }, &batch.body, &mut facts);
                first += facts.len();
            }
        }
    };
    fn read<T: Record>(body: &str) -> Vec<T> {
        serde_json::from_str::<Data<T>>(body).unwrap().data
    }
    each(RecordKind::Duty, &mut |_, body, _| check.roles(&read(body)));
    each(RecordKind::Person, &mut |origin, body, found| {
        let before = found.clone();
        assert_eq!(check.persons(origin, &read(body), found), before != *found);
        facts[RecordKind::Person].append(found);
    });
    each(RecordKind::Duty, &mut |origin, body, found| {
        let before = found.clone();
        assert_eq!(check.duties(origin, &read(body), found), before != *found);
        facts[RecordKind::Duty].append(found);
    });
    each(RecordKind::Activity, &mut |_, body, facts| check.summarize(&read(body), facts));
    each(RecordKind::Group, &mut |origin, body, found| {
        check.groups(origin, &read(body), found);
        facts[RecordKind::Group].append(found);
    });
    each(RecordKind::Activity, &mut |origin, body, found| {
        check.activities(origin, &read(body), found);
        facts[RecordKind::Activity].append(found);
    });
    let Read { content: CheckedUpload { mut activities, activity_records, found_before }, findings } =
        check.finish();
    if findings.refuse(Validation::Strict) {
        return Err(findings.refusing(Validation::Strict));
    }
    let mut all = found_before;
    all.extend(findings.records());
    activity_records.count_findings(&mut activities, &all);
    for (id, facts) in ids.iter().flatten().zip(facts.values_mut().flatten()) {
        facts.findings = all.of(*id).to_vec();
    }
    Ok((facts, activities))
}

fn part(number: u32, lists: &[(&str, &Value)]) -> Value {
    let mut part = json!({"part": number});
    for (list, records) in lists {
        part[*list] = (*records).clone();
    }
    part
}

fn found(result: Result<Whole, Findings>) -> Vec<(FindingCode, String)> {
    let Err(faults) = result else { panic!("nothing was found") };
    faults.listed().map(|fault| (fault.kind.code, fault.pointer.clone())).collect()
}

#[test]
fn however_a_send_is_divided_it_is_the_same_send() {
    let body = with(|body| {
        body["activities"][0]["organisation"] = json!({"schoolUnitCode": "31279295"});
        body["activities"][0]["parentActivity"] = json!({"testCode": "MATMAT01"});
    });
    let (submission, findings) = accept(&body).unwrap();
    let mut plan = Plan::of(&submission);
    plan.add_findings(findings.records());
    // The e-mail address without a type, and nobody who leads the school.
    assert_eq!(plan.activities[0].finding_count, Some(2));
    let whole = PerKind::from_fn(|kind| {
        plan.batches(kind).iter().flat_map(|batch| batch.facts.clone()).collect::<Vec<_>>()
    });
    let lists = ["persons", "duties", "groups", "activities"];
    for arrangement in [[1, 1, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 1, 2]] {
        let parts: Vec<_> = (1..=4)
            .map(|number| {
                let own = lists.iter().zip(arrangement).filter(|(_, at)| *at == number);
                part(number, &own.map(|(list, _)| (*list, &body[*list])).collect::<Vec<_>>())
            })
            .collect();
        let (facts, activities) = in_parts(&parts, References::Internal).unwrap();
        assert!(facts == whole, "{arrangement:?}");
        assert!(activities == plan.activities, "{arrangement:?}");
    }
}

#[test]
fn the_students_of_a_group_that_is_in_no_part_are_not_counted() {
    let students = |groups: Value| {
        let body = with(|body| body["activities"][0]["groups"] = groups);
        let lists = ["persons", "duties", "groups", "activities"].map(|list| (list, &body[list]));
        in_parts(&[part(1, &lists)], References::External).unwrap().1[0].students
    };
    assert_eq!(students(json!([{"id": GROUP}])), Some(1));
    assert_eq!(students(json!([{"id": GROUP}, {"id": NOBODY}])), None);
}

#[test]
fn ids_and_references_are_held_against_all_parts() {
    let body = with(|body| {
        body["groups"][0]["groupMemberships"] =
            json!([{"person": {"id": STUDENT}}, {"person": {"id": NOBODY}}, {"person": {"id": DUTY}}]);
        body["activities"][0]["id"] = json!(GROUP);
    });
    let parts = [
        part(1, &[("persons", &body["persons"])]),
        part(2, &[("groups", &body["groups"])]),
        part(3, &[("duties", &body["duties"]), ("activities", &body["activities"])]),
    ];
    use FindingCode::{DuplicateId, MissingReference};
    let duplicate = (DuplicateId, "/parts/3/activities/0/id".to_owned());
    let nobody = (MissingReference, "/parts/2/groups/0/groupMemberships/1/person/id".to_owned());
    let of_another_kind = (MissingReference, "/parts/2/groups/0/groupMemberships/2/person/id".to_owned());
    assert_eq!(
        found(in_parts(&parts, References::Internal)),
        [nobody, of_another_kind.clone(), duplicate.clone()]
    );
    // What is not there may be at Skolverket; what is there must be of its kind all the same.
    assert_eq!(found(in_parts(&parts, References::External)), [of_another_kind, duplicate]);
}

#[test]
fn records_are_counted_on_over_the_batches_of_a_part() {
    let mut check = UploadCheck::new(References::Internal);
    let persons: Vec<Person> =
        parse(&complete()).unwrap().persons.iter().map(|entry| entry.record().clone()).collect();
    let mut facts = vec![Facts::default(); 2];
    check.persons(Origin { part: 1, first: 0 }, &persons, &mut facts);
    check.persons(Origin { part: 7, first: 40 }, &persons[1..], &mut facts[1..]);
    check.no_activities();
    let found = check.finish().findings.refusing(Validation::Strict);
    let pointers: Vec<_> = found.listed().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/parts/7/persons/40/id", "/activities"]);
}
