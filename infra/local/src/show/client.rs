//! Calls to Stafett's own API, and what is read of its answers.

use std::fmt;
use std::sync::Arc;

use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use uuid::Uuid;

use crate::gateway::{Caller, Tokens};

/// The example shows masked data, which needs no more than this.
const SCOPE: &str = "sends:write history:read";

/// Faults of a refused send that are shown: the rest is likely of the same kinds.
const MAX_FAULTS: usize = 20;

/// A call that did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("the API could not be called: {0}")]
    Transport(#[from] reqwest::Error),
    #[error("no address of the API: {0}")]
    Address(String),
    #[error("no token could be made: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("the API answered {status}{problem}")]
    Refused { status: StatusCode, problem: Problem },
}

/// The API's problem document for a request that it did not carry out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Problem {
    detail: Option<String>,
    /// The gateway's own word.
    message: Option<String>,
    error_count: usize,
    errors: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    pointer: String,
    en: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.detail.as_ref().or(self.message.as_ref()) {
            write!(f, ": {text}")?;
        }
        for fault in self.errors.iter().take(MAX_FAULTS) {
            write!(f, "\n  {}: {}", fault.pointer, fault.en)?;
        }
        match self.error_count.checked_sub(MAX_FAULTS) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n  … and {more} more"),
        }
    }
}

/// A send, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Send {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) queue_position: Option<u64>,
    pub(super) ended_at: Option<jiff::Timestamp>,
    #[serde(default)]
    pub(super) activities: Vec<Activity>,
    #[serde(default)]
    pub(super) jobs: Vec<Job>,
}

impl Send {
    /// Nothing about it will change any more.
    pub(super) fn has_ended(&self) -> bool {
        !["receiving", "queued", "running"].contains(&self.status.as_str())
    }

    pub(super) fn has_succeeded(&self) -> bool {
        ["succeeded", "succeededWithWarnings"].contains(&self.status.as_str())
    }

    pub(super) fn job(&self, stage: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.stage == stage)
    }
}

/// A test activity of a send.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Activity {
    pub(super) display_name: Option<String>,
    pub(super) test_code: Option<String>,
    pub(super) school_unit: Option<SchoolUnit>,
    #[serde(default)]
    pub(super) groups: u64,
    #[serde(default)]
    pub(super) students: Option<u64>,
    #[serde(default)]
    pub(super) teachers: u64,
}

/// Where a test activity is held.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct SchoolUnit {
    pub(super) code: Option<String>,
}

/// One of a send's four jobs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    pub(super) stage: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) counts: Counts,
    pub(super) reason: Option<Reason>,
}

/// Why a job did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Reason {
    /// In English.
    pub(super) en: String,
}

/// A job's records by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) pending: u64,
    pub(super) success: u64,
    pub(super) warning: u64,
    pub(super) error: u64,
    pub(super) skipped: u64,
    pub(super) not_sent: u64,
    pub(super) unknown: u64,
}

/// A row of the users job.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) outcome: String,
    pub(super) name: Option<String>,
    pub(super) role: Option<String>,
    pub(super) civic_no: Option<String>,
    pub(super) eppn: Option<String>,
    pub(super) school_year: Option<u64>,
    pub(super) school_type: Option<String>,
    /// Values are left out that are there.
    #[serde(default)]
    pub(super) masked: bool,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
}

/// A message about a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) severity: Option<String>,
    pub(super) id: Option<String>,
    pub(super) message_type: Option<String>,
    pub(super) message: Option<String>,
    pub(super) attribute_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<Row>,
    next_cursor: Option<String>,
}

/// Stafett's API as one organiser sees it.
pub(super) struct Client {
    url: String,
    organisation_number: String,
    tokens: Arc<Tokens>,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(
        url: String,
        organisation_number: &str,
        tokens: Arc<Tokens>,
    ) -> Result<Self, ClientError> {
        // Nothing between this program and itself.
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, organisation_number: organisation_number.to_owned(), tokens, http })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A token, valid for an hour.
    pub(super) fn token(&self) -> Result<String, ClientError> {
        let organisation_number = self.organisation_number.clone();
        Ok(self.tokens.issue(&Caller {
            organisation_number,
            scope: Some(SCOPE.to_owned()),
            sub: None,
            expires_in: None,
            issuer: None,
            claims: Default::default(),
        })?)
    }

    pub(super) async fn send(&self, body: String) -> Result<Send, ClientError> {
        let request = self
            .http
            .post(format!("{}/v1/sends", self.url))
            .header("content-type", "application/json")
            .header("idempotency-key", Uuid::new_v4().to_string())
            .body(body);
        self.call(request).await
    }

    pub(super) async fn poll(&self, send: &str) -> Result<Send, ClientError> {
        self.call(self.http.get(format!("{}/v1/sends/{send}", self.url))).await
    }

    /// The rows of the users job, at most `max`.
    pub(super) async fn users(&self, send: &str, max: usize) -> Result<Vec<Row>, ClientError> {
        let url = format!("{}/v1/sends/{send}/jobs/users/records", self.url);
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let of_page = cursor.iter().map(|cursor| ("cursor", cursor));
            let of_page = Url::parse_with_params(&url, of_page)
                .map_err(|error| ClientError::Address(error.to_string()))?;
            let page: Page = self.call(self.http.get(of_page)).await?;
            rows.extend(page.items);
            rows.truncate(max);
            cursor = page.next_cursor;
            if cursor.is_none() || rows.len() == max {
                return Ok(rows);
            }
        }
    }

    async fn call<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = request.bearer_auth(self.token()?).send().await?;
        let status = response.status();
        if !status.is_success() {
            let problem = response.json().await.unwrap_or_default();
            return Err(ClientError::Refused { status, problem });
        }
        Ok(response.json().await?)
    }
}
