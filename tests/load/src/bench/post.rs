//! How long `POST /v1/sends` takes with one class, beside what the emulator itself takes for its main calls.

use std::time::Instant;

use serde_json::{Value, json};
use stafett_load::Preset;
use stafett_simulator::Simulator;

use super::BenchError;
use super::client::Client;
use super::skolverket::limits;
use super::stack;

/// Requests that are timed.
const REQUESTS: usize = 200;

/// Measures, and gives a line for each.
pub(crate) async fn run() -> Result<String, BenchError> {
    let skolverket = Simulator::start(limits()).await.map_err(BenchError::Simulator)?;
    let stack = stack::start(&skolverket, &[]).await?;
    let client = Client::new(&stack)?;
    let send = Preset::Class.sends().next().ok_or(BenchError::Lost)?;
    let body = send.body();
    let mut times = Vec::with_capacity(REQUESTS);
    // The first one starts the function. All are one organiser's: the others wait, and leave the machine alone.
    for _ in 0..=REQUESTS {
        let (again, began) = (body.clone(), Instant::now());
        client.accept(send.organisation(), again).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.remove(0);
    let mut lines = vec![line("POST /v1/sends, one class", times)];

    let emulator = Emulator::of(&client).await?;
    let key =
        |name: &str, number: usize| json!({"pk": {"S": format!("bench#{name}#{number}")}, "sk": {"S": "x"}});
    let (mut puts, mut transactions, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..REQUESTS {
        let put = json!({"TableName": emulator.table, "Item": key("put", number)});
        puts.push(emulator.time(&emulator.dynamodb, "DynamoDB_20120810.PutItem", put).await?);
        let write = |place: usize| json!({"Put": {"TableName": emulator.table, "Item": key(&format!("t{place}"), number)}});
        let transaction = json!({"TransactItems": [write(0), write(1), write(2), write(3)]});
        let target = "DynamoDB_20120810.TransactWriteItems";
        transactions.push(emulator.time(&emulator.dynamodb, target, transaction).await?);
        // So late that nobody receives it.
        let message = json!({"QueueUrl": emulator.queue, "MessageBody": "{}", "DelaySeconds": 900});
        messages.push(emulator.time(&emulator.sqs, "AmazonSQS.SendMessage", message).await?);
    }
    lines.push(line("emulator: PutItem", puts));
    lines.push(line("emulator: TransactWriteItems of four", transactions));
    lines.push(line("emulator: SendMessage", messages));
    stack.stop().await;
    Ok(lines.join("\n"))
}

fn line(name: &str, mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    format!(
        "{name:<38} median {:>6.2} ms, 99th percentile {:>6.2} ms",
        at(times.len() / 2),
        at(times.len() * 99 / 100)
    )
}

/// The emulated services, called as anybody may.
struct Emulator {
    http: reqwest::Client,
    dynamodb: String,
    sqs: String,
    table: String,
    queue: String,
}

impl Emulator {
    async fn of(client: &Client<'_>) -> Result<Self, BenchError> {
        let endpoints: Value = client.local("/local/endpoints").await?;
        let queues: Value = client.local("/local/queues").await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut emulator = Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            dynamodb: text(&endpoints["dynamodb"]),
            sqs: text(&endpoints["sqs"]),
            table: String::new(),
            queue: text(&queues[0]["url"]),
        };
        let tables = emulator.call(&emulator.dynamodb, "DynamoDB_20120810.ListTables", json!({})).await?;
        emulator.table = text(&tables["TableNames"][0]);
        Ok(emulator)
    }

    async fn time(&self, endpoint: &str, target: &str, body: Value) -> Result<f64, BenchError> {
        let began = Instant::now();
        self.call(endpoint, target, body).await?;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    }

    async fn call(&self, endpoint: &str, target: &str, body: Value) -> Result<Value, BenchError> {
        // The emulated DynamoDB asks for a signature, and takes any.
        let signature = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-north-1/dynamodb/aws4_request, \
                         SignedHeaders=host, Signature=0";
        let request = self
            .http
            .post(endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", signature)
            .header("x-amz-date", "20260101T000000Z")
            .body(body.to_string());
        super::client::answer("a call to the emulator", request).await
    }
}
