//! Certificates made for a test: a root, a server's, organisers'.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

/// `serialNumber` of a subject.
const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];

/// What makes no certificate.
pub type CertificateError = rcgen::Error;

/// The kind of key that a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// EC on P-256.
    Ec,
    /// RSA of 2048 bits.
    Rsa,
}

/// The fields of a client certificate to make.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Common name.
    pub name: &'a str,
    /// The holder's organisation, by its name.
    pub organisation: &'a str,
    /// The subject's serial number: where issuers put the organisation number.
    pub serial_number: Option<&'a str>,
    /// Its first day: year, month, day.
    pub first_day: (i32, u8, u8),
    /// Its last day.
    pub last_day: (i32, u8, u8),
}

impl Default for Subject<'_> {
    fn default() -> Self {
        Self {
            name: "stafett.example.se",
            organisation: "Exempelkommun Å Ä Ö",
            serial_number: None,
            first_day: (2020, 1, 1),
            last_day: (2999, 12, 31),
        }
    }
}

/// A certificate and its key, in PEM form.
#[derive(Clone)]
pub struct Certified {
    /// The certificate, and behind it its issuer's if it is not its own.
    pub certificate: String,
    /// The key: PKCS #8.
    pub key: String,
    chain: Vec<CertificateDer<'static>>,
    key_der: Vec<u8>,
    spki_digest: [u8; 32],
}

impl Certified {
    /// SHA-256 of the certificate's DER form.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.chain.first().map(|first| Sha256::digest(first).into()).unwrap_or_default()
    }

    /// The public key's pin: `sha256//…`.
    pub fn pin(&self) -> String {
        use base64::Engine;
        format!("sha256//{}", base64::engine::general_purpose::STANDARD.encode(self.spki_digest))
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(crate) fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key_der.clone()).into()
    }
}

/// Issues certificates.
pub struct Issuing {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Issuing {
    /// A root of that name.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(name: &str) -> Result<Self, CertificateError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name, name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// The root certificate, in PEM form.
    pub fn root(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn root_der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server's certificate for this machine.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn server(&self) -> Result<Certified, CertificateError> {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name = named("localhost", "Skolverket", None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(certified(&certificate, &key, None))
    }

    /// An organiser's certificate, with the root behind it.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn client(&self, subject: &Subject<'_>, kind: KeyKind) -> Result<Certified, CertificateError> {
        let key = key(kind)?;
        let certificate = client_params(subject).signed_by(&key, &self.issuer)?;
        Ok(certified(&certificate, &key, Some(&self.certificate)))
    }
}

/// An organiser's certificate that is its own issuer, as the federation's metadata may vouch for.
///
/// # Errors
/// When no key can be made.
pub fn self_signed_client(subject: &Subject<'_>, kind: KeyKind) -> Result<Certified, CertificateError> {
    let key = key(kind)?;
    Ok(certified(&client_params(subject).self_signed(&key)?, &key, None))
}

/// A server's certificate that is its own issuer and names another machine: only its key identifies the server.
///
/// # Errors
/// When no key can be made.
pub fn self_signed_server() -> Result<Certified, CertificateError> {
    let mut params = CertificateParams::new(["elsewhere.example.se".to_owned()])?;
    params.distinguished_name = named("elsewhere.example.se", "Skolverket", None);
    let key = key(KeyKind::Ec)?;
    Ok(certified(&params.self_signed(&key)?, &key, None))
}

fn client_params(subject: &Subject<'_>) -> CertificateParams {
    let day = |(year, month, day)| date_time_ymd(year, month, day);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(subject.name, subject.organisation, subject.serial_number);
    params.not_before = day(subject.first_day);
    params.not_after = day(subject.last_day);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn key(kind: KeyKind) -> Result<KeyPair, CertificateError> {
    match kind {
        KeyKind::Ec => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
}

fn named(name: &str, organisation: &str, serial_number: Option<&str>) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CountryName, "SE");
    names.push(DnType::OrganizationName, organisation);
    names.push(DnType::CommonName, name);
    if let Some(number) = serial_number {
        names.push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), number);
    }
    names
}

fn certified(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    issuer: Option<&rcgen::Certificate>,
) -> Certified {
    use rcgen::PublicKeyData;
    let chain = std::iter::once(certificate).chain(issuer);
    Certified {
        certificate: chain.clone().map(rcgen::Certificate::pem).collect(),
        key: key.serialize_pem(),
        chain: chain.map(|one| one.der().clone()).collect(),
        key_der: key.serialize_der(),
        spki_digest: Sha256::digest(key.subject_public_key_info()).into(),
    }
}
