//! Another organiser's send is, for everybody else, one that does not exist: the same answer, read at the same cost.

use reqwest::Method;
use stafett_simulator::ScriptedOutcome;
use uuid::Uuid;

use crate::people::{Size, class, record_id, send};
use crate::routes::{Places, readable};
use crate::stack::{ALL_SCOPES, TestStack, first_attempt};

const STRANGER: &str = "2120000142";

/// The read units of the api function so far.
async fn read_units(stack: &TestStack) -> f64 {
    stack.local("/local/meter").await["api"]["readUnits"].as_f64().unwrap()
}

#[tokio::test]
async fn another_organisers_id_answers_as_one_that_does_not_exist() {
    let stack = TestStack::start().await;
    // Large enough for what is read of it to be seen in the units.
    let body = send(Size { students: 300, teachers: 2, groups: 1, series: 44 });
    let record = record_id(&body, "persons", 1);
    stack.skolverket.script(record, ScriptedOutcome::error("eppn"));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");
    // The stranger has a history of its own, and a send that takes parts.
    let own = stack.send_as(STRANGER, &class(45)).await;
    stack.ended_as(STRANGER, &own).await;
    let token = stack.token(STRANGER, ALL_SCOPES).await;

    let attempt = first_attempt(&stack, &id, "users").await;
    let places = |send: String| Places {
        send,
        stage: "users".to_owned(),
        record: record.to_string(),
        attempt: attempt.clone(),
    };
    let (theirs, nobodys) = (places(id), places(Uuid::now_v7().to_string()));
    let mut compared = 0;
    let calls = stack.contract().await.calls();
    for (method, path) in calls.iter().filter(|(_, path)| path.contains("{send}")) {
        let mut answers = Vec::new();
        for places in [&theirs, &nobodys] {
            let mut request = stack.call(method.clone(), &places.fill(path)).bearer_auth(&token);
            if method == Method::POST {
                request = request.header("idempotency-key", Uuid::new_v4().to_string()).json(&readable(path));
            }
            let before = read_units(&stack).await;
            let answer = stack.request(request).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
            answers.push((answer.text, read_units(&stack).await - before));
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
        compared += 1;
    }
    assert!(compared >= 10, "{compared} routes");
    // The same requests of the organiser itself find something.
    let found = stack.get(&theirs.fill("/v1/sends/{send}/jobs/{stage}/records/{record}")).await;
    assert_eq!(found["outcome"], "error");
    stack.finish(0).await;
}
