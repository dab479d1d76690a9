//! Ids and references over the lists of a body.

use serde_json::json;

use super::*;
use crate::sample::{ACTIVITY, NOBODY, accept, parse, setting, with};

#[test]
fn an_id_is_unique_over_all_four_lists() {
    let body = with(|body| {
        body["duties"][0]["id"] = json!(ACTIVITY);
        body["activities"][0]["teachers"][0]["duty"]["id"] = json!(ACTIVITY);
    });
    assert_eq!(found(&body), [(FindingCode::DuplicateId, "/duties/0/id".to_owned())]);

    let again = with(|body| {
        let person = body["persons"][0].clone();
        body["persons"].as_array_mut().unwrap().push(person);
    });
    assert_eq!(found(&again), [(FindingCode::DuplicateId, "/persons/2/id".to_owned())]);
}

#[test]
fn a_record_that_cannot_be_identified_hides_only_what_it_may_explain() {
    // One unreadable person, one id missed: that person.
    assert_eq!(
        found(&setting("/persons/1/id", None)),
        [(FindingCode::MissingAttribute, "/persons/1/id".to_owned())]
    );
    // Of a reference to the malformed id, only the form is reported.
    let same = with(|body| {
        body["persons"][1]["id"] = json!("X1");
        body["duties"][0]["person"]["id"] = json!("X1");
    });
    let form = |pointer: &str| (FindingCode::WrongFormat, pointer.to_owned());
    assert_eq!(found(&same), [form("/duties/0/person/id"), form("/persons/1/id")]);
    // That person explains no other missed id.
    let other = with(|body| {
        body["persons"][1]["id"] = json!("X1");
        body["duties"][0]["person"]["id"] = json!("X1");
        body["groups"][0]["groupMemberships"][0]["person"]["id"] = json!(NOBODY);
    });
    let missed = (FindingCode::MissingReference, "/groups/0/groupMemberships/0/person/id".to_owned());
    assert!(found(&other).contains(&missed));
    // An id in capitals is still that person's.
    let capitals = "AAAAAAAA-0000-4000-8000-000000000002";
    let shouted = with(|body| {
        body["persons"][1]["id"] = json!(capitals);
        body["duties"][0]["person"]["id"] = json!(capitals.to_lowercase());
    });
    assert_eq!(found(&shouted), [form("/persons/1/id")]);
    // Two ids missed and one unreadable person: at least one reference is wrong, so both are reported.
    let two = with(|body| {
        body["persons"][1].as_object_mut().unwrap().remove("id");
        body["groups"][0]["groupMemberships"][0]["person"]["id"] = json!(NOBODY);
    });
    assert_eq!(
        faults(&two).iter().filter(|fault| fault.kind.code == FindingCode::MissingReference).count(),
        2
    );
}

#[test]
fn external_references_need_not_be_in_the_send_but_must_be_of_their_kind() {
    let alone = |options: Value| {
        with(|body| {
            body["persons"] = json!([]);
            body["options"] = options;
        })
    };
    assert!(parse(&alone(json!({}))).is_err());
    let Ok((submission, findings)) = accept(&alone(json!({"references": "external"}))) else {
        panic!("refused")
    };
    assert_eq!(submission.options.references, References::External);
    let warned: Vec<_> = findings.listed().map(|warning| (warning.kind, warning.pointer.as_str())).collect();
    let missing = FindingKind::form(FindingCode::MissingReference, Some(2)).warning();
    assert_eq!(
        warned,
        [(missing, "/duties/0/person/id"), (missing, "/groups/0/groupMemberships/0/person/id")]
    );
    let wrong_kind = with(|body| {
        body["duties"][0]["person"]["id"] = body["groups"][0]["id"].clone();
        body["options"] = json!({"references": "external"});
    });
    assert!(parse(&wrong_kind).is_err());
}
