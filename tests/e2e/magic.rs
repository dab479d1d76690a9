//! Records that go wrong by their ids (`infra/local/README.md` has the table): tried as anybody can who has the API
//! and nothing else. The simulator is the program's own.

use serde_json::{Value, json};

use crate::people::class;
use crate::stack::{TestStack, statuses};

/// The class with its first student under a magic id; the id.
fn with_magic(series: u16, code: &str) -> (Value, String) {
    let id = format!("facade00-{code}-4000-8000-{series:012}");
    let mut body = class(series);
    let before = body["persons"][0]["id"].as_str().unwrap().to_owned();
    body["persons"][0]["id"] = json!(id);
    for group in body["groups"].as_array_mut().unwrap() {
        for member in group["groupMemberships"].as_array_mut().unwrap() {
            if member["person"]["id"] == before.as_str() {
                member["person"]["id"] = json!(id);
            }
        }
    }
    body["options"] = json!({"onRecordErrors": "continue"});
    (body, id)
}

async fn ended(stack: &TestStack, body: &Value) -> (Value, String) {
    let id = stack.send(body).await;
    (stack.ended(&id).await, format!("/v1/sends/{id}/jobs/users"))
}

/// The statuses of the bulk and job calls of the send's first job, the first one first; null where no answer came.
async fn answers(stack: &TestStack, job: &str) -> Vec<Value> {
    let attempts = stack.get(&format!("{job}/attempts")).await;
    let items = attempts["items"].as_array().unwrap().iter().rev();
    let calls = items.filter(|attempt| attempt["call"] == "submit" || attempt["call"] == "poll");
    calls.map(|attempt| attempt["status"].clone()).collect()
}

#[tokio::test]
async fn a_magic_record_is_refused_warned_about_or_taken_at_the_third_time() {
    let stack = TestStack::start_alone(&[]).await;
    for (series, code, outcome, message) in [
        (1, "0400", "error", Some("2011")),
        (2, "0201", "warning", Some("3047")),
        (3, "0500", "success", None),
    ] {
        let (body, record) = with_magic(series, code);
        let (_, job) = ended(&stack, &body).await;
        let row = stack.get(&format!("{job}/records/{record}")).await;
        assert_eq!(row["outcome"], outcome, "{code}: {row}");
        let submits = answers(&stack, &job).await.iter().filter(|status| **status == 202).count();
        assert_eq!(submits, if code == "0500" { 3 } else { 1 }, "{code}");
        if let Some(message) = message {
            assert!(row.to_string().contains(&format!(r#""id":"{message}""#)), "{code}: {row}");
        }
    }
}

#[tokio::test]
async fn a_magic_call_meets_an_outage_a_limit_silence_or_a_lost_job_and_then_goes_through() {
    let stack = TestStack::start_alone(&[]).await;
    for (series, code, expected) in [
        (1, "0503", json!([503, 503, 503, 202])),
        (2, "0429", json!([429, 202])),
        (3, "0504", json!([null, 202])),
        (4, "0404", json!([202, 404, 202])),
    ] {
        let (body, _) = with_magic(series, code);
        let (send, job) = ended(&stack, &body).await;
        assert_eq!(statuses(&send), ["succeeded"; 4], "{code}");
        let seen = answers(&stack, &job).await;
        // The calls after it are polls of the job.
        let expected = expected.as_array().unwrap();
        assert_eq!(&seen[..expected.len()], expected, "{code}");
        assert!(seen[expected.len()..].iter().all(|status| *status == 200), "{code}: {seen:?}");
    }
}

#[tokio::test]
async fn another_record_with_the_same_code_is_another_case() {
    let stack = TestStack::start_alone(&[]).await;
    let (body, record) = with_magic(1, "0429");
    ended(&stack, &body).await;
    let (_, again) = ended(&stack, &body).await;
    assert_eq!(answers(&stack, &again).await[0], 202, "a case is met once");
    let (body, other) = with_magic(2, "0429");
    assert_ne!(record, other);
    let (_, job) = ended(&stack, &body).await;
    assert_eq!(answers(&stack, &job).await[0], 429);
}
