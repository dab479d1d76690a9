//! The client for the Provisioning API.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Request, Uri};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use stafett_domain::{Environment, OrganisationNumber, RecordKind, SkolverketJobId};

use crate::answer::{self, CallFailure, Submitted};
use crate::authorization::Authorization;
use crate::connection::{Connection, Connections};
use crate::encoding::{TooLong, decoded};
use crate::endpoint::{Endpoint, collection};
use crate::identity::{Identity, Roots};
use crate::job_answer::JobAnswer;
use crate::response::{MAX_ANSWER_BYTES, Received, receive_bounded, sorted};
use crate::retry_after;
use crate::tls;
use crate::token::{Token, TokenAnswer, TokenFailure};

/// The addresses of a Provisioning API.
#[derive(Debug, Clone)]
pub struct Api {
    pub base: Endpoint,
    /// The address in token requests. Behind a proxy it differs from the address of the calls.
    pub location: String,
}

/// Skolverket's addresses, and the root certificates to trust there.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The Provisioning API of the production environment.
    pub production: Api,
    /// The Provisioning API of the verification environment, if it is used.
    pub verification: Option<Api>,
    /// The authorization server's `/transaction`, the same for both environments.
    pub authorization: Endpoint,
    /// Trusted by the clients of both servers, in addition to the built-in root certificates.
    pub roots: Roots,
}

/// Calls Skolverket for all organisers. It is created once per process, at no cost: TLS is set up for the first call.
pub struct Client {
    production: Server,
    verification: Option<Server>,
    authorization: Authorization,
    roots: Roots,
    timeout: Duration,
}

/// A Provisioning API and its connections.
struct Server {
    api: Api,
    connections: OnceLock<Connections>,
}

/// A prepared call: its body is built and its connection is open, so that it is sent without delay.
pub struct ReadyCall<'a, T> {
    /// What the call needs, or the reason why it cannot be sent.
    ready: Result<Ready<'a>, CallFailure>,
    path: String,
    request_bytes: usize,
    /// The time it took to open the connection.
    connecting: Duration,
    timeout: Duration,
    read: fn(&Readable<'_>) -> Result<T, CallFailure>,
}

struct Ready<'a> {
    connections: &'a Connections,
    connection: Connection,
    request: Request<Full<Bytes>>,
}

/// One HTTP call and its result. The bodies contain personal data, so the type has no `Debug`.
pub struct Exchange<T> {
    /// Path and query, as in the published API.
    pub path: String,
    /// From the first byte sent until the last byte read, or until the failure.
    pub duration: Duration,
    /// From the first byte sent until the head of the answer, if there was an answer.
    pub answered_after: Option<Duration>,
    pub request_bytes: usize,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The size of the answer's body in bytes, before decoding.
    pub response_bytes: usize,
    /// The answer's body as text. Empty if there was none, cut if it is too long.
    pub body: String,
    pub answer: Result<T, CallFailure>,
}

/// An answer, ready to parse.
struct Readable<'a> {
    status: u16,
    headers: &'a HeaderMap,
    body: &'a str,
    too_long: bool,
    /// When the call was made.
    asked: Timestamp,
}

impl Client {
    /// `timeout` limits each call.
    pub fn new(addresses: Addresses, timeout: Duration) -> Self {
        let Addresses { production, verification, authorization, roots } = addresses;
        let authorization = Authorization::new(authorization, roots.clone(), timeout);
        let server = |api| Server { api, connections: OnceLock::new() };
        let (production, verification) = (server(production), verification.map(server));
        Self { production, verification, authorization, roots, timeout }
    }

    /// Returns the organiser's token for an environment: the cached one, or a new one with the requests made to get it.
    /// Only one token is requested at a time.
    pub async fn token(&self, identity: &Identity, environment: Environment, now: Timestamp) -> TokenAnswer {
        let Some(server) = self.server(environment) else { return TokenFailure::NoEnvironment.into() };
        self.authorization.token(identity, environment, &server.api.location, now).await
    }

    /// Removes the organiser's token from the cache, after the API refused it.
    pub async fn forget_token(&self, organisation: &OrganisationNumber, environment: Environment) {
        self.authorization.forget(organisation, environment).await;
    }

    fn server(&self, environment: Environment) -> Option<&Server> {
        match environment {
            Environment::Production => Some(&self.production),
            Environment::Verification => self.verification.as_ref(),
        }
    }

    /// Prepares a bulk call that submits `body` (`{"data": […]}`). A repeat is safe: it updates existing records.
    pub async fn submit(&self, stage: RecordKind, token: &Token, body: String) -> ReadyCall<'_, Submitted> {
        let path = format!("/{}/bulk?updateIfExists=true", collection(stage));
        self.prepare(path, token, Some(body), |readable| {
            let location = readable.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            // Any success status counts: if the answer names a job, the job has started.
            if let (true, Some(job_id)) = (readable.succeeded(), answer::job_id(location, readable.body)) {
                return Ok(Submitted { job_id });
            }
            Err(if readable.status == 202 && !readable.too_long {
                CallFailure::NoJobId
            } else {
                readable.failure()
            })
        })
        .await
    }

    /// Prepares a call that reads a job. The URL uses the configured base address, because published `Location`s
    /// contain an old one.
    pub async fn job(
        &self,
        stage: RecordKind,
        token: &Token,
        job: SkolverketJobId,
    ) -> ReadyCall<'_, JobAnswer> {
        let path = format!("/{}/bulk/jobs/{job}", collection(stage));
        self.prepare(path, token, None, |readable| {
            let whole = readable.succeeded() && !readable.too_long;
            let answer = whole.then(|| JobAnswer::read(readable.body)).flatten();
            answer.ok_or_else(|| readable.failure())
        })
        .await
    }

    async fn prepare<T>(
        &self,
        path: String,
        token: &Token,
        body: Option<String>,
        read: fn(&Readable<'_>) -> Result<T, CallFailure>,
    ) -> ReadyCall<'_, T> {
        let request_bytes = body.as_ref().map_or(0, String::len);
        let began = Instant::now();
        // If the connection does not open within the call's timeout, the call fails.
        let ready = tokio::time::timeout(self.timeout, self.ready(&path, token, body)).await;
        let ready = ready.unwrap_or(Err(CallFailure::Connection));
        let connecting = began.elapsed();
        ReadyCall { ready, path, request_bytes, connecting, timeout: self.timeout, read }
    }

    async fn ready(&self, path: &str, token: &Token, body: Option<String>) -> Result<Ready<'_>, CallFailure> {
        let server = self.server(token.environment).ok_or(CallFailure::Connection)?;
        let url = server.api.base.join(path).map_err(|_| CallFailure::Connection)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.value.expose_secret()))
            .map_err(|_| CallFailure::Forbidden)?;
        bearer.set_sensitive(true);
        let url: Uri = url.as_str().parse().map_err(|_| CallFailure::Connection)?;
        let host = url.authority().map(Authority::as_str).unwrap_or_default();
        let target = url.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
        let request = Request::builder().uri(target).header(HOST, host).header(AUTHORIZATION, bearer);
        let request = match body {
            Some(body) => {
                let request = request.method("POST").header(CONTENT_TYPE, "application/json");
                request.body(Full::from(body))
            }
            None => request.method("GET").body(Full::default()),
        };
        let request = request.map_err(|_| CallFailure::Connection)?;
        let connections = server.connections(&self.roots, url)?;
        Ok(Ready { connections, connection: connections.open().await?, request })
    }
}

impl Server {
    /// Creates connections without a client certificate, which is only for the authorization server. Redirects are not
    /// followed.
    fn connections(&self, roots: &Roots, url: Uri) -> Result<&Connections, CallFailure> {
        if let Some(connections) = self.connections.get() {
            return Ok(connections);
        }
        let tls = tls::to_api(roots).map_err(|_| CallFailure::Connection)?;
        Ok(self.connections.get_or_init(|| Connections::new(url, tls)))
    }
}

impl<T> ReadyCall<'_, T> {
    /// Whether the call can be sent. A call that cannot be sent does not reach Skolverket and needs no slot.
    pub fn is_connected(&self) -> bool {
        self.ready.is_ok()
    }

    /// Cancels the call. Its connection stays open for the next one.
    pub fn put_off(self) {
        if let Ok(Ready { connections, connection, .. }) = self.ready {
            connections.keep(connection);
        }
    }

    /// Makes the call. Dates in the answer are compared with `now`.
    pub async fn make(self, now: Timestamp) -> Exchange<T> {
        let Self { ready, path, request_bytes, connecting, timeout, read } = self;
        let ready = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                return Exchange {
                    path,
                    duration: connecting,
                    answered_after: None,
                    request_bytes,
                    status: None,
                    response_bytes: 0,
                    body: String::new(),
                    answer: Err(failure),
                };
            }
        };
        let started = Instant::now();
        let mut answered_after = None;
        let received = tokio::time::timeout(timeout, ready.make(|| answered_after = Some(started.elapsed())));
        let received = received.await.unwrap_or(Err(CallFailure::NoAnswer));
        let duration = started.elapsed();
        let (status, response_bytes, body, answer) = match received {
            Ok(Received { status, headers, body, too_long }) => {
                let response_bytes = body.len();
                let (body, too_long) = match decoded(body, MAX_ANSWER_BYTES) {
                    Ok(text) => (text, too_long),
                    Err(TooLong) => (String::new(), true),
                };
                let readable = Readable { status, headers: &headers, body: &body, too_long, asked: now };
                let answer = read(&readable);
                (Some(status), response_bytes, body, answer)
            }
            Err(failure) => (None, 0, String::new(), Err(failure)),
        };
        Exchange { path, duration, answered_after, request_bytes, status, response_bytes, body, answer }
    }
}

impl Ready<'_> {
    /// Sends the request and reads the whole answer. Calls `answered` when the answer begins to arrive.
    async fn make(self, answered: impl FnOnce()) -> Result<Received, CallFailure> {
        let Self { connections, mut connection, request } = self;
        let response = connections.send(&mut connection, request).await?;
        answered();
        let response = response.map(reqwest::Body::wrap);
        let received = receive_bounded(response.into()).await.map_err(|error| sorted(&error))?;
        if !received.too_long {
            connections.keep(connection);
        }
        Ok(received)
    }
}

impl Readable<'_> {
    fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Why the answer is not the expected one.
    fn failure(&self) -> CallFailure {
        match self.status {
            status if self.succeeded() && self.too_long => CallFailure::AnswerTooLong(status),
            status if self.succeeded() => CallFailure::NotReadable(status),
            status => {
                let wait = retry_after::wait(self.headers, Some(self.asked));
                CallFailure::of_status(status, wait, is_page(self.body))
            }
        }
    }
}

/// Whether a text is an HTML page from a gateway.
fn is_page(body: &str) -> bool {
    body.trim_start().starts_with('<')
}
