//! Opens connections to an API before a call is due. Skolverket counts a call when it arrives, and a call that must
//! first open its connection arrives late.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::ClientConfig;
use tower_service::Service;

use crate::answer::CallFailure;

/// A connection that was idle for longer is replaced, because servers and gateways close idle connections after a
/// minute or less.
const IDLE: Duration = Duration::from_secs(20);

type Sender = SendRequest<Full<Bytes>>;

/// Opens connections to one API, and keeps one idle connection.
pub(crate) struct Connections {
    tls: ClientConfig,
    /// An address on the server. Only scheme, host and port are used.
    server: Uri,
    /// The proxies from the environment variables, for TLS only. A proxy then sees only the host of a call. Calls
    /// without TLS go to this machine.
    proxies: Matcher,
    idle: Mutex<Option<Idle>>,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

/// A connection with no call in progress.
pub(crate) struct Connection(Sender);

impl Connections {
    /// Creates connections to the server of this address.
    pub(crate) fn new(server: Uri, tls: ClientConfig) -> Self {
        Self { tls, server, proxies: Matcher::from_env(), idle: Mutex::new(None) }
    }

    /// Returns the idle connection, or else a new one.
    ///
    /// # Errors
    /// [`CallFailure::Connection`]
    pub(crate) async fn open(&self) -> Result<Connection, CallFailure> {
        let idle = self.idle().take().filter(|idle| idle.since.elapsed() < IDLE);
        if let Some(Idle { mut sender, .. }) = idle
            && sender.ready().await.is_ok()
        {
            return Ok(Connection(sender));
        }
        self.connect().await.map(Connection)
    }

    /// Keeps a connection after its answer was read completely.
    pub(crate) fn keep(&self, Connection(sender): Connection) {
        if !sender.is_closed() {
            *self.idle() = Some(Idle { sender, since: Instant::now() });
        }
    }

    /// Sends a request and returns the head of the answer. If the server closed the connection before anything was sent
    /// on it, opens a new one, once.
    ///
    /// # Errors
    /// [`CallFailure::Connection`] if nothing was sent, else [`CallFailure::NoAnswer`].
    pub(crate) async fn send(
        &self,
        connection: &mut Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, CallFailure> {
        let unsent = match connection.0.try_send_request(request).await {
            Ok(response) => return Ok(response),
            Err(mut failure) => failure.take_message().ok_or(CallFailure::NoAnswer)?,
        };
        connection.0 = self.connect().await?;
        match connection.0.try_send_request(unsent).await {
            Ok(response) => Ok(response),
            Err(mut failure) => match failure.take_message() {
                Some(_unsent) => Err(CallFailure::Connection),
                None => Err(CallFailure::NoAnswer),
            },
        }
    }

    async fn connect(&self) -> Result<Sender, CallFailure> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let secure = self.server.scheme() == Some(&Scheme::HTTPS);
        let proxy = secure.then(|| self.proxies.intercept(&self.server)).flatten();
        let stream = match proxy {
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                let tunnel = match proxy.basic_auth() {
                    Some(credentials) => tunnel.with_auth(credentials.clone()),
                    None => tunnel,
                };
                HttpsConnector::from((tunnel, self.tls.clone())).call(self.server.clone()).await
            }
            None => HttpsConnector::from((tcp, self.tls.clone())).call(self.server.clone()).await,
        };
        let stream = stream.map_err(|_| CallFailure::Connection)?;
        let (sender, connection) = handshake(stream).await.map_err(|_| CallFailure::Connection)?;
        // The task ends when its sender is dropped or the server closes the connection. The next request on it then
        // fails.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
