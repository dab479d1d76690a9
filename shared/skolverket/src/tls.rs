//! TLS to Skolverket: which servers are trusted, and which connections use a client certificate.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::certificate::key_digest;
use crate::crypto::provider;
use crate::identity::{Identity, Pin, Roots};

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS to Skolverket cannot be set up")]
pub struct TlsError;

/// The cause of a TLS failure, if it is known. A retry would fail in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The server's key is not one of the pinned keys.
    #[error("the server has another key than those that are pinned")]
    PinMismatch,
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted")]
    ServerNotTrusted,
    /// The server reports that the client certificate has expired.
    #[error("the server says that the client certificate has expired")]
    ClientExpired,
    /// The server reports that the client certificate was revoked.
    #[error("the server says that the client certificate was revoked")]
    ClientRevoked,
    /// The server does not accept the client certificate.
    #[error("the server does not take the client certificate")]
    ClientRefused,
}

/// TLS 1.2 and 1.3 to servers whose certificates lead to these or the built-in roots, without a client certificate.
pub(crate) fn to_api(roots: &Roots) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| TlsError)?;
    Ok(builder.with_root_certificates(store(&[roots])).with_no_client_auth())
}

/// TLS 1.2 and 1.3 to the authorization server that the organiser trusts, with its client certificate.
pub(crate) fn to_authorization(identity: &Identity, roots: &Roots) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let trust = &identity.server;
    let by_roots = if trust.pins_alone {
        None
    } else {
        let roots = Arc::new(store(&[roots, &trust.roots]));
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
        Some(verifier.build().map_err(|_| TlsError)?)
    };
    let verifier = RightServer { by_roots, pins: trust.pins.clone(), provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| TlsError)?;
    // The verifier makes all the usual checks. Only for a federation's servers, the pin replaces them.
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(match &identity.credentials {
        Some(credentials) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&credentials.certified)))),
        None => builder.with_no_client_auth(),
    })
}

/// The built-in roots, which need no parsing, and the given ones.
fn store(own: &[&Roots]) -> RootCertStore {
    let mut store: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    store.add_parsable_certificates(own.iter().flat_map(|roots| roots.0.iter().cloned()));
    store
}

/// Verifies the authorization server's certificate: roots, name and time as usual, and the key's pin.
#[derive(Debug)]
struct RightServer {
    by_roots: Option<Arc<WebPkiServerVerifier>>,
    pins: Vec<Pin>,
    provider: Arc<CryptoProvider>,
}

/// The server has a key that is not pinned.
#[derive(Debug, thiserror::Error)]
#[error("none of the pinned keys")]
struct PinMismatch;

impl ServerCertVerifier for RightServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = key_digest(end_entity);
        let pinned = self.pins.iter().any(|Pin(pin)| Some(pin) == key.as_ref());
        let any_key = self.pins.is_empty() && self.by_roots.is_some();
        if !(pinned || any_key) {
            return Err(CertificateError::Other(OtherError(Arc::new(PinMismatch))).into());
        }
        match &self.by_roots {
            Some(usual) => {
                usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Returns the TLS failure behind a call's error, if there is one. TLS 1.3 refuses a client certificate after the
/// handshake, so this checks errors of every kind.
pub(crate) fn failure_of(error: &reqwest::Error) -> Option<TlsFailure> {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        // `source` of an I/O error skips the error that it wraps, so the wrapped error must be read with `get_ref`.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = inside.and_then(|inside| inside.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls.or_else(|| error.downcast_ref::<rustls::Error>()) {
            return sorted(tls);
        }
        source = error.source();
    }
    None
}

fn sorted(error: &rustls::Error) -> Option<TlsFailure> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other)))
            if other.downcast_ref::<PinMismatch>().is_some() =>
        {
            Some(TlsFailure::PinMismatch)
        }
        rustls::Error::InvalidCertificate(_) => Some(TlsFailure::ServerNotTrusted),
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateExpired => Some(TlsFailure::ClientExpired),
            AlertDescription::CertificateRevoked => Some(TlsFailure::ClientRevoked),
            AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
            // Servers with TLS 1.2 send this for a client certificate that they do not accept.
            | AlertDescription::HandshakeFailure => Some(TlsFailure::ClientRefused),
            _ => None,
        },
        _ => None,
    }
}
