//! From a token that was not given to what is behind it, in one table.

use stafett_domain::{AuthorizationCause, Reason, ReasonCode};
use stafett_skolverket::{Credentials, Identity, TlsFailure, TokenFailure};

/// Why the organiser gets no token, however often it asks; none where it may get one later.
pub(crate) fn reason(failure: &TokenFailure, identity: &Identity) -> Option<Reason> {
    let cause = match failure {
        TokenFailure::Unavailable { .. } => return None,
        TokenFailure::Refused { status, text } => {
            let cause = refused(*status, text.as_deref().unwrap_or_default(), identity);
            let server_text = text.clone();
            let http_status = Some(*status);
            return Some(Reason { http_status, server_text, ..Reason::authorization(cause) });
        }
        TokenFailure::Tls(TlsFailure::PinMismatch) => AuthorizationCause::PinMismatch,
        TokenFailure::Tls(TlsFailure::ServerNotTrusted) => AuthorizationCause::ServerNotTrusted,
        TokenFailure::Tls(TlsFailure::ClientExpired) => AuthorizationCause::CertificateExpired,
        TokenFailure::Tls(TlsFailure::ClientRevoked) => AuthorizationCause::CertificateRevoked,
        TokenFailure::Tls(TlsFailure::ClientRefused) => AuthorizationCause::CertificateRefused,
        TokenFailure::NoCertificate => AuthorizationCause::CertificateMissing,
        TokenFailure::NoEnvironment => AuthorizationCause::EnvironmentNotAllowed,
        TokenFailure::NoTls => AuthorizationCause::SettingsWrong,
        TokenFailure::NotReadable => AuthorizationCause::UnforeseenAnswer,
    };
    Some(Reason::authorization(cause))
}

/// The API did not take a token that is new: the server that gives tokens looks neither at type nor at location.
pub(crate) fn new_token_refused() -> Reason {
    Reason { http_status: Some(403), ..Reason::authorization(AuthorizationCause::WrongEnvironment) }
}

/// The API found no authorization at all.
pub(crate) fn unauthorized(status: u16) -> Reason {
    Reason::with_status(ReasonCode::Authorization, status)
}

/// The status decides; of a 401, which is said to everything, the server's words and what the organiser came with
/// tell more. The words are those of the server's published code, old and new (skolverket/README).
fn refused(status: u16, text: &str, identity: &Identity) -> AuthorizationCause {
    match status {
        400 | 422 => return AuthorizationCause::RequestRefused,
        300..=399 => return AuthorizationCause::Redirected,
        401 | 403 => {}
        _ => return AuthorizationCause::UnforeseenAnswer,
    }
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let names_organisation = identity
        .credentials
        .as_ref()
        .map(Credentials::certificate)
        .is_some_and(|own| own.organisation.is_some());
    if says(&["expired"]) {
        AuthorizationCause::CertificateExpired
    } else if says(&["revoked"]) {
        AuthorizationCause::CertificateRevoked
    } else if says(&["organisation", "organization", "org id"])
        || (identity.entity_id.is_none() && !names_organisation)
    {
        AuthorizationCause::OrganisationNumberMissing
    } else if says(&["certificate", "fingerprint", "mtls"]) || identity.entity_id.is_none() {
        AuthorizationCause::CertificateRefused
    } else {
        AuthorizationCause::NotRegistered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(entity_id: Option<&str>) -> Identity {
        Identity {
            organisation: "5567044268".parse().unwrap(),
            entity_id: entity_id.map(str::to_owned),
            credentials: None,
            server: Default::default(),
            mark: [0; 32],
        }
    }

    #[test]
    fn the_table_of_causes() {
        use AuthorizationCause as Cause;
        let refused = |status, text: &str| TokenFailure::Refused { status, text: Some(text.to_owned()) };
        let tls = TokenFailure::Tls;
        for (failure, cause) in [
            (refused(401, "unknown entity"), Cause::NotRegistered),
            (refused(401, ""), Cause::NotRegistered),
            (refused(401, "client certificate does not match"), Cause::CertificateRefused),
            (refused(401, "Certificate expired"), Cause::CertificateExpired),
            (refused(401, "certificate is revoked"), Cause::CertificateRevoked),
            (refused(401, "no organisation number in certificate"), Cause::OrganisationNumberMissing),
            (refused(400, "x"), Cause::RequestRefused),
            (refused(422, "field required"), Cause::RequestRefused),
            (refused(307, ""), Cause::Redirected),
            (refused(418, ""), Cause::UnforeseenAnswer),
            (tls(TlsFailure::PinMismatch), Cause::PinMismatch),
            (tls(TlsFailure::ServerNotTrusted), Cause::ServerNotTrusted),
            (tls(TlsFailure::ClientExpired), Cause::CertificateExpired),
            (tls(TlsFailure::ClientRevoked), Cause::CertificateRevoked),
            (tls(TlsFailure::ClientRefused), Cause::CertificateRefused),
            (TokenFailure::NoCertificate, Cause::CertificateMissing),
            (TokenFailure::NotReadable, Cause::UnforeseenAnswer),
        ] {
            let reason = reason(&failure, &identity(Some("https://5567044268.example.se"))).unwrap();
            assert_eq!(reason.cause, Some(cause), "{failure}");
            assert_eq!(reason.code, ReasonCode::Authorization);
        }
        assert_eq!(reason(&TokenFailure::Unavailable { status: Some(503) }, &identity(None)), None);
        let by_fingerprint = reason(&refused(401, "no"), &identity(None)).unwrap();
        assert_eq!(by_fingerprint.cause, Some(Cause::OrganisationNumberMissing));
        assert_eq!(
            (by_fingerprint.http_status, by_fingerprint.server_text.as_deref()),
            (Some(401), Some("no"))
        );
    }
}
