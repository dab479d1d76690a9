//! Attributes that are not sent, and that each is reported once; which records are named of a kind of finding.

use serde_json::json;

use super::*;
use crate::sample::{STUDENT, accept, complete, parse, setting, with};

#[test]
fn what_skolverket_does_not_take_is_left_out_and_reported_once() {
    let plain = parse(&complete()).unwrap();
    let body = with(|body| {
        for list in ["persons", "duties", "groups", "activities"] {
            for record in body[list].as_array_mut().unwrap() {
                record["meta"] = json!({"created": "2026-08-20T07:00:00Z"});
                record["provisioningStatus"] = json!(true);
            }
        }
        for enrolment in body["persons"][0]["enrolments"].as_array_mut().unwrap() {
            enrolment["startDate"] = json!("2026-08-20");
        }
        body["persons"][0]["addresses"] = json!([{"streetAddress": "Gatan 1"}]);
        body["duties"][0]["person"]["displayName"] = json!("Siv Rönnhed");
        body["duties"][0]["dutyAt"]["displayName"] = json!("Skolan");
        body["groups"][0]["groupMemberships"][0]["endDate"] = json!("2027-06-10");
        body["activities"][0]["teachers"][0]["grader"] = json!(true);
    });
    let (sent, findings) = accept(&body).unwrap();
    let wires = |submission: &Submission| {
        let Submission { persons, duties, groups, activities, .. } = submission;
        let persons = persons.iter().map(Entry::wire).chain(duties.iter().map(Entry::wire));
        let rest = groups.iter().map(Entry::wire).chain(activities.iter().map(Entry::wire));
        persons.chain(rest).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(wires(&sent), wires(&plain));
    let reported = findings.listed().filter(|finding| finding.kind.code == FindingCode::AttributeNotTaken);
    let reported: Vec<_> = reported.map(|finding| (finding.pointer.as_str(), finding.count)).collect();
    let expected = [
        ("/activities/0/meta", 1),
        ("/activities/0/provisioningStatus", 1),
        ("/activities/0/teachers/0/grader", 1),
        ("/duties/0/dutyAt/displayName", 1),
        ("/duties/0/meta", 1),
        ("/duties/0/person/displayName", 1),
        ("/duties/0/provisioningStatus", 1),
        ("/groups/0/groupMemberships/0/endDate", 1),
        ("/groups/0/meta", 1),
        ("/groups/0/provisioningStatus", 1),
        ("/persons/0/addresses", 1),
        ("/persons/0/enrolments/0/startDate", 2),
        ("/persons/0/meta", 2),
        ("/persons/0/provisioningStatus", 2),
    ];
    assert_eq!(reported, expected.map(|(pointer, count)| (pointer, Some(count))));
    let count = findings.counts().iter().find(|count| count.kind.code == FindingCode::AttributeNotTaken);
    assert_eq!(count.unwrap().count, 17);
    let start = findings.listed().find(|finding| finding.pointer.ends_with("startDate")).unwrap();
    assert!(
        start.text().en.contains("persons[].enrolments[].startDate")
            && start.text().sv.contains("antal ställen: 2")
    );
    // No row has it: it is about none of them.
    assert_eq!(findings.records(), accept(&complete()).unwrap().1.records());
    // A name that nobody knows is refused, in the same places.
    for strange in ["/persons/0/startDate", "/duties/0/person/startDate", "/persons/0/enrolments/0/grader"] {
        let found = found(&setting(strange, Some(json!("x"))));
        assert_eq!(found, [(FindingCode::UnknownAttribute, strange.to_owned())]);
    }
}

#[test]
fn who_is_named_twice_is_sent_once() {
    let twice = |body: &mut Value, list: &str| {
        let entry = body.pointer(list).unwrap().as_array().unwrap()[0].clone();
        body.pointer_mut(list).unwrap().as_array_mut().unwrap().push(entry);
    };
    let body = with(|body| {
        for list in ["/groups/0/groupMemberships", "/activities/0/groups", "/activities/0/teachers"] {
            twice(body, list);
        }
    });
    let (submission, findings) = accept(&body).unwrap();
    let plain = parse(&complete()).unwrap();
    assert_eq!(submission.groups[0].wire(), plain.groups[0].wire());
    assert_eq!(submission.activities[0].wire(), plain.activities[0].wire());
    let reported: Vec<_> =
        findings.listed().map(|finding| (finding.kind.code, finding.pointer.as_str())).collect();
    for expected in [
        (FindingCode::MemberNamedTwice, "/groups/0/groupMemberships/1/person/id"),
        (FindingCode::GroupNamedTwice, "/activities/0/groups/1/id"),
        (FindingCode::TeacherNamedTwice, "/activities/0/teachers/1/duty/id"),
    ] {
        assert!(reported.contains(&expected), "{reported:?}");
    }
    // Nothing is reported twice.
    let before = accept(&complete()).unwrap().1.counts().len();
    assert_eq!(findings.counts().len(), before + 3);
    assert!(findings.counts().iter().all(|count| count.count == 1), "{:?}", findings.counts());
}

#[test]
fn of_a_kind_the_first_ten_records_are_named() {
    let (_, findings) = accept(&with(|body| {
        body["options"]["validation"] = json!("warnOnly");
        let student = body["persons"][0].clone();
        for number in 0..12 {
            let mut other = student.clone();
            other["id"] = json!(format!("77777777-0000-4000-8000-{number:012}"));
            other["eduPersonPrincipalNames"] = json!([format!("k7q2x{number}@edu.example.se")]);
            other["civicNo"]["value"] = json!("201401019806");
            body["persons"].as_array_mut().unwrap().push(other);
        }
    }))
    .unwrap();
    let digit = findings.counts().iter().find(|count| count.kind.code == FindingCode::CivicNumberCheckDigit);
    let digit = digit.unwrap();
    assert_eq!((digit.count, digit.first_record_ids.len()), (12, 10));
    assert_eq!(digit.first_record_ids[9].to_string(), "77777777-0000-4000-8000-000000000009");
    // All of them have the finding.
    let last = "77777777-0000-4000-8000-000000000011".parse().unwrap();
    assert!(findings.records().of(last).contains(&FindingCode::CivicNumberCheckDigit));
    assert!(!findings.records().of(STUDENT.parse().unwrap()).contains(&FindingCode::CivicNumberCheckDigit));
}
