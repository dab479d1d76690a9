//! The calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use stafett_domain::{OrganisationNumber, SkolverketJobId, StageName};
use tokio::sync::Mutex;

use crate::answer::{self, CallFailure, JobAnswer, Submitted};
use crate::endpoint::{Endpoint, collection};
use crate::token::{self, Granted, Token, TokenCache, TokenFailure};

/// Longest answer that is read, in bytes. A job's answer can be larger than its request of 200 kB (329 kB seen).
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the client for Skolverket cannot be built")]
pub enum ClientError {
    /// The HTTP client refused its settings.
    Http(#[from] reqwest::Error),
    /// TLS refused its own.
    Tls(#[from] rustls::Error),
}

/// Speaks to Skolverket for all organisers. Built once a process.
pub struct Client {
    http: reqwest::Client,
    provisioning: Endpoint,
    authorization: Endpoint,
    location: String,
    tokens: Mutex<TokenCache>,
}

/// One HTTP call and what came of it. The bodies hold personal data, so it has no `Debug`.
pub struct Exchange<T> {
    /// Path and query, as in the published interface.
    pub path: String,
    /// From the first byte sent to the last one read, or to the failure.
    pub duration: Duration,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The answer's body as it came; empty where there was none.
    pub body: Vec<u8>,
    /// The answer, read.
    pub answer: Result<T, CallFailure>,
}

/// An answer as it came.
pub(crate) struct Received {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// `provisioning` is the base address of the Provisioning API that is called, `location` the one that tokens
    /// are asked for (the verification environment has one of its own), `authorization` the address of
    /// `/transaction`; `timeout` bounds each call.
    ///
    /// # Errors
    /// [`ClientError`] where TLS cannot be set up.
    pub fn new(
        provisioning: Endpoint,
        location: String,
        authorization: Endpoint,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        // A proxy that the environment names sees where a call goes and no more: what may be called without TLS is on
        // this machine.
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, provisioning, authorization, location, tokens: Mutex::default() })
    }

    /// The organiser's token: the kept one, or else a new one. Only one is asked for at a time.
    ///
    /// # Errors
    /// [`TokenFailure`] where the authorization server gave none.
    pub async fn token(
        &self,
        organisation: &OrganisationNumber,
        entity_id: &str,
        now: Timestamp,
    ) -> Result<Token, TokenFailure> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(organisation, now) {
            return Ok(token);
        }
        let body = token::request(&self.location, entity_id);
        let request = self.http.post(self.authorization.url()).json(&body);
        let received = receive(request).await.map_err(|_| TokenFailure::Unavailable { status: None })?;
        match received.status {
            200..=299 => Ok(tokens.keep(organisation.clone(), &Granted::read(&received.body)?, now)),
            status @ (429 | 500..=599) => Err(TokenFailure::Unavailable { status: Some(status) }),
            status => Err(TokenFailure::Refused { status }),
        }
    }

    /// Drops the organiser's kept token, after the API refused it.
    pub async fn forget_token(&self, organisation: &OrganisationNumber) {
        self.tokens.lock().await.forget(organisation);
    }

    /// Submits `body` (`{"data": […]}`) as a bulk call. A repeat is safe: existing records are updated.
    pub async fn submit(&self, stage: StageName, token: &Token, body: String) -> Exchange<Submitted> {
        let path = format!("/{}/bulk?updateIfExists=true", collection(stage));
        let request_bytes = body.len();
        self.exchange(path, token, Some(body), request_bytes, |received| {
            if received.status != 202 {
                return Err(failure(received));
            }
            let location = received.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            answer::submitted(location, &received.body)
        })
        .await
    }

    /// Reads a job. The address is built from the configured base: published `Location`s carry an old one.
    pub async fn job(&self, stage: StageName, token: &Token, job: SkolverketJobId) -> Exchange<JobAnswer> {
        let path = format!("/{}/bulk/jobs/{job}", collection(stage));
        self.exchange(path, token, None, 0, |received| {
            if received.status != 200 {
                return Err(failure(received));
            }
            serde_json::from_slice(&received.body).map_err(|_| CallFailure::NotReadable(received.status))
        })
        .await
    }

    async fn exchange<T>(
        &self,
        path: String,
        token: &Token,
        body: Option<String>,
        request_bytes: usize,
        read: impl FnOnce(&Received) -> Result<T, CallFailure>,
    ) -> Exchange<T> {
        let started = Instant::now();
        let outcome = self.call(&path, token, body).await;
        let (status, body, answer) = match outcome {
            Ok(received) => {
                let answer = read(&received);
                (Some(received.status), received.body, answer)
            }
            Err(failure) => (None, Vec::new(), Err(failure)),
        };
        Exchange { path, duration: started.elapsed(), request_bytes, status, body, answer }
    }

    async fn call(&self, path: &str, token: &Token, body: Option<String>) -> Result<Received, CallFailure> {
        let url = self.provisioning.join(path).map_err(|_| CallFailure::Connection)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.value.expose_secret()))
            .map_err(|_| CallFailure::Forbidden)?;
        bearer.set_sensitive(true);
        let request = match body {
            Some(body) => self.http.post(url).header("content-type", "application/json").body(body),
            None => self.http.get(url),
        };
        receive(request.header(AUTHORIZATION, bearer)).await
    }
}

/// Mozilla's roots as they are compiled in: nothing is read or parsed, so a start costs nothing for them.
pub(crate) fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Sends and reads to the end. The errors of the HTTP library are sorted here, because they name addresses.
pub(crate) async fn receive(request: reqwest::RequestBuilder) -> Result<Received, CallFailure> {
    let sorted = |error: reqwest::Error| {
        if error.is_connect() { CallFailure::Connection } else { CallFailure::NoAnswer }
    };
    let mut response = request.send().await.map_err(sorted)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(sorted)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(CallFailure::NotReadable(status));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}

pub(crate) fn failure(received: &Received) -> CallFailure {
    let reset = received.headers.get("x-ratelimit-reset").and_then(|value| value.to_str().ok());
    // A fraction such as 0.5 is allowed, so it is no integer.
    let reset = reset
        .and_then(|text| text.trim().parse::<f64>().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    CallFailure::of_status(received.status, reset)
}
