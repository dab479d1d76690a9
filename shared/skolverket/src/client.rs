//! The calls.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use stafett_domain::{Environment, OrganisationNumber, SkolverketJobId, StageName};

use crate::answer::{self, CallFailure, JobAnswer, Submitted};
use crate::authorization::Authorization;
use crate::endpoint::{Endpoint, collection};
use crate::identity::{Identity, Roots};
use crate::tls;
use crate::token::{Token, TokenFailure};

/// Longest answer that is read, in bytes. A job's answer can be larger than its request of 200 kB (329 kB seen).
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Where a Provisioning API is.
#[derive(Debug, Clone)]
pub struct Api {
    /// The base address that is called.
    pub base: Endpoint,
    /// The one that tokens are asked for. Behind a proxy the two differ.
    pub location: String,
}

/// Where Skolverket is, and what is trusted there.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The Provisioning API of the production environment.
    pub production: Api,
    /// That of the verification environment, where it is used.
    pub verification: Option<Api>,
    /// The authorization server's `/transaction`: the same for both.
    pub authorization: Endpoint,
    /// Trusted beside the built-in root certificates, by both servers' clients.
    pub roots: Roots,
}

/// Speaks to Skolverket for all organisers. Made once a process, at no cost: TLS is set up for the first call.
pub struct Client {
    production: Api,
    verification: Option<Api>,
    authorization: Authorization,
    roots: Roots,
    timeout: Duration,
    http: OnceLock<reqwest::Client>,
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
    /// `timeout` bounds each call.
    pub fn new(addresses: Addresses, timeout: Duration) -> Self {
        let Addresses { production, verification, authorization, roots } = addresses;
        let authorization = Authorization::new(authorization, roots.clone(), timeout);
        Self { production, verification, authorization, roots, timeout, http: OnceLock::new() }
    }

    /// The organiser's token for an environment: the kept one, or else a new one. Only one is asked for at a time.
    ///
    /// # Errors
    /// [`TokenFailure`] where the authorization server gave none.
    pub async fn token(
        &self,
        identity: &Identity,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Token, TokenFailure> {
        let api = self.api(environment).ok_or(TokenFailure::NoEnvironment)?;
        self.authorization.token(identity, environment, &api.location, now).await
    }

    /// Drops the organiser's kept token, after the API refused it.
    pub async fn forget_token(&self, organisation: &OrganisationNumber, environment: Environment) {
        self.authorization.forget(organisation, environment).await;
    }

    fn api(&self, environment: Environment) -> Option<&Api> {
        match environment {
            Environment::Production => Some(&self.production),
            Environment::Verification => self.verification.as_ref(),
        }
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
        let api = self.api(token.environment).ok_or(CallFailure::Connection)?;
        let url = api.base.join(path).map_err(|_| CallFailure::Connection)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.value.expose_secret()))
            .map_err(|_| CallFailure::Forbidden)?;
        bearer.set_sensitive(true);
        let http = self.http()?;
        let request = match body {
            Some(body) => http.post(url).header("content-type", "application/json").body(body),
            None => http.get(url),
        };
        let response = request.header(AUTHORIZATION, bearer).send().await.map_err(|error| sorted(&error))?;
        receive(response).await.map_err(Unread::into_failure)
    }

    /// The client for both APIs: without a certificate, which is for the authorization server alone.
    fn http(&self) -> Result<&reqwest::Client, CallFailure> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        // A proxy that the environment names sees where a call goes and no more: what may be called without TLS is on
        // this machine.
        let tls = tls::to_api(&self.roots).map_err(|_| CallFailure::Connection)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| CallFailure::Connection)?;
        Ok(self.http.get_or_init(|| http))
    }
}

/// The errors of the HTTP library are sorted here, because they name addresses.
pub(crate) fn sorted(error: &reqwest::Error) -> CallFailure {
    if error.is_connect() { CallFailure::Connection } else { CallFailure::NoAnswer }
}

/// Why an answer was not read to its end.
pub(crate) enum Unread {
    /// The connection broke, or took too long.
    Http(reqwest::Error),
    /// It is longer than any that is expected; its status.
    TooLong(u16),
}

impl Unread {
    pub(crate) fn into_failure(self) -> CallFailure {
        match self {
            Self::Http(error) => sorted(&error),
            Self::TooLong(status) => CallFailure::NotReadable(status),
        }
    }
}

/// Reads an answer to its end.
pub(crate) async fn receive(mut response: reqwest::Response) -> Result<Received, Unread> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Http)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Unread::TooLong(status));
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
