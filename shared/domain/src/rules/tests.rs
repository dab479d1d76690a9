//! An accepted and a refused example of every rule.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::rows::{OTHER, Row, rows};
use crate::finding::{Finding, FindingCode, Severity, Validation};
use crate::rules::ProtectedIdentities;
use crate::sample::{DUTY, complete, read};
use crate::submission::Submission;

mod rows;

/// What is said of the sample after a change, without what is said of the sample itself.
fn found(change: impl Fn(&mut Value)) -> Vec<Finding> {
    let mut body = complete();
    let before: Vec<Finding> = read(&body).findings.listed().cloned().collect();
    change(&mut body);
    read(&body).findings.listed().filter(|finding| !before.contains(finding)).cloned().collect()
}

/// The sample's duty once more, under another id.
fn another_duty(body: &mut Value, role: &str) {
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
    assert_eq!(rules, (1..=16).collect());
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
const NAMES: [&str; 26] = [
    "eppnForm",
    "eppnShared",
    "studentAndStaff",
    "eppnShowsName",
    "eppnShowsBirthDate",
    "eppnShowsCivicNumber",
    "civicNumberForm",
    "civicNumberDate",
    "civicNumberCheckDigit",
    "nationality",
    "staffEmailMissing",
    "emailType",
    "schoolYearMissing",
    "educationCodeMissing",
    "externalIdentifierOfStudent",
    "externalIdentifierContext",
    "noEnrolmentNoDuty",
    "longName",
    "schoolUnitWithoutLeader",
    "groupWithoutMembers",
    "studentInTwoClasses",
    "memberOfOtherSchoolUnit",
    "memberOfOtherSchoolType",
    "severalTeachersAndGroups",
    "groupNotTeaching",
    "memberOfOtherSchoolYear",
];

#[test]
fn a_protected_person_goes_only_where_the_organiser_attests_its_routine() {
    let body = complete().to_string();
    let accepted = |protected| {
        let read = Submission::read(body.as_bytes(), protected).unwrap();
        [Validation::Strict, Validation::WarnOnly].map(|validation| !read.findings.refuse(validation))
    };
    assert_eq!(accepted(ProtectedIdentities::Attested), [true, true]);
    assert_eq!(accepted(ProtectedIdentities::NotAttested), [false, false]);
}

#[test]
fn what_cannot_be_known_is_not_said() {
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
