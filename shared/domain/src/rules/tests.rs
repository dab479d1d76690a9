//! An accepted and a refused example of every rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::rows::{OTHER, Row, rows};
use crate::kind::finding_code::{FindingCode, Severity};
use crate::rules::finding::Finding;
use crate::sample::{ATTESTED, DUTY, NOT_ATTESTED, UNIT, complete, read};
use crate::state::options::Validation;
use crate::submission::body::Submission;

mod rows;

/// The findings of the sample after a change, without those of the sample itself.
fn found(change: impl Fn(&mut Value)) -> Vec<Finding> {
    let mut body = complete();
    let before: Vec<Finding> = read(&body).findings.listed().cloned().collect();
    change(&mut body);
    read(&body).findings.listed().filter(|finding| !before.contains(finding)).cloned().collect()
}

/// The sample's duty once more, under another id.
pub(super) fn another_duty(body: &mut Value, role: &str) {
    let mut duty = body["duties"][0].clone();
    duty["id"] = json!(OTHER);
    duty["dutyRole"] = json!(role);
    body["duties"].as_array_mut().unwrap().push(duty);
}

#[test]
fn every_rule_is_kept_and_broken() {
    for Row { rule, kept, broken, code, pointer, record } in rows() {
        let of_rule = |findings: Vec<Finding>| -> Vec<Finding> {
            findings.into_iter().filter(|finding| finding.kind.rule == code.rule().or(Some(rule))).collect()
        };
        assert_eq!(of_rule(found(kept)), [], "rule {rule}, {code:?}: kept");
        let found = found(broken);
        let [finding] = &found[..] else { panic!("rule {rule}, {code:?}: {found:?}") };
        assert_eq!((finding.kind.code, finding.pointer.as_str()), (code, pointer), "rule {rule}");
        assert_eq!(finding.record_id, record.map(|id| id.parse().unwrap()), "rule {rule}, {code:?}");
    }
}

#[test]
fn every_rule_has_a_row() {
    let rules: BTreeSet<u8> = rows().iter().map(|row| row.rule).collect();
    assert_eq!(rules, (1..=17).collect());
}

/// A code that no row has is one that nobody has seen come up.
#[test]
fn every_code_of_a_rule_has_a_row() {
    let rows: BTreeSet<FindingCode> = rows().iter().map(|row| row.code).collect();
    // In the order of their names; the last one is the one after which there is none.
    let all = (0..).map_while(|at| serde_json::from_value::<FindingCode>(json!(NAMES.get(at)?)).ok());
    let all: BTreeSet<FindingCode> = all.filter(|code| !code.is_binding()).collect();
    assert_eq!(all.len(), NAMES.len());
    assert!(all.is_subset(&rows), "{:?}", all.difference(&rows));
}

/// The codes that stand for one rule, as they are on the wire: stored sends have them.
const NAMES: [&str; 47] = [
    "namesBlank",
    "nameBlank",
    "nameControlCharacter",
    "nameInvisibleCharacter",
    "eppnInvisibleCharacter",
    "eppnForm",
    "eppnShared",
    "studentAndStaff",
    "eppnShowsName",
    "eppnShowsBirthDate",
    "eppnShowsCivicNumber",
    "civicNumberForm",
    "civicNumberDate",
    "civicNumberCheckDigit",
    "civicNumberBirthUnknown",
    "civicNumberBirthNumber",
    "civicNumberInFuture",
    "civicNumberShared",
    "nationality",
    "staffEmailMissing",
    "staffEmailForm",
    "emailType",
    "schoolYearMissing",
    "educationCodeMissing",
    "externalIdentifierOfStudent",
    "externalIdentifierContext",
    "noEnrolmentNoDuty",
    "longName",
    "schoolUnitWithoutLeader",
    "displayNameBlank",
    "memberNamedTwice",
    "staffMember",
    "memberCancelled",
    "groupWithoutMembers",
    "studentInTwoClasses",
    "memberOfOtherSchoolUnit",
    "memberOfOtherSchoolType",
    "activityWithoutTeachers",
    "groupNamedTwice",
    "teacherNamedTwice",
    "dutiesAlike",
    "groupOfOtherSchoolUnit",
    "teacherOfOtherSchoolUnit",
    "severalTeachersAndGroups",
    "groupNotTeaching",
    "memberOfOtherSchoolYear",
    "attributeNotTaken",
];

#[test]
fn a_protected_person_goes_only_where_the_organiser_attests_its_routine() {
    let body = complete().to_string();
    let accepted = |conditions| {
        let read = Submission::read(body.as_bytes(), conditions).unwrap();
        [Validation::Strict, Validation::WarnOnly].map(|validation| !read.findings.refuse(validation))
    };
    assert_eq!(accepted(ATTESTED), [true, true]);
    assert_eq!(accepted(NOT_ATTESTED), [false, false]);
}

#[test]
fn what_cannot_be_known_is_not_reported() {
    // Where references may be external, a duty or a principal may be at Skolverket already.
    let mut body = complete();
    body["options"]["references"] = json!("external");
    body["duties"] = json!([]);
    body["activities"][0]["teachers"] = json!([]);
    let codes = |body: &Value| {
        let read = read(body);
        read.findings.counts().iter().map(|count| count.kind.code).collect::<BTreeSet<_>>()
    };
    let absent = [FindingCode::NoEnrolmentNoDuty, FindingCode::SchoolUnitWithoutLeader];
    assert!(absent.iter().all(|code| !codes(&body).contains(code)));
    body["options"]["references"] = json!("internal");
    assert!(absent.iter().all(|code| codes(&body).contains(code)));
    // A duty that cannot be read may be the one that is missed.
    body["duties"] = json!([{"id": DUTY}]);
    assert!(absent.iter().all(|code| !codes(&body).contains(code)));
}

#[test]
fn an_address_of_staff_is_something_at_something_with_a_dot() {
    let reported = |address: &str| {
        found(|body| body["persons"][1]["emails"][0]["value"] = json!(address))
            .into_iter()
            .map(|finding| (finding.kind.code, finding.pointer))
            .collect::<Vec<_>>()
    };
    let malformed = [(FindingCode::StaffEmailForm, "/persons/1/emails/0/value".to_owned())];
    for address in [
        "",
        " ",
        "nobody",
        "nobody@",
        "@example.se",
        "a@example",
        "a b@example.se",
        "a@example.",
        "a@.se",
        "a\u{200b}@example.se",
    ] {
        assert_eq!(reported(address), malformed, "{address:?}");
    }
    for address in ["a@example.se", "å.b+c@skola.example.se", "a@b@example.se"] {
        assert_eq!(reported(address), [], "{address}");
    }
    // One that is good is enough.
    let two = found(|body| {
        let second = json!({"value": "siv", "type": "Skola personal"});
        body["persons"][1]["emails"].as_array_mut().unwrap().insert(0, second);
    });
    assert_eq!(two, []);
}

#[test]
fn twice_in_a_class_is_not_in_two_and_reported_once() {
    let found = found(|body| {
        body["groups"][0]["groupType"] = json!("Klass");
        body["groups"][0]["schoolType"] = json!("SAM");
        let member = body["groups"][0]["groupMemberships"][0].clone();
        body["groups"][0]["groupMemberships"].as_array_mut().unwrap().push(member);
    });
    let codes: Vec<_> = found.iter().map(|finding| finding.kind.code).collect();
    let expected =
        [FindingCode::MemberNamedTwice, FindingCode::MemberOfOtherSchoolType, FindingCode::GroupNotTeaching];
    assert_eq!(codes, expected);
}

#[test]
fn a_blank_study_path_is_none() {
    for code in ["", " ", "\u{200b}"] {
        let found = found(|body| {
            body["persons"][0]["enrolments"][0] =
                json!({"enroledAt": {"id": UNIT}, "schoolType": "GY", "educationCode": code});
        });
        let codes: Vec<_> = found.iter().map(|finding| finding.kind.code).collect();
        assert_eq!(codes, [FindingCode::EducationCodeMissing], "{code:?}");
    }
}

#[test]
fn a_name_is_as_long_as_it_is_composed() {
    let long = |name: String| !found(|body| body["persons"][0]["givenName"] = json!(name.clone())).is_empty();
    assert!(!long("A\u{30a}".repeat(64)));
    assert!(long("A\u{30a}".repeat(65)));
}

#[test]
fn the_same_civic_number_in_two_roles_is_one_person_twice_as_it_should_be() {
    // Somebody who is student and staff has two persons.
    let found = found(|body| {
        body["persons"][1]["civicNo"]["value"] = body["persons"][0]["civicNo"]["value"].clone();
    });
    assert_eq!(found, []);
}

#[test]
fn a_principal_or_an_administrator_leads_a_school_unit() {
    let of_unit = |role: &str| {
        let mut body = complete();
        another_duty(&mut body, role);
        read(&body)
            .findings
            .counts()
            .iter()
            .any(|count| count.kind.code == FindingCode::SchoolUnitWithoutLeader)
    };
    assert_eq!(["Rektor", "Skoladministratör", "Lärare"].map(of_unit), [false, false, true]);
}

#[test]
fn warn_only_lets_through_what_skolverket_may_judge_and_nothing_else() {
    for Row { rule, broken, code, .. } in rows() {
        let mut body = complete();
        broken(&mut body);
        let findings = read(&body).findings;
        let error = findings.total(Severity::Error) > 0;
        assert_eq!(findings.refuse(Validation::Strict), error, "rule {rule}, {code:?}");
        assert_eq!(findings.refuse(Validation::WarnOnly), code.is_binding(), "rule {rule}, {code:?}");
    }
}
