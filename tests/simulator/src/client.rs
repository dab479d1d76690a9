//! Whom the authorization server knows, and by which certificate.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde_json::Value;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::certificate::Issuing;
use crate::clock::Moment;

/// How the fingerprint of a certificate may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintForm {
    /// As Skolverket documents it: standard base64 with padding.
    Documented,
    /// As RFC 8705 has it: base64url without padding.
    Rfc8705,
}

/// The clients of a server that is reached by TLS.
pub(crate) struct Clients {
    entities: HashMap<String, (String, [u8; 32])>,
    revoked: HashSet<[u8; 32]>,
    /// The forms of a fingerprint that are taken.
    pub(crate) forms: Vec<FingerprintForm>,
    /// Says whether a certificate comes from the approved issuer.
    issued: Option<Arc<dyn ClientCertVerifier>>,
}

impl Clients {
    /// Nobody, and those to whom this issuer gives certificates.
    pub(crate) fn new(approved: &Issuing) -> Clients {
        let mut roots = RootCertStore::empty();
        let issued = roots.add(approved.root_der()).ok().and_then(|()| {
            let provider = Arc::new(aws_lc_rs::default_provider());
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
        });
        let forms = vec![FingerprintForm::Documented, FingerprintForm::Rfc8705];
        Clients { entities: HashMap::new(), revoked: HashSet::new(), forms, issued }
    }

    /// The federation's metadata: an entity, its organisation, and its certificate by fingerprint.
    pub(crate) fn register(&mut self, entity: &str, organisation: &str, fingerprint: [u8; 32]) {
        self.entities.insert(entity.to_owned(), (organisation.to_owned(), fingerprint));
    }

    pub(crate) fn revoke(&mut self, fingerprint: [u8; 32]) {
        self.revoked.insert(fingerprint);
    }

    /// Whose client this is, by `client.key` and the certificate that was shown: the number as the server reads it; or
    /// why nobody's.
    pub(crate) fn organisation(
        &self,
        key: &Value,
        chain: Option<&[CertificateDer<'static>]>,
        now: Moment,
    ) -> Result<String, &'static str> {
        let Some([certificate, issuers @ ..]) = chain else { return Err("no client certificate found") };
        let fingerprint: [u8; 32] = Sha256::digest(certificate).into();
        let (_, parsed) =
            X509Certificate::from_der(certificate).map_err(|_| "no client certificate found")?;
        if self.revoked.contains(&fingerprint) {
            return Err("certificate is revoked");
        }
        let (validity, today) = (parsed.validity(), now.wall.as_second());
        if !(validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&today) {
            return Err("certificate expired or not yet valid");
        }
        if let Some(entity) = key.as_str() {
            let (organisation, known) = self.entities.get(entity).ok_or("unknown entity")?;
            return if *known == fingerprint {
                Ok(organisation.clone())
            } else {
                Err("client certificate does not match metadata")
            };
        }
        let thumbprint = key["cert#S256"].as_str().filter(|_| key["proof"] == "mtls");
        let written = |form: &FingerprintForm| match form {
            FingerprintForm::Documented => STANDARD.encode(fingerprint),
            FingerprintForm::Rfc8705 => URL_SAFE_NO_PAD.encode(fingerprint),
        };
        if !self.forms.iter().any(|form| Some(written(form).as_str()) == thumbprint) {
            return Err("wrong certificate fingerprint");
        }
        let seconds = Duration::from_secs(now.wall.as_second().unsigned_abs());
        let is_issued = self.issued.as_ref().is_some_and(|verifier| {
            verifier.verify_client_cert(certificate, issuers, UnixTime::since_unix_epoch(seconds)).is_ok()
        });
        if !is_issued {
            return Err("certificate not signed by a known CA");
        }
        organisation_of(&parsed).ok_or("no organisation number in certificate")
    }
}

/// The number in SITHS's, EFOS's and Expisoft's forms, as the real server reads them: it takes what SITHS has between
/// `SE` and the hyphen as it is, twelve digits too.
fn organisation_of(certificate: &X509Certificate<'_>) -> Option<String> {
    let serial_number = x509_parser::oid_registry::OID_X509_SERIALNUMBER;
    let text = certificate.subject().iter_by_oid(&serial_number).next()?.as_str().ok()?;
    let head = text.split('-').next()?;
    let siths = head.strip_prefix("SE");
    let others = || head.strip_prefix("EFOS16").or_else(|| head.strip_prefix("16")).unwrap_or(head);
    let number = siths.unwrap_or_else(others);
    matches!(number.len(), 10 | 12).then(|| number.to_owned())
}
