//! As whom an organiser comes to the authorization server, and which server it trusts.

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

/// An organiser as the authorization server is to see it.
pub struct Identity {
    pub organisation: OrganisationNumber,
    /// Its entity id in the federation. Without one it is known by its certificate's fingerprint.
    pub entity_id: Option<String>,
    /// Its client certificate and key. Only a server on this machine can be asked without them.
    pub credentials: Option<Credentials>,
    /// Which server is the right one.
    pub server: ServerTrust,
    /// A digest of all fields above. If it differs, the identity has changed, and what was cached for the earlier one
    /// is not used.
    pub digest: [u8; 32],
}

/// A client certificate with its chain, and the key. Its `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) certified: Arc<CertifiedKey>,
    certificate: Certificate,
}

/// Why certificate and key cannot be used. Names no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No PEM block with a certificate in it.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// A PEM block that is no certificate.
    #[error("holds something that is no certificate")]
    NotACertificate,
    /// No PEM block with a private key in it.
    #[error("holds no private key in PEM form (PKCS #8, PKCS #1 or SEC 1)")]
    NoKey,
    /// The key needs a pass phrase.
    #[error("is encrypted: store the key itself, the parameter is encrypted as a whole")]
    EncryptedKey,
    /// More than one key.
    #[error("holds more than one private key")]
    SeveralKeys,
    /// Neither RSA nor EC, or not whole.
    #[error(
        "holds a private key that cannot be used: RSA of 2048 bits or more, and EC on P-256, P-384 or P-521, can"
    )]
    KeyNotUsable,
    /// Not the first certificate's key.
    #[error("is not the key of the first certificate")]
    KeyOfAnother,
}

impl CredentialsError {
    /// Whether the fault is the key's; else it is the certificate's.
    pub fn is_about_key(self) -> bool {
        !matches!(self, Self::NoCertificate | Self::NotACertificate)
    }
}

impl Credentials {
    /// Reads a certificate, its chain behind it, and its key. Text between the PEM blocks, in whatever language, is
    /// passed over.
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

    /// The certificate's own fields.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// All certificates of a PEM text; none where a block of that name holds none.
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

/// Which server is taken for the authorization server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTrust {
    /// The keys that it may have; any where there are none. Several, so that it can change its key.
    pub pins: Vec<Pin>,
    /// The pins are all that is checked. In a TLS federation the metadata's pins vouch for a server, and its
    /// certificate may be signed by itself.
    pub pins_alone: bool,
    /// Trusted beside the built-in root certificates.
    pub roots: Roots,
}

/// A public key, by SHA-256 of its SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub(crate) [u8; 32]);

impl Pin {
    /// Reads `sha256//` and standard base64, as curl and the federation write it; none where it is not that.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = STANDARD.decode(text.strip_prefix("sha256//")?).ok()?;
        digest.try_into().ok().map(Self)
    }
}

/// Root certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots(pub(crate) Vec<CertificateDer<'static>>);

impl Roots {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a PEM text; none where it holds no certificate, or something that cannot be a root.
    pub fn read(pem: &str) -> Option<Self> {
        let roots = certificates_in(pem).filter(|roots| !roots.is_empty())?;
        let mut store = rustls::RootCertStore::empty();
        roots.iter().all(|root| store.add(root.clone()).is_ok()).then_some(Self(roots))
    }
}

impl Identity {
    /// The forms of `client.key` in which the organiser may be known, in the order in which they are tried. Of the
    /// fingerprint's two the documented one comes first; newer servers promise RFC 8705's (shared/README, Skolverket 9).
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
