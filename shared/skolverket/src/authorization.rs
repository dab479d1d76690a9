//! The client for the authorization server: GNAP over mutual TLS, with a separate connection for each organiser.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use stafett_domain::{Environment, OrganisationNumber};
use tokio::sync::Mutex;

use crate::encoding::{TooLong, decoded};
use crate::endpoint::Endpoint;
use crate::identity::{Identity, Roots};
use crate::response::{MAX_ANSWER_BYTES, Received, Unread, receive};
use crate::tls::{self, TlsError};
use crate::token::{self, Granted, TokenAnswer, TokenCache, TokenFailure, TokenRequest};

/// The maximum number of organisers with open connections: more than a process usually serves in its lifetime.
const CLIENTS: usize = 32;

/// Requests tokens and caches them.
pub(crate) struct Authorization {
    endpoint: Endpoint,
    roots: Roots,
    timeout: Duration,
    kept: Mutex<Kept>,
}

/// The cached tokens and clients. The lock is also held during the call, so that only one token is requested at a time.
#[derive(Default)]
struct Kept {
    tokens: TokenCache,
    clients: HashMap<OrganisationNumber, KeptClient>,
    uses: u64,
}

struct KeptClient {
    digest: [u8; 32],
    http: reqwest::Client,
    used: u64,
}

impl Authorization {
    pub(crate) fn new(endpoint: Endpoint, roots: Roots, timeout: Duration) -> Self {
        Self { endpoint, roots, timeout, kept: Mutex::default() }
    }

    /// Returns the organiser's token for an environment: the cached one, or a new one if it belongs to the organiser.
    /// `location` is the API's address in token requests.
    pub(crate) async fn token(
        &self,
        identity: &Identity,
        environment: Environment,
        location: &str,
        now: Timestamp,
    ) -> TokenAnswer {
        let clock = Running { since: Instant::now(), from: now };
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.tokens.get(identity, environment, now) {
            return TokenAnswer { requests: Vec::new(), token: Ok(token) };
        }
        if self.endpoint.is_secure() && identity.credentials.is_none() {
            return TokenFailure::NoCertificate.into();
        }
        let Ok(http) = kept.client(identity, &self.roots, self.timeout) else {
            return TokenFailure::NoTls.into();
        };
        let (requests, granted) = self.ask(&http, identity, location, clock).await;
        let token = granted.map(|granted| kept.tokens.keep(identity, environment, &granted, clock.now()));
        TokenAnswer { requests, token }
    }

    /// Tries each form of the key while the answer is 401, which may mean that the server does not know that form. If
    /// the server accepts none, the refusal of the documented form is reported.
    async fn ask(
        &self,
        http: &reqwest::Client,
        identity: &Identity,
        location: &str,
        clock: Running,
    ) -> (Vec<TokenRequest>, Result<Granted, TokenFailure>) {
        let mut requests: Vec<TokenRequest> = Vec::new();
        let mut first_refusal = None;
        for key in identity.keys() {
            // The next form is tried because the previous one was refused.
            if let Some(before) = requests.last_mut() {
                first_refusal = first_refusal.or(before.failure.take());
            }
            let (request, granted) =
                self.request(http, identity, &token::request(location, key), clock).await;
            let refused = matches!(request.failure, Some(TokenFailure::Refused { status: 401, .. }));
            requests.push(request);
            if !refused {
                return (
                    requests,
                    granted.map_err(|failure| match failure {
                        TokenFailure::Refused { .. } => first_refusal.unwrap_or(failure),
                        other => other,
                    }),
                );
            }
        }
        let last = requests.last().and_then(|request| request.failure.clone());
        (requests, Err(first_refusal.or(last).unwrap_or(TokenFailure::NoCertificate)))
    }

    /// Makes one request.
    async fn request(
        &self,
        http: &reqwest::Client,
        identity: &Identity,
        body: &Value,
        clock: Running,
    ) -> (TokenRequest, Result<Granted, TokenFailure>) {
        let started = Instant::now();
        let url = self.endpoint.url();
        let mut request = TokenRequest {
            path: url.path().to_owned(),
            started_at: clock.now(),
            duration: Duration::ZERO,
            request: token::shown_request(body),
            request_bytes: body.to_string().len(),
            status: None,
            response: None,
            response_bytes: 0,
            failure: None,
        };
        let received = match http.post(url).json(body).send().await {
            Ok(response) => receive(response).await,
            Err(error) => Err(Unread::Http(error)),
        };
        let granted = match received {
            Ok(received) => {
                let Received { status, body, .. } = received;
                request.status = Some(status);
                request.response_bytes = body.len();
                match decoded(body, MAX_ANSWER_BYTES) {
                    Ok(text) => {
                        request.response = token::shown_response(status, &text);
                        granted(status, &text, &identity.organisation, clock.now())
                    }
                    Err(TooLong) => Err(TokenFailure::NotReadable { status }),
                }
            }
            Err(Unread::Http(error)) => Err(token_failure(&error)),
            Err(Unread::TooLong(status)) => {
                request.status = Some(status);
                Err(TokenFailure::NotReadable { status })
            }
        };
        request.duration = started.elapsed();
        request.failure = granted.as_ref().err().cloned();
        (request, granted)
    }

    pub(crate) async fn forget(&self, organisation: &OrganisationNumber, environment: Environment) {
        self.kept.lock().await.tokens.forget(organisation, environment);
    }
}

impl Kept {
    /// Returns the organiser's client, and builds it if needed. The client that was unused for longest is removed to
    /// make room.
    fn client(
        &mut self,
        identity: &Identity,
        roots: &Roots,
        timeout: Duration,
    ) -> Result<reqwest::Client, TlsError> {
        self.uses += 1;
        let used = self.uses;
        let known =
            self.clients.get_mut(&identity.organisation).filter(|known| known.digest == identity.digest);
        if let Some(known) = known {
            known.used = used;
            return Ok(known.http.clone());
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::to_authorization(identity, roots)?)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| TlsError)?;
        if self.clients.len() >= CLIENTS {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.used);
            if let Some(oldest) = oldest.map(|(organisation, _)| organisation.clone()) {
                self.clients.remove(&oldest);
            }
        }
        let client = KeptClient { digest: identity.digest, http: http.clone(), used };
        self.clients.insert(identity.organisation.clone(), client);
        Ok(http)
    }
}

/// Computes the current time from a given start time, because this crate has no clock.
#[derive(Clone, Copy)]
struct Running {
    since: Instant,
    from: Timestamp,
}

impl Running {
    fn now(self) -> Timestamp {
        self.from.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}

/// Classifies an answer as success, temporary failure or refusal. A gateway in between may return either kind of
/// failure.
fn granted(
    status: u16,
    text: &str,
    organisation: &OrganisationNumber,
    now: Timestamp,
) -> Result<Granted, TokenFailure> {
    match status {
        200..=299 => {
            let granted = Granted::read(status, text, now)?;
            granted.check(organisation)?;
            Ok(granted)
        }
        408 | 425 | 429 | 500..=599 => Err(TokenFailure::Unavailable { status: Some(status) }),
        _ => Err(TokenFailure::Refused { status, text: token::server_text(text) }),
    }
}

fn token_failure(error: &reqwest::Error) -> TokenFailure {
    tls::failure_of(error).map_or(TokenFailure::Unavailable { status: None }, TokenFailure::Tls)
}
