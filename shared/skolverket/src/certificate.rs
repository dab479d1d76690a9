//! The content of an organiser's client certificate.

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use stafett_domain::OrganisationNumber;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

/// `serialNumber` of a subject: the number of the holder, not of the certificate.
const SERIAL_NUMBER: Oid<'static> = oid!(2.5.4.5);
/// `organizationIdentifier` of a subject (ETSI EN 319 412-1).
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);

/// The relevant fields of a certificate. None of them is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The holder, as text.
    pub subject: String,
    /// The issuer, as text.
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// The organisation that holds the certificate. A certificate that only a federation's metadata identifies may name
    /// none.
    pub organisation: Option<OrganisationNumber>,
    /// SHA-256 of the certificate in DER form.
    pub fingerprint: [u8; 32],
}

impl Certificate {
    /// Parses a certificate. Returns `None` if it is not valid.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let moment = |seconds| Timestamp::from_second(seconds).ok();
        Some(Self {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: moment(parsed.validity().not_before.timestamp())?,
            not_after: moment(parsed.validity().not_after.timestamp())?,
            organisation: organisation_of(parsed.subject()),
            fingerprint: Sha256::digest(der).into(),
        })
    }

    /// Whole days until it expires. Negative if it has expired.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        let day = SignedDuration::from_hours(24).as_secs();
        self.not_after.duration_since(now).as_secs().div_euclid(day)
    }
}

/// Returns SHA-256 of a certificate's public key (SubjectPublicKeyInfo), or `None` if the certificate is not valid.
pub(crate) fn key_digest(der: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(Sha256::digest(parsed.public_key().raw).into())
}

/// Returns the organisation number from the fields where the approved issuers put it.
fn organisation_of(subject: &X509Name<'_>) -> Option<OrganisationNumber> {
    [SERIAL_NUMBER, ORGANIZATION_IDENTIFIER].iter().find_map(|oid| {
        let texts = subject.iter_by_oid(oid).filter_map(|attribute| attribute.as_str().ok());
        texts.filter_map(OrganisationNumber::named_by).next()
    })
}
