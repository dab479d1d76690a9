//! A caller that keeps to the protocol, or can be made not to.

use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Kind, Limits, Rule, Simulator};

pub(super) const ORGANISATION: &str = "5567044268";

/// As fast as a test wants it: no call is ever too many, jobs take a few milliseconds.
pub(super) fn quick() -> Limits {
    Limits { calls_per_second: 1e6, job_time: Duration::from_millis(5), ..Limits::default() }
}

pub(super) struct Caller {
    pub(super) simulator: Simulator,
    pub(super) client: Client,
    pub(super) token: String,
}

impl Caller {
    pub(super) async fn start(limits: Limits) -> Caller {
        let simulator = Simulator::start(limits).await.unwrap();
        Caller::of(simulator, ORGANISATION).await
    }

    pub(super) async fn of(simulator: Simulator, organisation: &str) -> Caller {
        let client = Client::new();
        let request = token_request(&simulator, organisation);
        let answer = client.post(simulator.token_url()).json(&request).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let token = answer["access_token"]["value"].as_str().unwrap().to_owned();
        Caller { simulator, client, token }
    }

    pub(super) fn url(&self, rest: &str) -> String {
        format!("{}{rest}", self.simulator.provisioning_url())
    }

    pub(super) fn get(&self, rest: &str) -> RequestBuilder {
        self.client.get(self.url(rest)).bearer_auth(&self.token)
    }

    pub(super) fn post(&self, rest: &str) -> RequestBuilder {
        self.client.post(self.url(rest)).bearer_auth(&self.token)
    }

    pub(super) async fn bulk(&self, kind: Kind, records: &[Value]) -> Response {
        let call = self.post(&format!("/{kind}/bulk?updateIfExists=true")).json(&json!({"data": records}));
        call.send().await.unwrap()
    }

    /// Sends records; the job's id.
    pub(super) async fn accepted(&self, kind: Kind, records: &[Value]) -> Uuid {
        let answer = self.bulk(kind, records).await;
        assert_eq!(answer.status(), 202);
        job_id(answer).await
    }

    /// The answer of one job call.
    pub(super) async fn job(&self, kind: Kind, job: Uuid) -> Value {
        let answer = self.get(&format!("/{kind}/bulk/jobs/{job}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Asks until the job has completed: its `responses`.
    pub(super) async fn outcomes(&self, kind: Kind, job: Uuid) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let answer = self.job(kind, job).await;
            let responses = answer["responses"].as_array().unwrap();
            if responses.iter().all(|response| response["response"]["status"] != "Pending") {
                return responses.clone();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the job never completed");
    }

    /// Sends records and reads their outcomes: status and statusCode of each.
    pub(super) async fn sent(&self, kind: Kind, records: &[Value]) -> Vec<(String, u64)> {
        let job = self.accepted(kind, records).await;
        let shown = |outcome: &Value| {
            let response = &outcome["response"];
            (response["status"].as_str().unwrap().to_owned(), response["statusCode"].as_u64().unwrap())
        };
        self.outcomes(kind, job).await.iter().map(shown).collect()
    }

    pub(super) fn rules(&self) -> Vec<Rule> {
        self.simulator.violations().iter().map(|violation| violation.rule).collect()
    }
}

pub(super) async fn job_id(answer: Response) -> Uuid {
    let answer: Value = answer.json().await.unwrap();
    answer["jobId"].as_str().unwrap().parse().unwrap()
}

pub(super) fn token_request(simulator: &Simulator, organisation: &str) -> Value {
    json!({
        "access_token": [{
            "access": [{"type": "provisioning-api", "locations": [simulator.provisioning_url()]}],
            "flags": ["bearer"],
        }],
        "client": {"key": format!("https://{organisation}.example.se")},
    })
}

/// `(status, statusCode)` as [`Caller::sent`] gives it.
pub(super) fn outcome(status: &str, code: u64) -> (String, u64) {
    (status.to_owned(), code)
}

/// The id of the only LogEntry of a refused call, whose status is the call's.
pub(super) async fn refusal(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let entries: Vec<Value> = answer.json().await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["statusCode"], status);
    assert_eq!(entries[0]["severityLevel"], "Error");
    for attribute in ["messageType", "message", "timeOfOccurance"] {
        assert!(entries[0][attribute].is_string(), "{attribute}");
    }
    (status, entries[0].clone())
}
