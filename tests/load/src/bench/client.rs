//! Calls to Stafett's API.

use std::time::Duration;

use base64::Engine;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stafett_load::Send;
use stafett_local::gateway::Caller;
use stafett_local::stack::Stack;
use uuid::Uuid;

use super::BenchError;

/// Between two polls of a send that must be about to end.
const LOOK: Duration = Duration::from_millis(100);
/// Most polls of one send.
const POLLS: u32 = 300;
/// Pages that are timed at each place.
const PAGES: usize = 10;
/// Bytes of an answer that are shown when it is a refusal.
const SHOWN: usize = 2_000;

/// A caller of the API of a stack.
pub(crate) struct Client<'a> {
    stack: &'a Stack,
    http: reqwest::Client,
}

/// A send that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) id: String,
    /// When it was submitted; before that it is only being handed over.
    pub(crate) submitted_at: Timestamp,
    /// How long handing over its parts took.
    pub(crate) upload: Option<Duration>,
    /// Requests that it took.
    pub(crate) requests: u32,
    /// The same in what the gateway charges by: each started 512 KB.
    pub(crate) charged_requests: u64,
}

/// A send as the API shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    pub(crate) status: String,
    pub(crate) ended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// A function process of the stack's.
#[derive(Debug, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) busy: bool,
}

/// A queue of the stack's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    visible: usize,
    delayed: usize,
    in_flight: usize,
}

impl<'a> Client<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Result<Self, BenchError> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { stack, http })
    }

    /// Makes a send, in one request or as an upload.
    pub(crate) async fn send(&self, send: &Send) -> Result<Made, BenchError> {
        let organisation = send.organisation();
        if send.is_large() {
            return self.upload(send, "stop").await;
        }
        let body = send.body();
        let charged_requests = charged(body.len());
        let submitted_at = self.stack.clock().now();
        let accepted: Accepted = self.post(organisation, "POST /v1/sends", "/v1/sends", body).await?;
        Ok(Made { id: accepted.id, submitted_at, upload: None, requests: 1, charged_requests })
    }

    /// Uploads one part at a time, so that no part stays in memory after its request.
    pub(crate) async fn upload(&self, send: &Send, on_record_errors: &str) -> Result<Made, BenchError> {
        let organisation = send.organisation();
        let began = std::time::Instant::now();
        let opening = json!({"upload": true, "options": {"onRecordErrors": on_record_errors}}).to_string();
        let Accepted { id } =
            self.post(organisation, "POST /v1/sends (upload)", "/v1/sends", opening).await?;
        let (mut parts, mut charged_requests) = (0, 2);
        for part in send.parts() {
            charged_requests += charged(part.body.len());
            let path = format!("/v1/sends/{id}/records");
            let _: Value = self.post(organisation, "POST /v1/sends/{id}/records", &path, part.body).await?;
            parts = part.number;
        }
        let upload = Some(began.elapsed());
        let submitted_at = self.stack.clock().now();
        let path = format!("/v1/sends/{id}/submit");
        let parts_given = json!({"parts": parts}).to_string();
        let _: Value = self.post(organisation, "POST /v1/sends/{id}/submit", &path, parts_given).await?;
        Ok(Made { id, submitted_at, upload, requests: parts + 2, charged_requests })
    }

    /// A send as it stands.
    pub(crate) async fn shown(&self, organisation: &str, id: &str) -> Result<Shown, BenchError> {
        let request = self.request(Method::GET, &format!("/v1/sends/{id}"), organisation)?;
        answer("GET /v1/sends/{id}", request).await
    }

    /// All rows of a job.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        organisation: &str,
        id: &str,
        stage: &str,
    ) -> Result<Vec<T>, BenchError> {
        let first = format!("/v1/sends/{id}/jobs/{stage}/records?limit=100");
        let (mut rows, mut path) = (Vec::new(), first.clone());
        loop {
            let request = self.request(Method::GET, &path, organisation)?;
            let page: Page<T> = answer("GET …/records", request).await?;
            rows.extend(page.items);
            let Some(cursor) = page.next_cursor else { return Ok(rows) };
            path = format!("{first}&cursor={cursor}");
        }
    }

    /// The middle of the times that a page of 100 rows of a send's persons takes, in milliseconds: the first page, and
    /// one near the end.
    pub(crate) async fn page_ms(
        &self,
        organisation: &str,
        id: &str,
        batches: u64,
    ) -> Result<f64, BenchError> {
        let near_the_end = format!("{}.0", batches.saturating_sub(2));
        let cursor = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(near_the_end);
        let first = format!("/v1/sends/{id}/jobs/users/records?limit=100");
        let mut times = Vec::new();
        for path in [first.clone(), format!("{first}&cursor={cursor}")] {
            for _ in 0..PAGES {
                let request = self.request(Method::GET, &path, organisation)?;
                let began = std::time::Instant::now();
                let _: Value = answer("GET …/records", request).await?;
                times.push(began.elapsed().as_secs_f64() * 1000.0);
            }
        }
        times.sort_by(f64::total_cmp);
        Ok(times.get(times.len() / 2).copied().unwrap_or_default())
    }

    /// Makes a send of this body.
    pub(crate) async fn accept(&self, organisation: &str, body: String) -> Result<(), BenchError> {
        let _: Value = self.post(organisation, "POST /v1/sends", "/v1/sends", body).await?;
        Ok(())
    }

    /// A document of the stack's own below `/local`.
    pub(crate) async fn local<T: DeserializeOwned>(&self, path: &'static str) -> Result<T, BenchError> {
        answer(path, self.http.get(format!("{}{path}", self.stack.url()))).await
    }

    /// Waits for the end of a send whose last record Skolverket has.
    pub(crate) async fn ended(&self, organisation: &str, id: &str) -> Result<Shown, BenchError> {
        let mut polls = 0;
        loop {
            let shown = self.shown(organisation, id).await?;
            polls += 1;
            if shown.ended_at.is_some() || polls == POLLS {
                return Ok(shown);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until nothing is left in the queues: the last invocations have ended then.
    pub(crate) async fn idle(&self) -> Result<(), BenchError> {
        for _ in 0..POLLS {
            let queues: Vec<Queue> = self.local("/local/queues").await?;
            if queues.iter().all(|queue| queue.visible + queue.delayed + queue.in_flight == 0) {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn post<T: DeserializeOwned>(
        &self,
        organisation: &str,
        what: &'static str,
        path: &str,
        body: String,
    ) -> Result<T, BenchError> {
        let request = self
            .request(Method::POST, path, organisation)?
            .header("idempotency-key", Uuid::new_v4().to_string())
            .header("content-type", "application/json")
            .body(body);
        answer(what, request).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        organisation: &str,
    ) -> Result<reqwest::RequestBuilder, BenchError> {
        let token = self.stack.tokens().issue(&Caller {
            organisation_number: organisation.to_owned(),
            scope: Some("sends:write history:read".to_owned()),
            sub: None,
            expires_in: None,
            issuer: None,
            claims: Default::default(),
        })?;
        Ok(self.http.request(method, format!("{}{path}", self.stack.url())).bearer_auth(token))
    }
}

/// The answer's JSON; an empty one, as of `204`, is null.
pub(crate) async fn answer<T: DeserializeOwned>(
    what: &'static str,
    request: reqwest::RequestBuilder,
) -> Result<T, BenchError> {
    let response = request.send().await?;
    let status: StatusCode = response.status();
    let body = response.text().await?;
    if !status.is_success() {
        let body = body.chars().take(SHOWN).collect();
        return Err(BenchError::Refused { what, status, body });
    }
    let body = if body.trim().is_empty() { "null" } else { body.as_str() };
    Ok(serde_json::from_str(body)?)
}

/// Requests that an HTTP API charges for a body of so many bytes.
fn charged(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(512 * 1024).max(1)).unwrap_or(u64::MAX)
}
