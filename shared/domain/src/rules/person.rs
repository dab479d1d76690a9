//! What a person is held to alone (rules 5–12).

use super::civic_number::CivicNumber;
use super::eppn::{self, Local};
use super::{Place, ProtectedIdentities};
use crate::finding::{FindingCode, Findings};
use crate::record::{Enrolment, Person};
use crate::vocabulary::{EmailType, SchoolType};

/// The longest name that is known to be taken (rule 12), in characters.
const LONGEST_NAME: usize = 64;
/// The one context of external identifiers (rule 10).
const EDU_ID: &str = "https://eduid.se";

/// Holds a person against the rules about one alone.
pub(crate) fn person(place: Place, person: &Person, protected: ProtectedIdentities, findings: &mut Findings) {
    let mut broken = |code, within: &str| {
        findings.broken(code, || (place.pointer(within), Some(person.id)));
    };
    let number = person.civic_no.value.expose();
    let civic_number = CivicNumber::read(number);
    if let Err(code) = civic_number {
        broken(code, "/civicNo/value");
    }
    if person.civic_no.nationality.as_deref().is_some_and(|nationality| nationality != "SE") {
        broken(FindingCode::Nationality, "/civicNo/nationality");
    }
    for (index, eppn) in person.edu_person_principal_names.iter().enumerate() {
        let mut broken = |code| broken(code, &format!("/eduPersonPrincipalNames/{index}"));
        let eppn = eppn.expose();
        if !eppn::has_form(eppn) {
            broken(FindingCode::EppnForm);
        }
        let local = Local::of(eppn);
        if local.shows_name(person.given_name.expose(), person.family_name.expose()) {
            broken(FindingCode::EppnShowsName);
        }
        // The number holds the date: one of them is enough.
        if let Ok(CivicNumber { born }) = civic_number {
            if local.shows_civic_number(number) {
                broken(FindingCode::EppnShowsCivicNumber);
            } else if local.shows_birth_date(born) {
                broken(FindingCode::EppnShowsBirthDate);
            }
        }
    }
    for (index, email) in person.emails.iter().flatten().enumerate() {
        if !matches!(email.kind, Some(EmailType::SkolaPersonal | EmailType::SkolaElev)) {
            broken(FindingCode::EmailType, &format!("/emails/{index}"));
        }
    }
    let enrolments = person.enrolments.iter().flatten().enumerate();
    let mut current = enrolments.filter(|(_, enrolment)| enrolment.is_current()).peekable();
    let student = current.peek().is_some();
    for (index, enrolment) in current {
        if let Some((code, attribute)) = missing(enrolment) {
            broken(code, &format!("/enrolments/{index}/{attribute}"));
        }
    }
    for (index, identifier) in person.external_identifiers.iter().flatten().enumerate() {
        let at = format!("/externalIdentifiers/{index}");
        if student {
            broken(FindingCode::ExternalIdentifierOfStudent, &at);
        }
        if identifier.context != EDU_ID {
            broken(FindingCode::ExternalIdentifierContext, &format!("{at}/context"));
        }
    }
    if person.is_protected() && protected == ProtectedIdentities::NotAttested {
        broken(FindingCode::ProtectedNotAttested, "/securityMarking");
    }
    let names = [
        ("/givenName", Some(&person.given_name)),
        ("/middleName", person.middle_name.as_ref()),
        ("/familyName", Some(&person.family_name)),
    ];
    for (at, name) in names {
        if name.is_some_and(|name| name.expose().chars().count() > LONGEST_NAME) {
            broken(FindingCode::LongName, at);
        }
    }
}

/// What an enrolment's school type requires and is not there (rule 9).
fn missing(enrolment: &Enrolment) -> Option<(FindingCode, &'static str)> {
    match enrolment.school_type {
        SchoolType::Gr | SchoolType::Sp | SchoolType::Sam if enrolment.school_year.is_none() => {
            Some((FindingCode::SchoolYearMissing, "schoolYear"))
        }
        SchoolType::Gy if enrolment.education_code.is_none() => {
            Some((FindingCode::EducationCodeMissing, "educationCode"))
        }
        _ => None,
    }
}
