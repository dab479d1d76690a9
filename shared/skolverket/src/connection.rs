//! Connections to an API that are open before the call on them is due: Skolverket counts a call when it arrives, and
//! one that first has to open its connection arrives late by that.

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

/// A connection that was idle for longer is opened anew: servers and gateways close them after a minute or less.
const IDLE: Duration = Duration::from_secs(20);

type Sender = SendRequest<Full<Bytes>>;

/// Opens connections to one API, and keeps one that is idle.
pub(crate) struct Connections {
    tls: ClientConfig,
    /// An address of its: scheme, host and port count.
    server: Uri,
    /// The proxies that the environment names, for TLS only: a proxy sees where a call goes and no more, and what may be
    /// called without TLS is on this machine.
    proxies: Matcher,
    idle: Mutex<Option<Idle>>,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

/// A connection on which nothing is under way.
pub(crate) struct Connection(Sender);

impl Connections {
    /// To the server of this address.
    pub(crate) fn new(server: Uri, tls: ClientConfig) -> Self {
        Self { tls, server, proxies: Matcher::from_env(), idle: Mutex::new(None) }
    }

    /// The idle connection, or else a new one.
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

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn keep(&self, Connection(sender): Connection) {
        if !sender.is_closed() {
            *self.idle() = Some(Idle { sender, since: Instant::now() });
        }
    }

    /// Sends a request and gives the answer's head. A connection that the server closed before anything was sent on it
    /// is opened anew, once.
    ///
    /// # Errors
    /// [`CallFailure::Connection`] where nothing was sent, else [`CallFailure::NoAnswer`].
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
        // It ends with its sender, or when the server hangs up; the next request on it then fails.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
