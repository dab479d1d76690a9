//! The stack on another emulator than its own: by default the built-in ones behind one address in this test, else the
//! one at `AWS_EMULATOR_ENDPOINT`.

use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde_json::Value;
use stafett_local::clock::Clock;
use stafett_local::pace::Pace;
use stafett_local::sqs::Sqs;
use stafett_local::{dynamodb, loopback};
use stafett_simulator::Simulator;

use crate::people::class;
use crate::sqs_contract::client;
use crate::stack::{TestStack, limits, statuses};

#[tokio::test]
async fn a_send_goes_through_another_emulator() {
    let endpoint = match std::env::var("AWS_EMULATOR_ENDPOINT").ok().filter(|url| !url.is_empty()) {
        Some(url) => url,
        None => own().await,
    };
    let arguments = ["--aws-endpoint", endpoint.as_str()];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let id = stack.send(&class(730)).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded", "{send}");
    let queues = stack.local("/local/queues").await;
    let port = |url: &str| Url::parse(url).unwrap().port();
    assert_eq!(queues.as_array().unwrap().len(), 4);
    for queue in queues.as_array().unwrap() {
        assert_eq!(port(queue["url"].as_str().unwrap()), port(&endpoint), "{queue}");
    }
    // As the template says, durations at the stack's pace.
    let users =
        queues.as_array().unwrap().iter().find(|queue| queue["queue"] == "stafett-UsersQueue").unwrap();
    let request = client(Some(&endpoint)).get_queue_attributes().queue_url(users["url"].as_str().unwrap());
    let attributes =
        request.attribute_names(QueueAttributeName::All).send().await.unwrap().attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "18");
    let redrive: Value = serde_json::from_str(&attributes[&QueueAttributeName::RedrivePolicy]).unwrap();
    assert!(
        redrive["deadLetterTargetArn"].as_str().unwrap().ends_with(":stafett-UsersDeadLetters"),
        "{redrive}"
    );
    // The next stack finds table and queues there, with all that is in them.
    let skolverket = stack.end("TERM").await;
    let stack = TestStack::start_with(skolverket, &arguments).await;
    assert_eq!(stack.get(&format!("/v1/sends/{id}")).await["status"], "succeeded");
    let id = stack.send(&class(731)).await;
    assert_eq!(statuses(&stack.ended(&id).await), ["succeeded"; 4]);
    stack.finish(0).await;
}

#[derive(Clone)]
struct Front {
    dynamodb: String,
    sqs: String,
    http: reqwest::Client,
}

/// One address for both built-in emulators, as others have it: the call's header says which is meant.
async fn own() -> String {
    let [front, for_dynamodb, for_sqs] = [(); 3].map(|()| loopback::listen(0).unwrap());
    let url = loopback::url(&front).unwrap();
    let state = Front {
        dynamodb: loopback::url(&for_dynamodb).unwrap(),
        sqs: loopback::url(&for_sqs).unwrap(),
        http: reqwest::Client::new(),
    };
    let database = dynamodb::open(None, &[]).unwrap();
    tokio::spawn(async move { dynamodb::serve(database, for_dynamodb).await });
    let sqs = Sqs::open(&url, None, Clock::start(), Pace::REAL).unwrap();
    tokio::spawn(sqs.serve(for_sqs));
    let router = Router::new().fallback(forward).with_state(state);
    tokio::spawn(async move { axum::serve(front, router).await });
    url
}

async fn forward(State(front): State<Front>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let to = if target.starts_with("AmazonSQS.") { &front.sqs } else { &front.dynamodb };
    let Ok(answer) = front.http.post(to).headers(headers).body(body).send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap_or_default()).into_response()
}
