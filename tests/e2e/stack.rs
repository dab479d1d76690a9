//! A stack for one test: the program, and a simulator of the test's own.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stafett_local::simulator;
use stafett_simulator::{Limits, Rule, Simulator};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::contract::Contract;
use crate::operations::assert_documented;

pub(crate) const ORGANISER: &str = "5567044268";
pub(crate) const ALL_SCOPES: &str = "sends:write history:read history:personal";

/// Longest wait for anything. Far more than anything takes, on a machine that does much else.
const DEADLINE: Duration = Duration::from_secs(180);

/// Pauses between two polls grow: many tests that wait at the same time must not slow each other down.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

pub(crate) struct TestStack {
    program: Child,
    output: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) skolverket: Simulator,
    pub(crate) logs: TempDir,
    http: reqwest::Client,
}

/// Limits of the simulator that go with `--fast`, with three times the room for the rate: how late a busy machine is does
/// not get less with the pace, and a call that is refused for it would be one more than a test counts.
pub(crate) fn limits() -> Limits {
    let scaled = Limits::default().scaled(10.0);
    Limits { calls_per_second: scaled.calls_per_second * 3.0, ..scaled }
}

/// The same with three times the room, for tests in which many processes start, or are killed, at once: what they held
/// up comes late and at the same time. Other tests check the rate of calls, at the real pace.
pub(crate) fn roomy() -> Limits {
    Limits { calls_per_second: 3.0 * limits().calls_per_second, ..limits() }
}

/// A folder of settings in which this organiser attests its routine for protected identities.
fn attesting(organisation: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let settings = serde_json::json!({
        "entityId": format!("https://{organisation}.example.se"), "protectedIdentitiesAttested": true,
    });
    std::fs::write(folder.path().join(format!("{organisation}.json")), settings.to_string()).unwrap();
    folder
}

/// The program, on any free port; it ends with the test.
pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_stafett"));
    program.args(["--port", "0"]).kill_on_drop(true);
    program
}

impl TestStack {
    pub(crate) async fn start() -> Self {
        Self::start_with(Simulator::start(limits()).await.unwrap(), &[]).await
    }

    pub(crate) async fn start_with(skolverket: Simulator, arguments: &[&str]) -> Self {
        Self::start_at(skolverket, &[&["--fast"], arguments].concat()).await
    }

    /// A stack in which the organiser attests its routine for protected identities, and the folder of its settings.
    pub(crate) async fn start_attesting() -> (Self, TempDir) {
        let settings = attesting(ORGANISER);
        let arguments = ["--organisers", settings.path().to_str().unwrap()];
        (Self::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await, settings)
    }

    /// A stack at the real pace, unless `arguments` say otherwise.
    pub(crate) async fn start_at(skolverket: Simulator, arguments: &[&str]) -> Self {
        let at = simulator::options(&skolverket);
        let at: Vec<&str> = at.iter().map(String::as_str).collect();
        Self::launch(skolverket, &[&at, arguments].concat()).await
    }

    /// A stack with the program's own simulator, whose judge nobody hears.
    pub(crate) async fn start_alone(arguments: &[&str]) -> Self {
        let unused = Simulator::start(limits()).await.unwrap();
        Self::launch(unused, &[&["--fast"], arguments].concat()).await
    }

    async fn launch(skolverket: Simulator, arguments: &[&str]) -> Self {
        let logs = TempDir::new().unwrap();
        let mut program = program()
            .arg("--no-send")
            // A call that a test holds is to be held for as long as the test wants.
            .args(["--set", "AWS_ATTEMPT_MS=60000"])
            .arg("--log-dir")
            .arg(logs.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).await.unwrap();
        let url = line.trim_end().strip_prefix("Stafett listens on ").expect("the address").to_owned();
        Self { program, output, url, skolverket, logs, http: reqwest::Client::new() }
    }

    /// Ends the program by this signal (`KILL`, `TERM`); gives the simulator, for the next program to go on with.
    pub(crate) async fn end(mut self, signal: &str) -> Simulator {
        let pid = self.program.id().expect("it runs");
        let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().await.unwrap();
        assert!(kill.success());
        tokio::time::timeout(DEADLINE, self.program.wait()).await.expect("it ends").unwrap();
        self.skolverket
    }

    pub(crate) async fn token(&self, organisation: &str, scope: &str) -> String {
        let query = [("organisation_number", organisation), ("scope", scope)];
        let url = reqwest::Url::parse_with_params(&format!("{}/local/token", self.url), query).unwrap();
        let answer: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Calls, and holds the answer to the API's description.
    pub(crate) async fn request(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        if path.starts_with("/v1/") {
            self.contract().await.hold(&method, &path, &answer);
        }
        answer
    }

    /// The API's description: the same for all stacks.
    pub(crate) async fn contract(&self) -> &'static Contract {
        static CONTRACT: OnceCell<Contract> = OnceCell::const_new();
        let fetch = async || {
            let response = self.http.get(format!("{}/v1/openapi.json", self.url)).send().await.unwrap();
            Contract::new(response.json().await.unwrap())
        };
        CONTRACT.get_or_init(fetch).await
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get_as(&self, organisation: &str, scope: &str, path: &str) -> Answer {
        let token = self.token(organisation, scope).await;
        self.request(self.call(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.get_as(ORGANISER, ALL_SCOPES, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    pub(crate) async fn post(&self, organisation: &str, key: &str, body: String) -> Answer {
        let token = self.token(organisation, ALL_SCOPES).await;
        let request = self.call(Method::POST, "/v1/sends").bearer_auth(token).header("idempotency-key", key);
        self.request(request.header("content-type", "application/json").body(body)).await
    }

    /// Sends, and gives the id of the accepted send.
    pub(crate) async fn send_as(&self, organisation: &str, body: &Value) -> String {
        let key = uuid::Uuid::new_v4().to_string();
        let answer = self.post(organisation, &key, body.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, body: &Value) -> String {
        self.send_as(ORGANISER, body).await
    }

    /// Waits until the send has ended; gives it.
    pub(crate) async fn ended_as(&self, organisation: &str, id: &str) -> Value {
        let path = format!("/v1/sends/{id}");
        let token = self.token(organisation, ALL_SCOPES).await;
        self.until(&format!("send {id} has ended"), async || {
            let answer = self.request(self.call(Method::GET, &path).bearer_auth(&token)).await;
            has_ended(answer.json())
        })
        .await
    }

    pub(crate) async fn ended(&self, id: &str) -> Value {
        self.ended_as(ORGANISER, id).await
    }

    /// Polls until `look` gives something.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() >= deadline {
                panic!(
                    "not within {DEADLINE:?}: {what}; violations: {:?}\n{}",
                    self.skolverket.violations(),
                    self.log_text()
                );
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 5 / 4).min(LONGEST_WAIT);
        }
    }

    /// Queues a message for the stage whose queue has this in its name.
    pub(crate) async fn queue(&self, name: &str, message: &str) {
        let queues = self.local("/local/queues").await;
        let queue =
            queues.as_array().unwrap().iter().find(|queue| queue["queue"].as_str().unwrap().contains(name));
        let url = queue.unwrap()["url"].as_str().unwrap().to_owned();
        let endpoint = reqwest::Url::parse(&url).unwrap().origin().ascii_serialization();
        let request = self
            .http
            .post(endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "AmazonSQS.SendMessage")
            .body(json!({"QueueUrl": url, "MessageBody": message}).to_string());
        let answer = self.request(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub(crate) async fn local(&self, path: &str) -> Value {
        self.request(self.call(Method::GET, path)).await.json()
    }

    /// From now on these rules of the forwarding layer are in force for a subject, and its calls are remembered.
    pub(crate) async fn put_faults(&self, subject: &str, rules: &Value) {
        let request = self.call(Method::PUT, &format!("/local/faults/{subject}")).json(rules);
        let answer = self.request(request).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    }

    /// The calls for a subject that the forwarding layer saw since its rules were put.
    pub(crate) async fn calls(&self, subject: &str) -> Vec<Value> {
        let calls = self.local(&format!("/local/calls/{subject}")).await;
        calls.as_array().unwrap().clone()
    }

    /// All that the functions printed.
    pub(crate) fn log_text(&self) -> String {
        let files = std::fs::read_dir(self.logs.path()).unwrap().map(|entry| entry.unwrap().path());
        files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// The log lines of an event, so far.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let text = self.log_text();
        // A line that is just being written is no object yet.
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["event"] == event).collect()
    }

    /// Asserts that nothing is left: the judge is silent, all queues are empty but for `dead_letters`, and every logged
    /// event is in the operator's handbook. Gives all that the program printed after its first line.
    pub(crate) async fn finish(mut self, dead_letters: u64) -> String {
        self.until("the queues are empty", async || {
            let queues = self.local("/local/queues").await;
            let left = |name: &str| {
                queues.as_array().unwrap().iter().map(|queue| queue[name].as_u64().unwrap()).sum::<u64>()
            };
            let waiting = left("visible") + left("delayed") + left("inFlight");
            (waiting == 0 && left("deadLetters") == dead_letters).then_some(())
        })
        .await;
        // How often a call is too fast depends on what else the machine does; the benchmark measures it.
        let violations = self.skolverket.violations();
        let broken: Vec<_> = violations.iter().filter(|violation| violation.rule != Rule::Rate).collect();
        assert!(broken.is_empty(), "{broken:?}");
        self.program.kill().await.unwrap();
        assert_documented(&self.log_text());
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).await.unwrap();
        printed
    }
}

/// The counts of a job that are not zero, as `name count` in the order of the API.
pub(crate) fn counts(send: &Value, stage: &str) -> String {
    let job = job(send, stage);
    let names = ["total", "pending", "success", "warning", "error", "skipped", "notSent", "unknown"];
    let count = |name: &&str| {
        let count = job["counts"][*name].as_u64().unwrap_or_else(|| panic!("no count {name}: {job}"));
        (count > 0).then(|| format!("{name} {count}"))
    };
    names.iter().filter_map(count).collect::<Vec<_>>().join(", ")
}

pub(crate) fn job<'a>(send: &'a Value, stage: &str) -> &'a Value {
    send["jobs"].as_array().unwrap().iter().find(|job| job["stage"] == stage).unwrap()
}

/// The attempt that was a stage's first call, after the one for its token. Not always step 0: a step without a slot is
/// put back, uncalled.
pub(crate) async fn first_attempt(stack: &TestStack, send: &str, stage: &str) -> String {
    let attempts = stack.get(&format!("/v1/sends/{send}/jobs/{stage}/attempts?limit=100")).await;
    let own = attempts["items"].as_array().unwrap().iter().rfind(|attempt| attempt["call"] != "token");
    own.unwrap()["attempt"].as_str().unwrap().to_owned()
}

/// The statuses of the four jobs, in order.
pub(crate) fn statuses(send: &Value) -> Vec<&str> {
    send["jobs"].as_array().unwrap().iter().map(|job| job["status"].as_str().unwrap()).collect()
}

/// The send, if it has ended.
pub(crate) fn has_ended(send: Value) -> Option<Value> {
    let status = send["status"].as_str().unwrap_or_else(|| panic!("{send}"));
    (!matches!(status, "queued" | "running")).then_some(send)
}
