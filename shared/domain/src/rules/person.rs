//! The rules for a single person (rules 4–12).

use crate::kind::attribute;
use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::record::{Enrolment, Person};
use crate::kind::vocabulary::{EmailType, SchoolType};
use crate::rules::civic_number::CivicNumber;
use crate::rules::conditions::{Conditions, ProtectedIdentities};
use crate::rules::eppn::{self, Local};
use crate::rules::finding::Findings;
use crate::rules::place::Place;

/// The longest name that is known to be taken (rule 12), in characters (code points in NFC).
const LONGEST_NAME: usize = 64;
/// The one context of external identifiers (rule 10).
const EDU_ID: &str = "https://eduid.se";

/// Holds a person against the rules about one alone.
pub(crate) fn person(place: Place, person: &Person, conditions: Conditions, findings: &mut Findings) {
    let mut broken = |code, within: &str| findings.broken(code, person.id, || place.pointer(within));
    names(person, &mut broken);
    let number = person.civic_no.value.expose();
    let civic_number = CivicNumber::read(number);
    match civic_number {
        Err(code) => broken(code, "/civicNo/value"),
        Ok(CivicNumber { born, without_birth_number }) => {
            let checks = [
                (born.is_none(), FindingCode::CivicNumberBirthUnknown),
                (without_birth_number, FindingCode::CivicNumberBirthNumber),
                (born.is_some_and(|born| born > conditions.today), FindingCode::CivicNumberInFuture),
            ];
            checks
                .into_iter()
                .filter(|(is_so, _)| *is_so)
                .for_each(|(_, code)| broken(code, "/civicNo/value"));
        }
    }
    if person.civic_no.nationality.as_deref().is_some_and(|nationality| nationality != "SE") {
        broken(FindingCode::Nationality, "/civicNo/nationality");
    }
    for (index, eppn) in person.edu_person_principal_names.iter().enumerate() {
        let mut broken = |code| broken(code, &format!("/eduPersonPrincipalNames/{index}"));
        let eppn = eppn.expose();
        // A missing EPPN is reported by the check of the form.
        if characters::is_blank(eppn) {
            continue;
        }
        if eppn::has_invisible(eppn) {
            broken(FindingCode::EppnInvisibleCharacter);
        } else if !eppn::has_form(eppn) {
            broken(FindingCode::EppnForm);
        }
        let local = Local::of(eppn);
        if local.shows_name(person.given_name.expose(), person.family_name.expose()) {
            broken(FindingCode::EppnShowsName);
        }
        // The number holds the date: one of them is enough.
        if let Ok(CivicNumber { born, .. }) = civic_number {
            if local.shows_civic_number(number) {
                broken(FindingCode::EppnShowsCivicNumber);
            } else if born.is_some_and(|born| local.shows_birth_date(born)) {
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
    if person.is_protected() && conditions.protected == ProtectedIdentities::NotAttested {
        broken(FindingCode::ProtectedNotAttested, "/securityMarking");
    }
}

/// Rules 4 and 12: what a name may not hold, and how long it is.
fn names(person: &Person, broken: &mut impl FnMut(FindingCode, &str)) {
    let (given, family) = (person.given_name.expose(), person.family_name.expose());
    match (characters::is_blank(given), characters::is_blank(family)) {
        (true, true) => broken(FindingCode::NamesBlank, ""),
        (true, false) => broken(FindingCode::NameBlank, "/givenName"),
        (false, true) => broken(FindingCode::NameBlank, "/familyName"),
        (false, false) => {}
    }
    let middle = person.middle_name.as_ref().map(|name| ("/middleName", name.expose()));
    for (at, name) in [("/givenName", given)].into_iter().chain(middle).chain([("/familyName", family)]) {
        if name.chars().any(char::is_control) {
            broken(FindingCode::NameControlCharacter, at);
        }
        if name.chars().any(characters::is_invisible) {
            broken(FindingCode::NameInvisibleCharacter, at);
        }
        // A name that is too long to be stored is reported by the check of the form.
        if (LONGEST_NAME + 1..=attribute::LONGEST_NAME).contains(&characters::length(name)) {
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
        SchoolType::Gy if enrolment.study_path().is_none() => {
            Some((FindingCode::EducationCodeMissing, "educationCode"))
        }
        _ => None,
    }
}
