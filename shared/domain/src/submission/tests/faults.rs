//! Faults in the form of a body: each with its code, its place and its rule.

use serde_json::json;

use super::*;
use crate::rules::finding::MAX_LISTED;
use crate::sample::{ACTIVITY, ATTESTED, DUTY, NOBODY, TEACHER, complete, parse, setting, with};
use crate::submission::batch::MAX_BODY_BYTES;

#[test]
fn each_fault_has_its_code_its_place_and_its_rule() {
    use FindingCode::*;
    const EDU_ID: &str = "https://eduid.se";
    let long = "x".repeat(MAX_BODY_BYTES);
    let cases = [
        // What does not belong.
        ("/persons/0/shoeSize", Some(json!(1)), UnknownAttribute, "/persons/0/shoeSize", None),
        ("/persons/0/civicNo/Åsa Ek", Some(json!(1)), UnknownAttribute, "/persons/0/civicNo", None),
        (
            "/groups/0/organisation/testCode",
            Some(json!("A")),
            UnknownAttribute,
            "/groups/0/organisation/testCode",
            None,
        ),
        ("/options/references", Some(json!("elsewhere")), NotAllowed, "/options/references", Some(2)),
        ("/options/colour", Some(json!("red")), UnknownAttribute, "/options/colour", None),
        ("/upload", Some(json!(true)), UnknownAttribute, "/upload", None),
        // What is absent.
        ("/persons", None, MissingAttribute, "/persons", None),
        ("/persons/0/familyName", None, MissingAttribute, "/persons/0/familyName", Some(4)),
        ("/persons/0/civicNo/value", None, MissingAttribute, "/persons/0/civicNo/value", Some(4)),
        (
            "/persons/0/enrolments/1/schoolType",
            None,
            MissingAttribute,
            "/persons/0/enrolments/1/schoolType",
            Some(9),
        ),
        ("/duties/0/person/id", None, MissingAttribute, "/duties/0/person/id", Some(2)),
        ("/duties/0/dutyAt/id", None, MissingAttribute, "/duties/0/dutyAt", Some(3)),
        (
            "/groups/0/groupMemberships/0/person",
            None,
            MissingAttribute,
            "/groups/0/groupMemberships/0/person",
            Some(2),
        ),
        ("/activities/0/parentActivity", None, MissingAttribute, "/activities/0/parentActivity", Some(15)),
        // What has the wrong type.
        ("/options", Some(json!("stop")), WrongType, "/options", None),
        ("/duties", Some(json!({})), WrongType, "/duties", None),
        ("/groups/0", Some(json!("x")), WrongType, "/groups/0", None),
        ("/persons/0/middleName", Some(Value::Null), WrongType, "/persons/0/middleName", None),
        (
            "/persons/0/enrolments/1/schoolYear",
            Some(json!("6")),
            WrongType,
            "/persons/0/enrolments/1/schoolYear",
            Some(9),
        ),
        (
            "/persons/0/enrolments/1/schoolYear",
            Some(json!(6.5)),
            WrongType,
            "/persons/0/enrolments/1/schoolYear",
            Some(9),
        ),
        (
            "/persons/0/enrolments/1/cancelled",
            Some(json!(0)),
            WrongType,
            "/persons/0/enrolments/1/cancelled",
            None,
        ),
        ("/groups/0/organisation/id", Some(json!(1)), WrongType, "/groups/0/organisation/id", Some(3)),
        ("/duties/0/person", Some(json!(TEACHER)), WrongType, "/duties/0/person", Some(13)),
        // What has the wrong form.
        ("/persons/0/id", Some(json!("x")), WrongFormat, "/persons/0/id", Some(1)),
        (
            "/activities/0/id",
            Some(json!(ACTIVITY.replace('0', "A"))),
            WrongFormat,
            "/activities/0/id",
            Some(1),
        ),
        (
            "/activities/0/id",
            Some(json!(ACTIVITY.replace('-', ""))),
            WrongFormat,
            "/activities/0/id",
            Some(1),
        ),
        (
            "/duties/0/dutyAt",
            Some(json!({"schoolUnitCode": "3127929"})),
            WrongFormat,
            "/duties/0/dutyAt/schoolUnitCode",
            Some(3),
        ),
        (
            "/activities/0/parentActivity",
            Some(json!({"testCode": "MAT 1"})),
            WrongFormat,
            "/activities/0/parentActivity/testCode",
            Some(3),
        ),
        // What is outside the allowed values.
        (
            "/persons/0/enrolments/1/schoolYear",
            Some(json!(0)),
            NotAllowed,
            "/persons/0/enrolments/1/schoolYear",
            Some(9),
        ),
        (
            "/persons/0/enrolments/1/schoolYear",
            Some(json!(u64::MAX)),
            NotAllowed,
            "/persons/0/enrolments/1/schoolYear",
            Some(9),
        ),
        (
            "/persons/0/enrolments/1/schoolYear",
            Some(json!(11)),
            NotAllowed,
            "/persons/0/enrolments/1/schoolYear",
            Some(9),
        ),
        (
            "/persons/0/enrolments/1/schoolType",
            Some(json!("FSK")),
            NotAllowed,
            "/persons/0/enrolments/1/schoolType",
            Some(9),
        ),
        (
            "/persons/0/securityMarking",
            Some(json!("ingen")),
            NotAllowed,
            "/persons/0/securityMarking",
            Some(11),
        ),
        ("/persons/0/emails/0/type", Some(json!("Skola")), NotAllowed, "/persons/0/emails/0/type", Some(8)),
        ("/duties/0/dutyRole", Some(json!("Vaktmästare")), NotAllowed, "/duties/0/dutyRole", Some(13)),
        ("/groups/0/groupType", Some(json!("Mentor")), NotAllowed, "/groups/0/groupType", Some(14)),
        (
            "/activities/0/activityType",
            Some(json!("Provaktivitet")),
            NotAllowed,
            "/activities/0/activityType",
            Some(15),
        ),
        ("/options/onRecordErrors", Some(json!("perhaps")), NotAllowed, "/options/onRecordErrors", None),
        ("/duties/0/dutyAt/schoolUnitCode", Some(json!("31279295")), NotAllowed, "/duties/0/dutyAt", Some(3)),
        // Lists of the wrong length.
        ("/activities", Some(json!([])), WrongCount, "/activities", None),
        ("/activities/0/groups", Some(json!([])), WrongCount, "/activities/0/groups", Some(15)),
        // No EPPN, in whatever way.
        (
            "/persons/0/eduPersonPrincipalNames",
            None,
            EppnMissing,
            "/persons/0/eduPersonPrincipalNames",
            Some(5),
        ),
        (
            "/persons/0/eduPersonPrincipalNames",
            Some(json!([])),
            EppnMissing,
            "/persons/0/eduPersonPrincipalNames",
            Some(5),
        ),
        (
            "/persons/0/eduPersonPrincipalNames",
            Some(json!(["", " \u{200b}"])),
            EppnMissing,
            "/persons/0/eduPersonPrincipalNames",
            Some(5),
        ),
        (
            "/persons/0/eduPersonPrincipalNames",
            Some(Value::Null),
            EppnMissing,
            "/persons/0/eduPersonPrincipalNames",
            Some(5),
        ),
        // Names that are too long.
        (
            "/persons/0/middleName",
            Some(json!("a\u{30a}".repeat(256))),
            NameTooLong,
            "/persons/0/middleName",
            None,
        ),
        (
            "/persons/0/familyName",
            Some(json!("x".repeat(256))),
            NameTooLong,
            "/persons/0/familyName",
            Some(4),
        ),
        (
            "/groups/0/displayName",
            Some(json!("x".repeat(256))),
            NameTooLong,
            "/groups/0/displayName",
            Some(14),
        ),
        (
            "/activities/0/displayName",
            Some(json!("x".repeat(256))),
            NameTooLong,
            "/activities/0/displayName",
            Some(15),
        ),
        (
            "/persons/0/eduPersonPrincipalNames",
            Some(json!(["a@b.se", "c@d.se"])),
            WrongCount,
            "/persons/0/eduPersonPrincipalNames",
            Some(4),
        ),
        (
            "/persons/1/externalIdentifiers",
            Some(json!([{"value": "a", "context": EDU_ID}, {"value": "c", "context": EDU_ID}])),
            WrongCount,
            "/persons/1/externalIdentifiers",
            Some(10),
        ),
        // Ids, references, size.
        (
            "/activities/0/teachers/0/duty/id",
            Some(json!(NOBODY)),
            MissingReference,
            "/activities/0/teachers/0/duty/id",
            Some(2),
        ),
        (
            "/activities/0/teachers/0/duty/id",
            Some(json!(TEACHER)),
            MissingReference,
            "/activities/0/teachers/0/duty/id",
            Some(2),
        ),
        (
            "/activities/0/groups/0/id",
            Some(json!(NOBODY)),
            MissingReference,
            "/activities/0/groups/0/id",
            Some(2),
        ),
        (
            "/groups/0/groupMemberships/0/person/id",
            Some(json!(NOBODY)),
            MissingReference,
            "/groups/0/groupMemberships/0/person/id",
            Some(2),
        ),
        ("/duties/0/person/id", Some(json!(NOBODY)), MissingReference, "/duties/0/person/id", Some(2)),
        ("/persons/0/enrolments/0/educationCode", Some(json!(long)), TooLarge, "/persons/0", None),
    ];
    for (at, value, code, pointer, rule) in cases {
        let found = faults(&setting(at, value));
        let [fault] = &found[..] else { panic!("{at} {code:?}: {found:?}") };
        assert_eq!((fault.kind.code, fault.pointer.as_str(), fault.kind.rule), (code, pointer, rule), "{at}");
        assert!(code.is_binding());
        let text = fault.text();
        assert!(text.en.len() > 10 && text.sv.len() > 10 && text.en != text.sv, "{at}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let body = with(|body| {
        body["activities"][0]["groups"] = json!([{"id": NOBODY}]);
        body["activities"][0]["nmae"] = json!("x");
        body["groups"][0]["schoolType"] = json!("FSK");
        body["groups"][0]["groupMemberships"][0]["person"]["id"] = json!(DUTY);
        body["duties"][0].as_object_mut().unwrap().remove("dutyRole");
        body["persons"][1]["id"] = json!("x");
        body["persons"][0]["civicNo"]["value"] = json!(201_401_019_805_u64);
        body["persons"][1]["familyName"] = json!("x".repeat(300));
        body["options"]["onRecordErrors"] = json!("perhaps");
    });
    use FindingCode::*;
    let expected = [
        (UnknownAttribute, "/activities/0/nmae"),
        (MissingAttribute, "/duties/0/dutyRole"),
        (NotAllowed, "/groups/0/schoolType"),
        (WrongType, "/persons/0/civicNo/value"),
        (WrongFormat, "/persons/1/id"),
        (NameTooLong, "/persons/1/familyName"),
        (NotAllowed, "/options/onRecordErrors"),
        (MissingReference, "/groups/0/groupMemberships/0/person/id"),
        (MissingReference, "/activities/0/groups/0/id"),
    ];
    // The duty of the person without a readable id is not a fault of its own.
    assert_eq!(found(&body), expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn a_list_that_is_not_there_is_one_fault() {
    assert_eq!(found(&setting("/groups", None)), [(FindingCode::MissingAttribute, "/groups".to_owned())]);
    let empty = faults(&json!({}));
    let pointers: Vec<_> = empty.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/activities", "/groups", "/duties", "/persons"]);
}

#[test]
fn an_attribute_given_twice_is_refused() {
    let text = complete().to_string().replacen(r#""givenName":"#, r#""givenName":"Siv","givenName":"#, 1);
    let read = Submission::read(text.as_bytes(), ATTESTED).unwrap();
    let Err(Rejection::Faults(faults)) = read.accepted(Validation::WarnOnly) else { panic!("taken") };
    let listed: Vec<_> = faults.listed().map(|fault| (fault.kind.code, fault.pointer.as_str())).collect();
    assert_eq!(listed, [(FindingCode::DuplicateAttribute, "/persons/0/givenName")]);
}

#[test]
fn the_first_of_a_kind_are_listed_and_all_are_counted() {
    let mut body = complete();
    body["persons"][0]["emails"] = vec![json!({}); MAX_LISTED + 5].into();
    body["colour"] = json!("red");
    let Err(Rejection::Faults(faults)) = parse(&body) else { panic!("taken") };
    assert_eq!(faults.listed().count(), MAX_LISTED + 1);
    assert_eq!(faults.total(Severity::Error) as usize, MAX_LISTED + 6);
}

#[test]
fn what_is_no_json_is_not_readable() {
    for body in [&b""[..], b"[]", b"{", b"\xff", b"{\"activities\": NaN}"] {
        let Err(Rejection::NotReadable(unreadable)) = Submission::read(body, ATTESTED) else {
            panic!("{body:?}")
        };
        let text = unreadable.text();
        assert!(text.en.contains("line 1, column "), "{}", text.en);
        assert!(text.sv.contains("rad 1, kolumn "), "{}", text.sv);
    }
}

#[test]
fn findings_have_stable_names() {
    let fault = &faults(&setting("/duties/0/dutyRole", Some(json!("x"))))[0];
    let wire = serde_json::to_value(fault).unwrap();
    let names = ["code", "en", "mender", "pointer", "recordId", "rule", "severity", "sv"];
    assert_eq!(wire.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    let fixed = ["code", "mender", "recordId", "severity"].map(|name| wire[name].as_str().unwrap());
    assert_eq!(fixed, ["notAllowed", "studentRegister", DUTY, "error"]);
}
