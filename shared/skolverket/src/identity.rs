//! How an organiser identifies itself to the authorization server, and which server it trusts.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stafett_domain::OrganisationNumber;

use crate::certificate::Certificate;
use crate::crypto::provider;

/// The identity of an organiser at the authorization server.
pub struct Identity {
    pub organisation: OrganisationNumber,
    /// Its entity id in the federation. Without one, the server identifies it by its certificate's fingerprint.
    pub entity_id: Option<String>,
    /// Its client certificate and key. Only a server on this machine can be called without them.
    pub credentials: Option<Credentials>,
    /// How the authorization server is verified.
    pub server: ServerTrust,
    /// A digest of all fields above. A different digest means that the identity has changed, and that values cached for
    /// the earlier one must not be used.
    pub digest: [u8; 32],
}

/// A client certificate with its chain, and its key. `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) certified: Arc<CertifiedKey>,
    certificate: Certificate,
}

/// Why the certificate and key cannot be used. The error contains no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No PEM block contains a certificate.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// A PEM block does not contain a valid certificate.
    #[error("holds something that is no certificate")]
    NotACertificate,
    /// No PEM block contains a private key.
    #[error("holds no private key in PEM form (PKCS #8, PKCS #1 or SEC 1)")]
    NoKey,
    /// The key is encrypted with a passphrase.
    #[error("is encrypted: store the key itself, the parameter is encrypted as a whole")]
    EncryptedKey,
    /// There is more than one key.
    #[error("holds more than one private key")]
    SeveralKeys,
    /// The key is neither RSA nor EC, or is incomplete.
    #[error(
        "holds a private key that cannot be used: RSA of 2048 bits or more, and EC on P-256, P-384 or P-521, can"
    )]
    KeyNotUsable,
    /// The key does not belong to the first certificate.
    #[error("is not the key of the first certificate")]
    KeyOfAnother,
}

impl CredentialsError {
    /// Whether the error is in the key. Otherwise it is in the certificate.
    pub fn is_about_key(self) -> bool {
        !matches!(self, Self::NoCertificate | Self::NotACertificate)
    }
}

impl Credentials {
    /// Reads a certificate, its chain after it, and its key. Text between the PEM blocks is ignored.
    ///
    /// # Errors
    /// [`CredentialsError`]
    pub fn read(certificates: &str, key: &SecretString) -> Result<Self, CredentialsError> {
        let chain = certificates_in(certificates).ok_or(CredentialsError::NotACertificate)?;
        let first = chain.first().ok_or(CredentialsError::NoCertificate)?;
        let certificate = Certificate::read(first).ok_or(CredentialsError::NotACertificate)?;
        let key = private_key(key)?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CredentialsError::KeyOfAnother,
            rustls::Error::InvalidCertificate(_) => CredentialsError::NotACertificate,
            _ => CredentialsError::KeyNotUsable,
        })?;
        Ok(Self { certified: Arc::new(certified), certificate })
    }

    /// The parsed fields of the certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Returns all certificates in a PEM text, or `None` if a certificate block is not valid.
fn certificates_in(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    found.iter().all(|der| Certificate::read(der).is_some()).then_some(found)
}

fn private_key(pem: &SecretString) -> Result<PrivateKeyDer<'static>, CredentialsError> {
    let pem = pem.expose_secret();
    if pem.contains("ENCRYPTED") {
        return Err(CredentialsError::EncryptedKey);
    }
    let keys = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
    let keys: Vec<_> = keys
        .filter_map(|section| section.ok().and_then(|(kind, der)| PrivateKeyDer::from_pem(kind, der)))
        .collect();
    match <[_; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(keys) if keys.is_empty() => Err(CredentialsError::NoKey),
        Err(_) => Err(CredentialsError::SeveralKeys),
    }
}

/// How the authorization server is verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTrust {
    /// The keys that the server may have. An empty list allows any key. There can be several, so that the server can
    /// change its key.
    pub pins: Vec<Pin>,
    /// Only the pins are checked. In a TLS federation, the metadata's pins identify a server, and its certificate may
    /// be self-signed.
    pub pins_alone: bool,
    /// Trusted in addition to the built-in root certificates.
    pub roots: Roots,
}

/// The SHA-256 digest of a public key's SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub(crate) [u8; 32]);

impl Pin {
    /// Reads `sha256//` followed by standard base64, the format of curl and the federation. Returns `None` for any
    /// other text.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = STANDARD.decode(text.strip_prefix("sha256//")?).ok()?;
        digest.try_into().ok().map(Self)
    }
}

/// Root certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots(pub(crate) Vec<CertificateDer<'static>>);

impl Roots {
    /// The number of certificates.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no certificates.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a PEM text. Returns `None` if it contains no certificate, or one that cannot be a root.
    pub fn read(pem: &str) -> Option<Self> {
        let roots = certificates_in(pem).filter(|roots| !roots.is_empty())?;
        let mut store = rustls::RootCertStore::empty();
        roots.iter().all(|root| store.add(root.clone()).is_ok()).then_some(Self(roots))
    }
}

impl Identity {
    /// The forms of `client.key` that may identify the organiser, in the order to try them. The fingerprint has two
    /// forms. The documented one comes first; newer servers promise the form of RFC 8705 (shared/README, Skolverket 9).
    pub(crate) fn keys(&self) -> Vec<Value> {
        if let Some(entity_id) = &self.entity_id {
            return vec![Value::String(entity_id.clone())];
        }
        let Some(credentials) = &self.credentials else { return Vec::new() };
        let fingerprint = credentials.certificate.fingerprint;
        [STANDARD.encode(fingerprint), URL_SAFE_NO_PAD.encode(fingerprint)]
            .map(|digest| json!({"proof": "mtls", "cert#S256": digest}))
            .into()
    }
}
