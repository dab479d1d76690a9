//! TLS in front of the simulator, which sees who shows a certificate.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificate::{Certified, Issuing};
use crate::connection::{Connection, Peer};

/// The versions of TLS that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    Both,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

/// How a simulator is reached by TLS.
pub struct Tls<'a> {
    /// The authorization server's certificate.
    pub authorization: &'a Certified,
    /// The API's.
    pub api: &'a Certified,
    /// Whose client certificates are taken for what they say.
    pub approved: &'a Issuing,
    /// What both speak.
    pub versions: TlsVersions,
}

/// Why TLS itself refuses a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsRefusal {
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its issuer is not known.
    UnknownIssuer,
}

/// Certificates that TLS refuses, by fingerprint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<HashMap<[u8; 32], TlsRefusal>>>);

impl Refusals {
    pub(crate) fn set(&self, fingerprint: [u8; 32], refusal: Option<TlsRefusal>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match refusal {
            Some(refusal) => all.insert(fingerprint, refusal),
            None => all.remove(&fingerprint),
        };
    }

    fn of(&self, certificate: &CertificateDer<'_>) -> Option<TlsRefusal> {
        let fingerprint: [u8; 32] = Sha256::digest(certificate).into();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&fingerprint).copied()
    }
}

/// A server's TLS settings: its certificate, and a request for a client certificate.
pub(crate) fn config(
    shown: &Certified,
    versions: TlsVersions,
    refusals: &Refusals,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    static BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
    let versions = match versions {
        TlsVersions::Both => &BOTH[..],
        TlsVersions::Only13 => &BOTH[..1],
        TlsVersions::Only12 => &BOTH[1..],
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let asks = Asks { refusals: refusals.clone(), provider: Arc::clone(&provider) };
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions)?;
    let builder = builder.with_client_cert_verifier(Arc::new(asks));
    Ok(Arc::new(builder.with_single_cert(shown.chain(), shown.key_der())?))
}

/// Takes any client certificate whose key its client has; the handler of the call judges it.
#[derive(Debug)]
struct Asks {
    refusals: Refusals,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Asks {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let error = match self.refusals.of(certificate) {
            None => return Ok(ClientCertVerified::assertion()),
            Some(TlsRefusal::Expired) => CertificateError::Expired,
            Some(TlsRefusal::Revoked) => CertificateError::Revoked,
            Some(TlsRefusal::UnknownIssuer) => CertificateError::UnknownIssuer,
        };
        Err(error.into())
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

/// Takes connections whose handshake is done; one that is slow holds up no other.
pub(crate) struct TlsConnections {
    done: mpsc::UnboundedReceiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl TlsConnections {
    pub(crate) fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<TlsConnections> {
        let (accepted, done) = mpsc::unbounded_channel();
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(config);
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((stream, caller)) = listener.accept().await else { continue };
                drop(stream.set_nodelay(true));
                let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
                tokio::spawn(async move {
                    match acceptor.accept(stream).into_fallible().await {
                        Ok(stream) => drop(accepted.send((stream, caller))),
                        Err((_, stream)) => hang_up(stream).await,
                    }
                });
            }
        });
        Ok(TlsConnections { done, address, accepting })
    }
}

/// Closes a connection so that the last answer arrives: unread bytes would reset the connection.
async fn hang_up(mut stream: TcpStream) {
    drop(tokio::io::AsyncWriteExt::shutdown(&mut stream).await);
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

impl Drop for TlsConnections {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Connected<IncomingStream<'_, TlsConnections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsConnections>) -> Peer {
        let connection = stream.io();
        let shown = connection.stream().get_ref().1.peer_certificates();
        let certificates =
            shown.map(|chain| Arc::new(chain.iter().map(|one| one.clone().into_owned()).collect::<Vec<_>>()));
        Peer { cut: connection.cut(), certificates }
    }
}

impl Listener for TlsConnections {
    type Io = Connection<TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.done.recv().await {
            Some((stream, caller)) => (Connection::new(stream), caller),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
