//! A Skolverket that puts personal data wherever an answer can hold anything: none of it is printed, or shown to those who
//! may not see it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Method;
use serde_json::{Value, json};
use stafett_local::loopback;
use uuid::Uuid;

use crate::answer::Answer;
use crate::people::class;
use crate::stack::TestStack;

/// The marks for a field: texts that look like a name, a word of an interface, an address, a number.
fn marks(field: &str) -> [String; 4] {
    let number = field.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 10_000);
    [
        format!("Mark{field}"),
        format!("mark.{field}.efternamn"),
        format!("mark{field}@edu.example.se"),
        format!("20150209{number:04}"),
    ]
}

/// Fields of a message.
const FIELDS: [&str; 12] = [
    "id",
    "statusCode",
    "messageType",
    "message",
    "parameterName",
    "parameterValue",
    "resourceType",
    "resourceId",
    "attributeName",
    "attributeValue",
    "severityLevel",
    "timeOfOccurance",
];

/// Messages with a mark in every field but those, one for each form of mark.
fn messages(without: &[&str]) -> Value {
    let message = |form: usize| {
        let fields = FIELDS.iter().filter(|field| !without.contains(field));
        fields
            .map(|field| ((*field).to_owned(), json!(marks(field)[form])))
            .collect::<serde_json::Map<_, _>>()
    };
    json!((0..4).map(message).collect::<Vec<_>>())
}

/// What an organiser meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meets {
    /// All records are refused.
    Records,
    /// Bulk calls are refused with this status; of a parameter, or of a record.
    Calls(u16, bool),
    /// The authorization server refuses in one of its forms.
    Token(u16, usize),
}

const MEETS: [Meets; 9] = [
    Meets::Records,
    Meets::Calls(400, true),
    Meets::Calls(400, false),
    Meets::Calls(401, false),
    Meets::Calls(403, false),
    Meets::Calls(422, true),
    Meets::Token(401, 0),
    Meets::Token(400, 1),
    Meets::Token(403, 2),
];

/// The organiser that meets this.
fn organiser(of: usize) -> String {
    format!("55600000{of:02}")
}

/// The simulator: the ids that each of its jobs was given.
#[derive(Clone, Default)]
struct Skolverket(Arc<Mutex<HashMap<String, Vec<Value>>>>);

async fn answer(
    State(skolverket): State<Skolverket>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let respond =
        |status: u16, body: Value| (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
    let path = uri.path();
    let of = |text: &str| (0..MEETS.len()).find(|of| text.contains(&organiser(*of))).expect(text);
    if path.starts_with("/open") {
        let [word, dotted, address, number] = marks("register");
        let shown_text =
            json!({"code": number, "message": format!("{word} {dotted} {address}"), "timeStamp": number});
        return respond(if path.contains("code") { 404 } else { 400 }, shown_text);
    }
    if path.starts_with("/token") {
        let organiser = of(&body);
        let Meets::Token(status, form) = MEETS[organiser] else {
            let value = format!("opaque-{}", self::organiser(organiser));
            return respond(200, json!({"access_token": {"value": value, "expires_in": 3600}}));
        };
        let text = marks("server").join(" ");
        return match form {
            0 => respond(status, json!({"error": {"code": text, "description": text}})),
            1 => respond(status, json!({"detail": [{"msg": text, "input": text, "loc": [text]}]})),
            _ => (StatusCode::FORBIDDEN, format!("<html><title>{text}</title></html>")).into_response(),
        };
    }
    match (MEETS[of(headers["authorization"].to_str().unwrap())], path.rsplit_once("/jobs/")) {
        (Meets::Records, Some((_, job))) => {
            let refused = |id: &Value| {
                let response = json!({"status": "Error", "statusCode": 400, "errors": messages(&[])});
                json!({"id": id, "response": response})
            };
            let ids = skolverket.0.lock().unwrap()[job].clone();
            respond(200, json!({"jobId": job, "responses": ids.iter().map(refused).collect::<Vec<_>>()}))
        }
        (Meets::Records, None) => {
            let body: Value = serde_json::from_str(&body).unwrap();
            let ids = body["data"].as_array().unwrap().iter().map(|record| record["id"].clone()).collect();
            let job = Uuid::new_v4().to_string();
            skolverket.0.lock().unwrap().insert(job.clone(), ids);
            respond(202, json!({"jobId": job, "message": marks("message")}))
        }
        (Meets::Calls(status, true), _) => respond(status, messages(&[])),
        (Meets::Calls(status, false), _) => respond(status, messages(&["parameterName", "parameterValue"])),
        (Meets::Token(..), _) => unreachable!("it has no token"),
    }
}

/// The authorization server's text about an organiser is shown to that organiser's people, who can fix it. No data
/// about persons is sent to that server.
fn without_server_text(answer: &mut Value) {
    match answer {
        Value::Object(members) => {
            members.remove("serverText");
            members.values_mut().for_each(without_server_text);
        }
        Value::Array(entries) => entries.iter_mut().for_each(without_server_text),
        _ => {}
    }
}

#[tokio::test]
async fn nothing_that_skolverket_says_of_persons_is_printed() {
    let listener = loopback::listen(0).unwrap();
    let url = loopback::url(&listener).unwrap();
    let router = Router::new().fallback(answer).with_state(Skolverket::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let at = ["api", "token", "open"].map(|part| format!("{url}/{part}"));
    let arguments = ["--skolverket-url", &at[0], "--token-url", &at[1], "--open-data-url", &at[2]];
    let stack = TestStack::start_alone(&arguments).await;

    let mut shown = Vec::new();
    for (of, meets) in MEETS.iter().enumerate() {
        let organiser = organiser(of);
        let id = stack.send_as(&organiser, &class(960 + u16::try_from(of).unwrap())).await;
        let ended = stack.ended_as(&organiser, &id).await;
        assert_eq!(ended["status"], "failed", "{meets:?}: {ended}");
        let job = format!("/v1/sends/{id}/jobs/users");
        let mut paths = ["", "/records", "/attempts"].map(|part| format!("{job}{part}")).to_vec();
        paths.extend(["/v1/sends", "/v1/jobs", "/v1/activities", "/v1/organiser"].map(str::to_owned));
        paths.push(format!("/v1/sends/{id}"));
        let read = async |path: &str| stack.get_as(&organiser, "history:read", path).await;
        for list in ["records", "attempts"] {
            let page = read(&format!("{job}/{list}")).await.json();
            for item in page["items"].as_array().unwrap() {
                let one = item["id"].as_str().or(item["attempt"].as_str()).unwrap();
                paths.push(format!("{job}/{list}/{one}"));
            }
        }
        for path in paths {
            let Answer { status, headers, text } = read(&path).await;
            assert_eq!(status, 200, "{path}: {text}");
            let mut answer: Value = serde_json::from_str(&text).unwrap();
            without_server_text(&mut answer);
            shown.push((format!("{meets:?} {path}"), format!("{headers:?} {answer}")));
        }
        let sheet = stack.call(Method::GET, &format!("{job}/records")).header("accept", "text/csv");
        let sheet = sheet.bearer_auth(stack.token(&organiser, "history:read").await);
        shown.push((format!("{meets:?} CSV"), stack.request(sheet).await.text));
    }
    // Nor is what stands in the place of a method.
    let method = Method::from_bytes(b"MARKMETHOD").unwrap();
    let token = stack.token(&organiser(0), "history:read").await;
    stack.request(stack.call(method, "/v1/sends").bearer_auth(token)).await;

    let logs = stack.log_text();
    let issues = stack.events("skolverket.issue");
    let unknown = issues.iter().filter(|issue| issue["attribute"] == "other").count();
    assert!(unknown >= 4, "what is not known is counted all the same: {logs}");
    assert_eq!(stack.events("token.failed").len(), 3, "{logs}");
    assert!(!stack.events("openData.failed").is_empty(), "{logs}");
    shown.push(("metrics".to_owned(), stack.local("/local/metrics").await.to_string()));
    shown.push(("logs".to_owned(), logs));
    shown.push(("output".to_owned(), stack.finish(0).await));
    let fields = FIELDS.iter().chain(&["register", "server", "method"]);
    let marks: Vec<String> = fields.flat_map(|field| marks(field)).chain(["MARKMETHOD".to_owned()]).collect();
    for (what, text) in &shown {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{what} holds {mark}: {text}");
        }
    }
}
