//! Why there is no token: the cause of a failed token request, and whether it may pass.

use jiff::{SignedDuration, Timestamp};
use stafett_domain::{AuthorizationCause, Reason};
use stafett_skolverket::{Credentials, Identity, TlsFailure, TokenFailure};

/// Why a step has no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// There will be no token, even if the organiser asks again.
    Refused(Reason),
    /// A later request may succeed.
    Later(Reason),
}

impl NoToken {
    /// The reason why there is no token.
    pub(crate) fn reason(&self) -> &Reason {
        match self {
            Self::Refused(reason) | Self::Later(reason) => reason,
        }
    }
}

/// The reason why a token request failed at this time, and whether a later request may succeed.
pub(crate) fn no_token(failure: &TokenFailure, identity: &Identity, now: Timestamp) -> NoToken {
    let later = |cause, http_status| NoToken::Later(Reason { http_status, ..Reason::authorization(cause) });
    let cause = match failure {
        TokenFailure::Unavailable { status } => {
            return later(AuthorizationCause::AuthorizationServerUnavailable, *status);
        }
        TokenFailure::NotReadable { status } => {
            return later(AuthorizationCause::AuthorizationServerUnreadable, Some(*status));
        }
        TokenFailure::Refused { status, text } => {
            let cause = refused(*status, text.as_deref().unwrap_or_default(), identity, now);
            let server_text = text.clone();
            let http_status = Some(*status);
            return NoToken::Refused(Reason { http_status, server_text, ..Reason::authorization(cause) });
        }
        TokenFailure::OfAnother(named) => {
            let cause = AuthorizationCause::TokenOfOtherOrganisation;
            let server_text = Some(format!("organization_id: {named}"));
            return NoToken::Refused(Reason { server_text, ..Reason::authorization(cause) });
        }
        TokenFailure::OfNobody => AuthorizationCause::TokenWithoutOrganisation,
        TokenFailure::Tls(TlsFailure::PinMismatch) => AuthorizationCause::PinMismatch,
        TokenFailure::Tls(TlsFailure::ServerNotTrusted) => AuthorizationCause::ServerNotTrusted,
        // RFC 8446: "a certificate has expired or is not currently valid".
        TokenFailure::Tls(TlsFailure::ClientExpired) => {
            out_of_date(identity, now).unwrap_or(AuthorizationCause::CertificateExpired)
        }
        TokenFailure::Tls(TlsFailure::ClientRevoked) => AuthorizationCause::CertificateRevoked,
        TokenFailure::Tls(TlsFailure::ClientRefused) => AuthorizationCause::CertificateRefused,
        TokenFailure::NoCertificate => AuthorizationCause::CertificateMissing,
        TokenFailure::NoEnvironment => AuthorizationCause::EnvironmentNotAllowed,
        TokenFailure::NoTls => AuthorizationCause::SettingsWrong,
    };
    NoToken::Refused(Reason::authorization(cause))
}

/// The API answered a new token with this status. The server that issues tokens checks neither type nor location, and
/// gives tokens to organisations that the API does not know.
pub(crate) fn new_token_refused(status: u16) -> Reason {
    Reason { http_status: Some(status), ..Reason::authorization(AuthorizationCause::WrongEnvironment) }
}

/// The cause of a refusal. The status decides. A 401 has many causes, so the server's text and the organiser's identity
/// are used too. The texts are those of the server's published code, old and new (shared/README, Skolverket 9), and of
/// proxies that may end TLS before it: nginx answers "The SSL certificate error" and "No required SSL certificate was
/// sent", with 400 or with a status of its own.
fn refused(status: u16, text: &str, identity: &Identity, now: Timestamp) -> AuthorizationCause {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match status {
        400 | 495 | 496 if status != 400 || says(&["ssl certificate", "tls certificate"]) => {
            return out_of_date(identity, now).unwrap_or(AuthorizationCause::CertificateRefused);
        }
        400 | 422 => return AuthorizationCause::RequestRefused,
        300..=399 => return AuthorizationCause::Redirected,
        401 | 403 => {}
        _ => return AuthorizationCause::UnforeseenAnswer,
    }
    let organisation = ["organisation", "organization", "org id", "org number", "org_id"];
    let missing = ["no ", "missing", "not found", "without", "lack"];
    if says(&["expired", "not yet valid", "not valid yet", "validity"]) {
        // One sentence may mean both. If the certificate's own dates show one of them, they decide.
        out_of_date(identity, now).unwrap_or(if says(&["not yet valid", "not valid yet", "validity"]) {
            AuthorizationCause::CertificateRefused
        } else {
            AuthorizationCause::CertificateExpired
        })
    } else if says(&["revoked"]) {
        AuthorizationCause::CertificateRevoked
    } else if says(&organisation) && says(&missing) {
        AuthorizationCause::OrganisationNumberMissing
    } else if says(&["certificate", "fingerprint", "mtls"]) || identity.entity_id.is_none() {
        AuthorizationCause::CertificateRefused
    } else {
        AuthorizationCause::NotRegistered
    }
}

/// The clocks of servers and issuers may differ by this much at the start and end of a certificate.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);

/// Whether the organiser's certificate is not yet valid or has expired, by its own dates; `None` if it is valid.
fn out_of_date(identity: &Identity, now: Timestamp) -> Option<AuthorizationCause> {
    let certificate = identity.credentials.as_ref().map(Credentials::certificate)?;
    if now.saturating_add(CLOCKS_DIFFER).is_ok_and(|later| later >= certificate.not_after) {
        Some(AuthorizationCause::CertificateExpired)
    } else if now.saturating_sub(CLOCKS_DIFFER).is_ok_and(|earlier| earlier < certificate.not_before) {
        Some(AuthorizationCause::CertificateNotYetValid)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use stafett_domain::ReasonCode;
    use stafett_simulator::certificate::{KeyKind, Subject, self_signed_client};

    use super::*;

    fn identity(entity_id: Option<&str>) -> Identity {
        Identity {
            organisation: "5567044268".parse().unwrap(),
            entity_id: entity_id.map(str::to_owned),
            credentials: None,
            server: Default::default(),
            digest: [0; 32],
        }
    }

    /// Valid for the year 2026.
    fn credentials() -> Credentials {
        let subject = Subject { first_day: (2026, 1, 1), last_day: (2027, 1, 1), ..Subject::default() };
        let client = self_signed_client(&subject, KeyKind::Ec).unwrap();
        Credentials::read(&client.certificate, &client.key.into()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    fn refusal(status: u16, text: &str) -> TokenFailure {
        TokenFailure::Refused { status, text: Some(text.to_owned()) }
    }

    #[test]
    fn the_table_of_causes() {
        use AuthorizationCause as Cause;
        let tls = TokenFailure::Tls;
        for (failure, cause) in [
            (refusal(401, "unknown entity"), Cause::NotRegistered),
            (refusal(401, "unknown organization"), Cause::NotRegistered),
            (refusal(401, ""), Cause::NotRegistered),
            (refusal(401, "client certificate does not match"), Cause::CertificateRefused),
            (refusal(401, "Certificate expired"), Cause::CertificateExpired),
            (refusal(401, "certificate is revoked"), Cause::CertificateRevoked),
            (refusal(401, "no organisation number in certificate"), Cause::OrganisationNumberMissing),
            (refusal(401, "organization id not found"), Cause::OrganisationNumberMissing),
            (refusal(400, "x"), Cause::RequestRefused),
            (refusal(400, "400 The SSL certificate error 400 Bad Request nginx"), Cause::CertificateRefused),
            (refusal(400, "No required SSL certificate was sent"), Cause::CertificateRefused),
            (refusal(495, ""), Cause::CertificateRefused),
            (refusal(422, "field required"), Cause::RequestRefused),
            (refusal(307, ""), Cause::Redirected),
            (refusal(418, ""), Cause::UnforeseenAnswer),
            (tls(TlsFailure::PinMismatch), Cause::PinMismatch),
            (tls(TlsFailure::ServerNotTrusted), Cause::ServerNotTrusted),
            (tls(TlsFailure::ClientExpired), Cause::CertificateExpired),
            (tls(TlsFailure::ClientRevoked), Cause::CertificateRevoked),
            (tls(TlsFailure::ClientRefused), Cause::CertificateRefused),
            (TokenFailure::NoCertificate, Cause::CertificateMissing),
            (TokenFailure::OfNobody, Cause::TokenWithoutOrganisation),
        ] {
            let NoToken::Refused(reason) =
                no_token(&failure, &identity(Some("https://5567044268.example.se")), now())
            else {
                panic!("{failure} is for good");
            };
            assert_eq!(reason.cause, Some(cause), "{failure}");
            assert_eq!(reason.code, ReasonCode::Authorization);
        }
        for (failure, cause, status) in [
            (
                TokenFailure::Unavailable { status: Some(503) },
                Cause::AuthorizationServerUnavailable,
                Some(503),
            ),
            (TokenFailure::Unavailable { status: None }, Cause::AuthorizationServerUnavailable, None),
            (TokenFailure::NotReadable { status: 200 }, Cause::AuthorizationServerUnreadable, Some(200)),
        ] {
            let later = NoToken::Later(Reason { http_status: status, ..Reason::authorization(cause) });
            assert_eq!(no_token(&failure, &identity(None), now()), later, "{failure}");
        }
        let another = TokenFailure::OfAnother("5560000001".parse().unwrap());
        let another = no_token(&another, &identity(None), now());
        assert_eq!(another.reason().cause, Some(Cause::TokenOfOtherOrganisation));
        assert_eq!(another.reason().server_text.as_deref(), Some("organization_id: 5560000001"));
    }

    /// Only the server's text says that a number is missing.
    #[test]
    fn a_missing_organisation_number_is_never_a_guess() {
        let by_fingerprint = no_token(&refusal(401, "no"), &identity(None), now());
        let reason = by_fingerprint.reason();
        assert_eq!(reason.cause, Some(AuthorizationCause::CertificateRefused));
        assert_eq!((reason.http_status, reason.server_text.as_deref()), (Some(401), Some("no")));
    }

    #[test]
    fn a_certificate_is_expired_or_not_yet_valid_by_its_own_dates() {
        use AuthorizationCause as Cause;
        let identity = Identity { credentials: Some(credentials()), ..identity(None) };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let both = refusal(401, "certificate expired or not yet valid");
        let expired = refusal(401, "certificate has expired");
        let nginx = refusal(400, "400 The SSL certificate error");
        let tls = TokenFailure::Tls(TlsFailure::ClientExpired);
        for (now, of_both, of_expired, of_nginx) in [
            ("2025-12-31T23:00:00Z", Cause::CertificateNotYetValid, None, None),
            // The server's clock may be behind this one.
            ("2026-01-01T00:30:00Z", Cause::CertificateNotYetValid, None, None),
            (
                "2026-06-01T00:00:00Z",
                Cause::CertificateRefused,
                Some(Cause::CertificateExpired),
                Some(Cause::CertificateRefused),
            ),
            ("2026-12-31T23:30:00Z", Cause::CertificateExpired, None, None),
            ("2028-01-01T00:00:00Z", Cause::CertificateExpired, None, None),
        ] {
            let cause = |failure| no_token(failure, &identity, at(now)).reason().cause.unwrap();
            assert_eq!(cause(&both), of_both, "{now}");
            assert_eq!(cause(&expired), of_expired.unwrap_or(of_both), "{now}");
            assert_eq!(cause(&tls), of_expired.unwrap_or(of_both), "{now}");
            assert_eq!(cause(&nginx), of_nginx.unwrap_or(of_both), "{now}");
        }
    }
}
