use std::collections::HashSet;

use super::*;
use crate::state::reason::{Reason, ReasonCode};
use crate::words::guidance::reasons::of_reason;

const CAUSES: [AuthorizationCause; 21] = [
    AuthorizationCause::SettingsMissing,
    AuthorizationCause::SettingsWrong,
    AuthorizationCause::EnvironmentNotAllowed,
    AuthorizationCause::CertificateMissing,
    AuthorizationCause::CertificateExpired,
    AuthorizationCause::CertificateNotYetValid,
    AuthorizationCause::OtherOrganisation,
    AuthorizationCause::NotRegistered,
    AuthorizationCause::CertificateRefused,
    AuthorizationCause::CertificateRevoked,
    AuthorizationCause::OrganisationNumberMissing,
    AuthorizationCause::WrongEnvironment,
    AuthorizationCause::TokenOfOtherOrganisation,
    AuthorizationCause::TokenWithoutOrganisation,
    AuthorizationCause::AuthorizationServerUnavailable,
    AuthorizationCause::AuthorizationServerUnreadable,
    AuthorizationCause::PinMismatch,
    AuthorizationCause::ServerNotTrusted,
    AuthorizationCause::RequestRefused,
    AuthorizationCause::Redirected,
    AuthorizationCause::UnforeseenAnswer,
];

fn message<'a>(id: &'a str, attribute: Option<&'a str>, parameter: Option<&'a str>) -> Message<'a> {
    Message { id, attribute, parameter, message_type: None }
}

fn all() -> Vec<Guidance> {
    let reasons = [
        ReasonCode::RecordErrors,
        ReasonCode::OutcomeUnknown,
        ReasonCode::EarlierJob,
        ReasonCode::Authorization,
        ReasonCode::Refused,
        ReasonCode::UnforeseenAnswer,
        ReasonCode::JobLost,
        ReasonCode::JobStuck,
        ReasonCode::Unfinished,
        ReasonCode::Cancelled,
        ReasonCode::Deadline,
        ReasonCode::UnreadableAnswer,
        ReasonCode::StoppedByOperator,
    ];
    let statuses = [None, Some(400), Some(401), Some(403), Some(404), Some(413), Some(418), Some(500)];
    let of_reasons = reasons
        .into_iter()
        .flat_map(|code| statuses.into_iter().map(move |status| of_reason(code, None, status)));
    let of_statuses = [408, 425, 429, 502, 503, 302, 202]
        .map(Some)
        .into_iter()
        .chain(statuses)
        .flat_map(|status| [true, false].map(|polled| of_call(status, polled, None)))
        .flatten();
    let of_outcomes = Outcome::ALL
        .iter()
        .flat_map(|outcome| [false, true].map(|dependency| of_outcome(*outcome, dependency)));
    of_reasons
        .chain(CAUSES.map(AuthorizationCause::guidance))
        .chain([authorization::OTHER_FORM, authorization::NO_TOKEN_IN_TIME, authorization::NO_TOKEN_READ])
        .chain(entries().map(|entry| entry.guidance))
        .chain(categories::TYPES.iter().map(|(_, guidance)| *guidance))
        .chain(of_statuses.copied())
        .chain(of_outcomes.flatten().copied())
        .chain(WaitCause::ALL.map(|cause| *cause.guidance()))
        .chain([UNKNOWN, *of_unknown_status()])
        .collect()
}

#[test]
fn no_two_rows_have_the_same_key() {
    let mut keys = HashSet::new();
    for entry in entries() {
        assert!(!entry.ids.is_empty() && !entry.about.is_empty());
        for id in entry.ids {
            for about in entry.about {
                let about = match about {
                    About::Attribute(name) => format!("attribute {}", name.to_lowercase()),
                    About::Parameter(name) => format!("parameter {}", name.to_lowercase()),
                    About::Any => "any".to_owned(),
                };
                assert!(keys.insert((*id, about.clone())), "{id}, {about}");
            }
        }
    }
    let types: HashSet<_> = categories::TYPES.iter().map(|(name, _)| name.to_lowercase()).collect();
    assert_eq!(types.len(), categories::TYPES.len());
}

#[test]
fn each_text_is_there_in_both_languages_as_sentences() {
    let all = all();
    assert!(all.len() > 50);
    for Guidance { meaning, action, .. } in all {
        for words in [meaning, action] {
            assert_ne!(words.sv, words.en, "one language twice");
            for text in [words.sv, words.en] {
                let first = text.chars().next().is_some_and(char::is_uppercase);
                assert!(first && text.ends_with('.') && text.trim() == text && text.len() > 8, "{text}");
            }
        }
    }
}

/// The answers that Skolverket documents, with the parameters that the published interface names, and the record checks
/// of the simulator.
#[test]
fn each_documented_answer_has_words_of_its_own() {
    for (id, attribute, parameter) in [
        ("2010", None, Some("ids")),
        ("2011", None, Some("id")),
        ("2025", None, Some("updateIfExists")),
        ("3085", None, Some("limit")),
        ("2011", Some("Enrolment.schoolYear"), None),
        ("3047", Some("eppn"), None),
        ("4001", None, Some("id")),
        ("5002", None, None),
        ("5004", None, None),
        ("5020", None, None),
        ("5021", None, None),
        ("5022", None, None),
        ("6001", None, None),
        ("4009", None, None),
        ("4001", Some("person"), None),
        ("4001", Some("groupMemberships"), None),
        ("4001", Some("groups"), None),
        ("4001", Some("teachers"), None),
        ("4001", None, None),
    ] {
        assert!(by_id(&message(id, attribute, parameter)).is_some(), "{id} {attribute:?} {parameter:?}");
    }
    for name in [
        "Ogiltigt format",
        "Ogiltigt värde",
        "Bristfälligt värde",
        "Behörighet saknas",
        "Teknisk begränsning",
        "Okänt fel",
        "Overload",
    ] {
        assert!(by_type(Some(name)).is_some(), "{name}");
    }
}

/// The names of the four kinds' attributes in the schema of the interface, as its messages use them.
#[test]
fn each_attribute_of_a_record_has_words_of_its_own() {
    for attribute in [
        "id",
        "CivicNo.value",
        "CivicNo.nationality",
        "civicNo",
        "givenName",
        "middleName",
        "familyName",
        "eduPersonPrincipalNames",
        "externalIdentifiers",
        "ExternalIdentifier.value",
        "ExternalIdentifier.context",
        "securityMarking",
        "emails",
        "Email.value",
        "Email.type",
        "enrolments",
        "Enrolment.enroledAt",
        "Enrolment.enroledAt.id",
        "Enrolment.schoolType",
        "Enrolment.schoolYear",
        "enrolments[0].schoolYear",
        "Enrolment.educationCode",
        "person.id",
        "dutyAt.id",
        "dutyRole",
        "displayName",
        "groupType",
        "schoolType",
        "organisation",
        "organisation.id",
        "groupMemberships",
        "GroupMembership.person.id",
        "activityType",
        "groups",
        "groups[3].id",
        "teachers",
        "DutyAssignment.duty.id",
        "parentActivity.id",
    ] {
        assert!(by_id(&message("2011", Some(attribute), None)).is_some(), "{attribute}");
    }
}

#[test]
fn an_id_means_what_its_attribute_says_then_what_its_type_says_then_nothing_is_guessed() {
    let year = of_message(&message("2011", Some("Enrolment.schoolYear"), None));
    let eppn = of_message(&message("2011", Some("eduPersonPrincipalNames"), None));
    let ours = of_message(&message("2011", None, Some("id")));
    assert_eq!((year.who, eppn.who, ours.who), (Who::StudentRegister, Who::IdentityProvider, Who::Operator));
    let typed = Message { message_type: Some("Ogiltigt format"), ..message("2011", Some("strange"), None) };
    assert_eq!(Some(of_message(&typed)), by_type(Some("ogiltigt format")));
    assert_eq!(of_message(&message("9999", Some("schoolYear"), None)), &UNKNOWN);
    assert_eq!(of_message(&message("", None, None)), &UNKNOWN);
}

#[test]
fn only_calls_that_were_not_answered_as_hoped_for_are_explained() {
    assert_eq!((of_call(Some(202), false, None), of_call(Some(200), true, None)), (None, None));
    assert_eq!(of_call(Some(429), false, None), Some(of_message(&message("5021", None, None))));
    assert_eq!(of_call(Some(503), true, None), Some(of_message(&message("5022", None, None))));
    // While the system continues by itself nobody is asked to send: only the job that it ends asks for that.
    for (status, polled, ending) in [
        (404, true, of_reason(ReasonCode::JobLost, None, Some(404))),
        (400, false, of_reason(ReasonCode::Refused, None, Some(400))),
        (413, false, of_reason(ReasonCode::Refused, None, Some(413))),
    ] {
        let call = of_call(Some(status), polled, None).unwrap();
        assert!(call.action.en.starts_with("Nothing: the system"), "{status}");
        assert_ne!(call.action, ending.action, "{status}");
    }
    assert_eq!(
        of_call(Some(400), true, None),
        Some(&of_reason(ReasonCode::Refused, None, Some(400))),
        "not divided"
    );
    assert_ne!(of_call(Some(404), false, None), of_call(Some(404), true, None), "no job was asked for");
}

#[test]
fn an_answer_that_cannot_be_read_is_not_one_that_did_not_come() {
    let meaning = |cause: WaitCause| cause.guidance().meaning.en;
    for cause in [WaitCause::UnreadableAnswer, WaitCause::AnswerTooLarge] {
        assert!(meaning(cause).starts_with("Skolverket answered, but"), "{cause:?}");
        assert!(cause.is_unreadable());
        assert_eq!(of_call(Some(200), true, Some(cause)), Some(cause.guidance()));
    }
    assert!(meaning(WaitCause::NotReached).contains("could not be reached"));
    let distinct: HashSet<_> = WaitCause::ALL.map(meaning).into();
    assert_eq!(distinct.len(), WaitCause::ALL.len());
    let meaning = |code| Reason::new(code).guidance().meaning.en;
    assert!(meaning(ReasonCode::UnreadableAnswer).contains("could not be read"));
    assert!(meaning(ReasonCode::Deadline).contains("could not be reached"));
}

#[test]
fn the_text_of_a_reason_is_its_guidance_and_its_status() {
    let refused = Reason::with_status(ReasonCode::Refused, 400);
    let text = refused.text();
    assert_eq!(
        text.en,
        "Skolverket refused a whole call. See the call's answer under the job and contact whoever operates the system. (HTTP 400)"
    );
    assert!(text.sv.starts_with(refused.guidance().meaning.sv));
    // A token that the API refuses has the same words for the call as for the job that it ends.
    let forbidden = Reason::with_status(ReasonCode::Authorization, 403).guidance();
    assert_eq!(&forbidden, of_message(&message("5002", None, None)));
}

#[test]
fn who_refused_is_distinguished() {
    // A refusal of the API is not reported as one of the authorization server, and the other way round.
    let by_api = [
        AuthorizationCause::WrongEnvironment.guidance(),
        Reason::with_status(ReasonCode::Authorization, 401).guidance(),
        Reason::with_status(ReasonCode::Authorization, 403).guidance(),
        *of_call(Some(401), false, None).unwrap(),
        *of_call(Some(403), true, None).unwrap(),
    ];
    for guidance in by_api {
        assert!(guidance.meaning.en.starts_with("Skolverket's API "), "{guidance:?}");
        assert!(guidance.meaning.sv.starts_with("Skolverkets API "), "{guidance:?}");
    }
    for api in &by_api[..3] {
        assert!(api.action.en.contains("organisation") && api.action.sv.contains("organisation"), "{api:?}");
    }
    let unreachable = AuthorizationCause::AuthorizationServerUnavailable;
    let by_server = [
        of_token_request(None, Some(unreachable)).unwrap(),
        of_token_request(Some(401), None).unwrap(),
        of_token_request(Some(200), Some(AuthorizationCause::AuthorizationServerUnreadable)).unwrap(),
        Reason { cause: Some(unreachable), ..Reason::new(ReasonCode::Deadline) }.guidance(),
        Reason { cause: Some(unreachable), ..Reason::new(ReasonCode::UnreadableAnswer) }.guidance(),
        *WaitCause::AuthorizationServer.guidance(),
        *WaitCause::AuthorizationServerUnreadable.guidance(),
    ];
    for guidance in by_server {
        assert!(guidance.meaning.en.starts_with("The authorization server"), "{guidance:?}");
        assert!(guidance.meaning.sv.starts_with("Auktorisationsservern"), "{guidance:?}");
    }
    assert_eq!(of_token_request(Some(200), None), None);
    let over = Reason { cause: Some(unreachable), ..Reason::new(ReasonCode::Deadline) }.guidance();
    assert!(over.action.en.starts_with("Resume"), "nobody tries again by himself: {over:?}");
}

#[test]
fn a_missing_member_or_teacher_is_explained_whatever_the_path_is_called() {
    let meaning = |attribute| of_message(&message("4001", Some(attribute), None));
    assert_eq!(meaning("groupMemberships[4].person.id"), meaning("GroupMembership.person"));
    assert_ne!(meaning("groupMemberships[4].person.id"), meaning("person"));
    assert_eq!(meaning("teachers[0].duty.id"), meaning("DutyAssignment.duty"));
}
