use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kind::attribute::{Attribute, SUBMISSION, Shape};
use crate::kind::finding_code::{FindingCode, Severity};
use crate::kind::record::Record;
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;
use crate::rules::finding::{Finding, FindingKind};
use crate::sample::{ACTIVITY, ATTESTED, GROUP, STUDENT, TEST, UNIT, complete, parse, with};
use crate::state::options::{OnRecordErrors, Options, References, Validation};
use crate::submission::body::Submission;
use crate::submission::entry::Entry;
use crate::submission::reader::Rejection;

mod example;
mod faults;
mod not_taken;
mod privacy;
mod references;

pub(super) fn faults(body: &Value) -> Vec<Finding> {
    match parse(body) {
        Err(Rejection::Faults(findings)) => findings.listed().cloned().collect(),
        Err(Rejection::NotReadable(unreadable)) => panic!("{unreadable:?}"),
        Ok(_) => Vec::new(),
    }
}

pub(super) fn found(body: &Value) -> Vec<(FindingCode, String)> {
    faults(body).into_iter().map(|fault| (fault.kind.code, fault.pointer)).collect()
}

#[test]
fn every_attribute_goes_out_as_it_came_in() {
    let body = complete();
    let submission = parse(&body).unwrap();
    fn sent<T>(entries: &[Entry<T>]) -> Value {
        entries.iter().map(|entry| serde_json::from_str::<Value>(entry.wire()).unwrap()).collect()
    }
    assert_eq!(sent(&submission.activities), body["activities"]);
    assert_eq!(sent(&submission.groups), body["groups"]);
    assert_eq!(sent(&submission.duties), body["duties"]);
    assert_eq!(sent(&submission.persons), body["persons"]);
    assert_eq!(submission.options.on_record_errors, OnRecordErrors::Stop);
}

#[test]
fn records_refer_to_what_their_relations_say() {
    fn same<T: Record>(entries: &[Entry<T>]) -> usize {
        let mut references = 0;
        for entry in entries {
            let wire: Value = serde_json::from_str(entry.wire()).unwrap();
            for to in RecordKind::ALL {
                let by_table = Relation::of(T::KIND).filter(|relation| relation.to == to);
                let by_table: Vec<_> =
                    by_table.flat_map(|relation| relation.ids(&wire).collect::<Vec<_>>()).collect();
                assert_eq!(entry.record().referred(to), by_table, "{} to {to}", T::KIND);
                references += by_table.len();
            }
        }
        references
    }
    let submission = parse(&complete()).unwrap();
    assert_eq!((same(&submission.persons), same(&submission.duties)), (0, 1));
    assert_eq!((same(&submission.groups), same(&submission.activities)), (1, 2));
}

/// The test above covers every attribute only as long as the sample has them all.
#[test]
fn the_sample_has_every_attribute_of_the_table() {
    fn in_table(attributes: &'static [Attribute], names: &mut BTreeSet<&'static str>) {
        for attribute in attributes {
            if !matches!(attribute.shape, Shape::NotTaken) {
                names.insert(attribute.name);
                in_shape(&attribute.shape, names);
            }
        }
    }
    fn in_shape(shape: &'static Shape, names: &mut BTreeSet<&'static str>) {
        match shape {
            Shape::Object(attributes) => in_table(attributes, names),
            Shape::List { of, .. } => in_shape(of, names),
            _ => {}
        }
    }
    fn in_body(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(name, value)| {
                names.insert(name.clone());
                in_body(value, names);
            }),
            Value::Array(list) => list.iter().for_each(|value| in_body(value, names)),
            _ => {}
        }
    }
    let (mut table, mut body) = (BTreeSet::new(), BTreeSet::new());
    in_table(SUBMISSION, &mut table);
    in_body(&complete(), &mut body);
    assert_eq!(table.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), body);
}

#[test]
fn absent_attributes_stay_absent_and_codes_become_ids() {
    let body = json!({
        "activities": [{
            "id": ACTIVITY, "displayName": "Prov", "activityType": "Undervisning", "groups": [{"id": GROUP}],
            "organisation": {"schoolUnitCode": "31279295"}, "parentActivity": {"testCode": "MATMAT01"},
        }],
        "groups": [{
            "id": GROUP, "displayName": "6A", "groupType": "Klass", "schoolType": "GR",
            "organisation": {"schoolUnitCode": "31279295"},
        }],
        "duties": [],
        "persons": [{
            "id": STUDENT, "givenName": "Åke", "familyName": "Ek", "eduPersonPrincipalNames": ["a@example.se"],
            "civicNo": {"value": "201401019805"},
            "enrolments": [{"enroledAt": {"schoolUnitCode": "31279295"}, "schoolType": "VUXGY"}],
        }],
    });
    let submission = parse(&body).unwrap();
    assert_eq!(
        submission.activities[0].wire(),
        format!(
            r#"{{"id":"{ACTIVITY}","displayName":"Prov","activityType":"Undervisning","groups":[{{"id":"{GROUP}"}}],"organisation":{{"id":"{UNIT}"}},"parentActivity":{{"id":"{TEST}"}}}}"#
        )
    );
    let code = submission.activities[0].record().parent_activity.code.as_ref();
    assert_eq!(code.map(|code| code.as_str()), Some("MATMAT01"));
    assert!(submission.groups[0].wire().ends_with(&format!(r#""organisation":{{"id":"{UNIT}"}}}}"#)));
    let person: Value = serde_json::from_str(submission.persons[0].wire()).unwrap();
    assert_eq!(person["enrolments"], json!([{"enroledAt": {"id": UNIT}, "schoolType": "VUXGY"}]));
    assert_eq!(person.as_object().unwrap().len(), 6);
    assert_eq!(submission.options, Options::default());
}

#[test]
fn corrections_are_any_records_alone() {
    let body = with(|body| {
        for list in ["activities", "groups", "duties", "options"] {
            body.as_object_mut().unwrap().remove(list);
        }
    });
    let corrections = |body: &[u8]| {
        let read = Submission::read_corrections(body, ATTESTED).unwrap();
        read.accepted(Validation::Strict)
    };
    assert_eq!(corrections(body.to_string().as_bytes()).unwrap().0.persons.len(), 2);
    assert!(corrections(b"{}").is_ok());
    assert!(corrections(br#"{"persons": [{}]}"#).is_err());
    assert!(corrections(br#"{"options": {}}"#).is_err());
}
