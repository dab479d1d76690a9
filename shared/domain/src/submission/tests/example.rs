//! The example send that the local stack and the end-to-end tests start from.

use std::collections::HashSet;

use crate::kind::record_kind::RecordKind;
use crate::kind::vocabulary::{DutyRole, EmailType, GroupType, SchoolType};
use crate::sample::NOT_ATTESTED;
use crate::submission::body::Submission;
use crate::submission::plan::Plan;

const BODY: &str = include_str!("../../../../../tests/fixtures/prov-biologi.json");

fn submission() -> Submission {
    let read = Submission::read(BODY.as_bytes(), NOT_ATTESTED).unwrap();
    assert_eq!(read.findings.counts(), [], "nothing is to be said of it");
    read.content
}

/// The check digit over the last ten digits (domain rule 7).
fn luhn_holds(number: &str) -> bool {
    let doubled = number.bytes().skip(2).enumerate().map(|(at, digit)| {
        let product = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
        product / 10 + product % 10
    });
    doubled.sum::<u32>() % 10 == 0
}

#[test]
fn it_is_the_row_that_the_admin_knows() {
    let submission = submission();
    let plan = Plan::of(&submission);
    let [activity] = &plan.activities[..] else { panic!() };
    assert_eq!(activity.display_name, "Prov Biologi");
    assert_eq!(activity.test_code.as_ref().unwrap().as_str(), "GRGRBIO01_6");
    assert_eq!(activity.school_unit.code.as_ref().unwrap().as_str(), "31279295");
    assert_eq!((activity.groups, activity.students, activity.teachers), (1, Some(16), 7));
    let records = RecordKind::ALL.map(|kind| {
        let [batch] = plan.batches(kind) else { panic!("{kind}") };
        batch.ids.len()
    });
    assert_eq!(records, [25, 9, 2, 1]);
}

#[test]
fn class_and_teaching_group_have_the_same_students() {
    let submission = submission();
    let [teaching, class] = &submission.groups[..] else { panic!() };
    assert_eq!(teaching.record().group_type, GroupType::Undervisning);
    assert_eq!(class.record().group_type, GroupType::Klass);
    let students: HashSet<_> = teaching.record().members().collect();
    assert_eq!(students, class.record().members().collect());
    let activity = submission.activities[0].record();
    assert_eq!(activity.groups.iter().map(|group| group.id).collect::<Vec<_>>(), [teaching.record().id]);

    for person in submission.persons.iter().map(|entry| entry.record()) {
        let duty =
            submission.duties.iter().map(|entry| entry.record()).find(|duty| duty.person.id == person.id);
        let enrolments: Vec<_> = person.enrolments.iter().flatten().collect();
        if students.contains(&person.id) {
            let [enrolment] = enrolments[..] else { panic!() };
            assert_eq!((enrolment.school_year, enrolment.school_type), (Some(6), SchoolType::Gr));
            assert!(duty.is_none());
        } else {
            let duty = duty.unwrap();
            assert!(enrolments.is_empty());
            assert!(person.emails.iter().flatten().any(|email| email.kind == Some(EmailType::SkolaPersonal)));
            let teaches = activity.teachers.iter().flatten().any(|teacher| teacher.duty.id == duty.id);
            assert_eq!(teaches, duty.duty_role == DutyRole::Larare);
        }
    }
    let of_role = |role| submission.duties.iter().filter(|entry| entry.record().duty_role == role).count();
    assert_eq!([DutyRole::Larare, DutyRole::Rektor, DutyRole::Skoladministrator].map(of_role), [7, 1, 1]);
}

#[test]
fn its_people_are_made_up() {
    let submission = submission();
    let mut taken = HashSet::new();
    for person in submission.persons.iter().map(|entry| entry.record()) {
        let number = person.civic_no.value.expose();
        assert!(number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit()));
        // The tax agency sets these birth numbers apart for tests.
        assert!((980..=999).contains(&number[8..11].parse::<u16>().unwrap()), "birth number");
        assert!(luhn_holds(number), "check digit");
        assert!(
            format!("{}-{}-{}", &number[..4], &number[4..6], &number[6..8])
                .parse::<jiff::civil::Date>()
                .is_ok()
        );
        let student = person.enrolments.is_some();
        assert_eq!(student, number.starts_with("2014"));

        let eppn = person.edu_person_principal_names[0].expose();
        let (local, domain) = eppn.split_once('@').unwrap();
        assert_eq!(domain, "edu.example.se");
        assert!(local.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert!(taken.insert(number.to_owned()) && taken.insert(eppn.to_owned()));

        // Domain rule 6.
        let fold =
            |name: &str| name.to_lowercase().replace(['å', 'ä'], "a").replace(['ö'], "o").replace('é', "e");
        let start = |name: &str, letters: usize| fold(name).chars().take(letters).collect::<String>();
        let (given, family) = (person.given_name.expose(), person.family_name.expose());
        assert!(!eppn.contains(&start(family, 3)), "first three letters of the surname");
        assert!(
            !(eppn.contains(&start(family, 2)) && eppn.contains(&start(given, 2))),
            "first two of each name"
        );
        assert!(!eppn.contains(&number[2..8]), "birth date");
    }
}

#[test]
fn a_wrong_check_digit_would_be_seen() {
    assert!(luhn_holds("191212121212"));
    assert!(!luhn_holds("191212121213") && !luhn_holds("191212121221"));
}
