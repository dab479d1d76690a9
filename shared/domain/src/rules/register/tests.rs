use serde_json::{Value, json};

use super::*;
use crate::kind::finding_code::{FindingCode, Severity};
use crate::kind::skolverket_id::skolverket_id;
use crate::rules::finding::{Finding, Findings, MAX_LISTED};
use crate::sample::{ACTIVITY, DUTY, GROUP, STUDENT, TEST, UNIT, complete, read};
use crate::submission::plan::Plan;

const NOW: &str = "2026-11-23T12:00:00Z";

/// The sample, with both enrolments of its student.
fn body() -> Value {
    let mut body = complete();
    body["persons"][0]["enrolments"][0]["cancelled"] = json!(false);
    body
}

fn mentions(change: impl FnOnce(&mut Value)) -> Mentions {
    let mut body = body();
    change(&mut body);
    Mentions::of(&read(&body).content)
}

fn unit(attributes: Value) -> KnownUnit {
    let mut unit = json!({"id": UNIT, "displayName": "x", "schoolUnitCode": "31279295"});
    unit.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    KnownUnit::Own(Arc::new(serde_json::from_value(unit).unwrap()))
}

fn programme(attributes: Value) -> Arc<Programme> {
    let mut programme = json!({"id": skolverket_id("EKJURV"), "displayName": "x", "educationCode": "EKJURV"});
    programme.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    Arc::new(serde_json::from_value(programme).unwrap())
}

/// Everything that the sample names exists, and nothing is reported.
fn known() -> Known {
    Known {
        school_units: [(UNIT.parse().unwrap(), unit(json!({})))].into(),
        programmes: [(skolverket_id("EKJURV"), Some(programme(json!({}))))].into(),
        tests: [(
            TEST.parse().unwrap(),
            Some(Arc::new(NationalTest {
                id: TEST.parse().unwrap(),
                display_name: Some("MATMAT01".to_owned()),
            })),
        )]
        .into(),
    }
}

#[test]
fn an_activity_gets_the_name_of_its_school_unit_and_the_codes_that_were_not_given() {
    let body = complete();
    let plan = Plan::of(&read(&body).content);
    let (mut activities, _) = plan.into_parts();
    assert_eq!(
        (&activities[0].test_code, &activities[0].school_unit.code),
        (&None, &None),
        "given by their ids"
    );
    known().name(&mut activities);
    let named = serde_json::to_value(&activities[0]).unwrap();
    assert_eq!(named["testCode"], "MATMAT01");
    assert_eq!(named["schoolUnit"], json!({"id": UNIT, "code": "31279295", "name": "x"}));
    let before = activities.clone();
    with_unit(KnownUnit::Nowhere).name(&mut activities);
    assert!(activities == before, "what is not known changes nothing");
}

fn with_unit(unit: KnownUnit) -> Known {
    Known { school_units: [(UNIT.parse().unwrap(), unit)].into(), ..known() }
}

fn with_programme(programme: Option<Arc<Programme>>) -> Known {
    Known { programmes: [(skolverket_id("EKJURV"), programme)].into(), ..known() }
}

/// The findings: code, rule, pointer.
fn reported(known: &Known) -> Vec<(FindingCode, Option<u8>, String)> {
    let mut findings = Findings::default();
    let not_checked = mentions(|_| ()).check(known, NOW.parse().unwrap(), &mut findings);
    assert_eq!(not_checked, []);
    let reported = |finding: &Finding| (finding.kind.code, finding.kind.rule, finding.pointer.clone());
    findings.listed().map(reported).collect()
}

/// That it is missing is reported elsewhere, whether or not the register answers.
#[test]
fn a_blank_study_path_is_not_looked_up() {
    let named = |code: &str| {
        mentions(|body| body["persons"][0]["enrolments"][0]["educationCode"] = json!(code))
            .programmes()
            .count()
    };
    assert_eq!([named("EKJURV"), named(""), named(" ")], [1, 0, 0]);
}

/// A thing that many records name is contradicted for all of them.
#[test]
fn every_record_that_a_contradiction_is_about_is_marked() {
    let mentions = mentions(|body| {
        for number in 0..150 {
            let mut person = body["persons"][0].clone();
            person["id"] = json!(format!("77777777-0000-4000-8000-{number:012}"));
            body["persons"].as_array_mut().unwrap().push(person);
        }
    });
    let mut findings = Findings::default();
    mentions.check(&with_unit(KnownUnit::Nowhere), NOW.parse().unwrap(), &mut findings);
    let marked = |number: u32| {
        let id = format!("77777777-0000-4000-8000-{number:012}").parse().unwrap();
        findings.records().of(id) == [FindingCode::SchoolUnitUnknown]
    };
    assert!((0..150).all(marked));
    assert_eq!(findings.counts()[0].first_record_ids.len(), 10);
}

#[test]
fn what_the_registers_do_not_contradict_is_not_mentioned() {
    assert_eq!(reported(&known()), []);
    let years = |last: u8| (1..=last).map(|year| json!({"schoolYear": year})).collect::<Vec<_>>();
    let types =
        json!([{"schoolType": "GY", "schoolYears": years(3)}, {"schoolType": "GR", "schoolYears": years(9)}]);
    let whole = json!({"schoolTypes": types, "status": "Active", "dnpStatus": true, "extra": {}});
    assert_eq!(reported(&with_unit(unit(whole))), []);
    // Absent and null decide nothing.
    for silent in
        [json!({"schoolTypes": []}), json!({"schoolTypes": null, "status": null, "parentOrganisation": null})]
    {
        assert_eq!(reported(&with_unit(unit(silent))), []);
    }
    let path = programme(json!({"status": "Active", "validFrom": "2011-07-01T00:00:00+02:00"}));
    assert_eq!(reported(&with_programme(Some(path))), []);
}

#[test]
fn a_missing_school_unit_is_reported_wherever_it_is_named() {
    let pointers = [
        "/persons/0/enrolments/0/enroledAt",
        "/persons/0/enrolments/1/enroledAt",
        "/duties/0/dutyAt",
        "/groups/0/organisation",
        "/activities/0/organisation",
    ];
    for (unit, code) in [
        (KnownUnit::Nowhere, FindingCode::SchoolUnitUnknown),
        (others(json!({"schoolTypes": [{"schoolType": "FS"}]})), FindingCode::SchoolUnitOfAnother),
        (unit(json!({"status": "Expired"})), FindingCode::SchoolUnitOutOfUse),
        (unit(json!({"dnpStatus": false})), FindingCode::SchoolUnitOutOfUse),
    ] {
        let expected = pointers.map(|pointer| (code, Some(3), pointer.to_owned()));
        assert_eq!(reported(&with_unit(unit)), expected);
    }
}

fn others(attributes: Value) -> KnownUnit {
    match unit(attributes) {
        KnownUnit::Own(unit) => KnownUnit::Others(unit),
        other => other,
    }
}

#[test]
fn whose_a_school_unit_is_is_what_the_register_says() {
    let organisation = "5567044268".parse().unwrap();
    let is_of_another = |attributes: Value| match unit(attributes) {
        KnownUnit::Own(unit) => unit.is_of_another(&organisation),
        _ => unreachable!(),
    };
    assert!(!is_of_another(json!({})));
    for own in ["5567044268", "165567044268", "SE5567044268", "okänt"] {
        assert!(
            !is_of_another(json!({"parentOrganisation": {"id": UNIT, "organisationNumber": own}})),
            "{own}"
        );
    }
    assert!(is_of_another(json!({"parentOrganisation": {"id": UNIT, "organisationNumber": "2120000142"}})));
}

#[test]
fn a_school_type_or_year_that_is_not_offered_is_reported_where_it_is_named() {
    let gy_only = unit(json!({"schoolTypes": [{"schoolType": "GY", "schoolYears": []}]}));
    let not_offered = FindingCode::SchoolTypeNotOffered;
    assert_eq!(
        reported(&with_unit(gy_only)),
        [
            (not_offered, Some(9), "/persons/0/enrolments/1/schoolType".to_owned()),
            (not_offered, Some(14), "/groups/0/schoolType".to_owned()),
        ]
    );
    let to_year_five =
        json!([{"schoolType": "GR", "schoolYears": [{"schoolYear": 5}]}, {"schoolType": "GY"}]);
    assert_eq!(
        reported(&with_unit(unit(json!({"schoolTypes": to_year_five})))),
        [(FindingCode::SchoolYearNotOffered, Some(9), "/persons/0/enrolments/1/schoolYear".to_owned())]
    );
}

#[test]
fn adult_education_may_be_registered_without_its_levels() {
    let mentions = mentions(|body| {
        body["persons"][0]["enrolments"] = json!([{"enroledAt": {"id": UNIT}, "schoolType": "VUXGY"}]);
        body["groups"][0]["schoolType"] = json!("VUXGY");
    });
    let count = |school_type: &str| {
        let mut findings = Findings::default();
        let known = with_unit(unit(json!({"schoolTypes": [{"schoolType": school_type}]})));
        mentions.check(&known, NOW.parse().unwrap(), &mut findings);
        findings.total(Severity::Error)
    };
    assert_eq!(["VUX", "VUXGY", "VUXGR"].map(count), [0, 0, 2]);
}

#[test]
fn a_study_path_must_be_there_and_in_use() {
    let at = |code| [(code, Some(9), "/persons/0/enrolments/0/educationCode".to_owned())];
    assert_eq!(reported(&with_programme(None)), at(FindingCode::EducationCodeUnknown));
    let to_come = programme(json!({"status": "New", "validFrom": "2027-07-01T00:00:00+02:00"}));
    assert_eq!(reported(&with_programme(Some(to_come))), at(FindingCode::EducationCodeToCome));
    for status in ["New", "Expired"] {
        let path = programme(json!({"status": status}));
        assert_eq!(reported(&with_programme(Some(path))), at(FindingCode::EducationCodeOutOfUse));
    }
}

#[test]
fn what_an_enrolment_says_that_was_cancelled_is_not_held_against_the_registers() {
    let cancelled = mentions(|body| body["persons"][0]["enrolments"][0]["cancelled"] = json!(true));
    assert_eq!(cancelled.programmes().count(), 0);
    let gr_only = unit(json!({"schoolTypes": [{"schoolType": "GR"}]}));
    let known = Known { programmes: HashMap::new(), ..with_unit(gr_only) };
    let mut findings = Findings::default();
    assert_eq!(cancelled.check(&known, NOW.parse().unwrap(), &mut findings), []);
    assert_eq!(findings.counts(), []);
}

#[test]
fn a_test_must_be_there() {
    let none = Known { tests: [(TEST.parse().unwrap(), None)].into(), ..known() };
    assert_eq!(
        reported(&none),
        [(FindingCode::TestUnknown, Some(3), "/activities/0/parentActivity".to_owned())]
    );
}

#[test]
fn what_is_not_known_is_not_checked_and_what_is_not_named_need_not_be() {
    let mut findings = Findings::default();
    let check = |mentions: &Mentions, known: &Known, findings: &mut Findings| {
        mentions.check(known, NOW.parse().unwrap(), findings)
    };
    let all = [Register::SchoolUnits, Register::Programmes, Register::TestActivities];
    assert_eq!(check(&mentions(|_| ()), &Known::default(), &mut findings), all);
    let without_paths = mentions(|body| {
        body["persons"][0]["enrolments"].as_array_mut().unwrap().remove(0);
    });
    let known = Known { programmes: HashMap::new(), ..known() };
    assert_eq!(check(&without_paths, &known, &mut findings), []);
    assert_eq!(findings.counts(), []);
    assert_eq!(check(&Mentions::default(), &Known::default(), &mut findings), []);
    for register in all {
        let text = register.not_checked();
        assert!(!text.en.is_empty() && !text.sv.is_empty() && text.en != text.sv);
    }
}

#[test]
fn a_finding_names_its_record_and_its_part_and_the_rest_is_counted() {
    let read = read(&body()).content;
    let mut mentions = Mentions::default();
    for index in 0..150 {
        mentions.activity(At { part: Some(2), index }, read.activities[0].record());
    }
    mentions.group(At { part: Some(1), index: 7 }, read.groups[0].record());
    mentions.duty(At { part: Some(1), index: 0 }, read.duties[0].record());
    mentions.person(At { part: None, index: 3 }, read.persons[0].record());
    let known = Known { tests: [(TEST.parse().unwrap(), None)].into(), ..with_unit(KnownUnit::Nowhere) };
    let mut findings = Findings::default();
    mentions.check(&known, NOW.parse().unwrap(), &mut findings);
    let counts: Vec<_> = findings.counts().iter().map(|count| (count.kind.code, count.count)).collect();
    // Of the school unit: 150 activities, a group, a duty, two enrolments.
    assert_eq!(counts, [(FindingCode::SchoolUnitUnknown, 154), (FindingCode::TestUnknown, 150)]);
    let last = findings.listed().last().unwrap();
    assert_eq!(
        (last.pointer.as_str(), last.record_id),
        ("/parts/2/activities/99/parentActivity", ACTIVITY.parse().ok())
    );
    // The places of one entry are stored up to the number that is listed, so each kind of record is named here.
    let mut few = Mentions::default();
    few.group(At { part: Some(1), index: 7 }, read.groups[0].record());
    few.duty(At { part: Some(1), index: 0 }, read.duties[0].record());
    few.person(At { part: None, index: 3 }, read.persons[0].record());
    let mut findings = Findings::default();
    few.check(&known, NOW.parse().unwrap(), &mut findings);
    let named: Vec<_> = findings
        .listed()
        .map(|finding| (finding.pointer.as_str(), finding.record_id.unwrap().to_string()))
        .collect();
    assert_eq!(
        named,
        [
            ("/parts/1/groups/7/organisation", GROUP.to_owned()),
            ("/parts/1/duties/0/dutyAt", DUTY.to_owned()),
            ("/persons/3/enrolments/0/enroledAt", STUDENT.to_owned()),
            ("/persons/3/enrolments/1/enroledAt", STUDENT.to_owned()),
        ]
    );
}

/// A send that names more than there is in the country: the rest is reported as not checked.
#[test]
fn memory_is_bounded_whatever_a_send_names() {
    let read = read(&body()).content;
    let mut mentions = Mentions::default();
    let mut activity = read.activities[0].record().clone();
    for index in 0..70_000_usize {
        activity.parent_activity.id = uuid::Uuid::from_u128(index as u128 % 30_000);
        mentions.activity(At { part: Some(1), index }, &activity);
    }
    assert_eq!(mentions.tests().count(), mention::MOST_THINGS);
    // One school unit, and twenty thousand tests twice or more.
    let kept: usize = mentions.tests.known.values().map(|places| places.first.len()).sum();
    assert!((mention::MOST_THINGS..=50_000).contains(&kept), "{kept}");
    assert!(size_of::<mention::Place>() <= 56);
    let known = Known { tests: mentions.tests().map(|id| (id, None)).collect(), ..known() };
    let mut findings = Findings::default();
    let not_checked = mentions.check(&known, NOW.parse().unwrap(), &mut findings);
    assert_eq!(not_checked, [Register::TestActivities]);
    assert_eq!(findings.counts()[0].count, 50_000, "all places of the first 20,000");
    assert_eq!(findings.listed().count(), MAX_LISTED);
}

#[test]
fn one_odd_school_unit_costs_the_others_nothing() {
    let units = json!({"schoolUnits": [{"id": UNIT}, {"id": null}, null, {"id": TEST, "displayName": 3}]});
    let organiser: Organiser = serde_json::from_value(units).unwrap();
    let ids: Vec<_> = organiser.school_units.unwrap().iter().map(|unit| unit.id.to_string()).collect();
    assert_eq!(ids, [UNIT]);
    let unasked: Organiser = serde_json::from_value(json!({})).unwrap();
    assert_eq!(unasked.school_units, None);
}
