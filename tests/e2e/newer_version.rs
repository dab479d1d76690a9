//! What a newer version has written, and what cannot be read: it waits, or is left out, and takes nothing else with it.

use serde_json::{Value, json};

use crate::people::class;
use crate::stack::{ORGANISER, TestStack};
use crate::storage::tamper;

fn ids(page: &Value, name: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

async fn overwrite(stack: &TestStack, pk: &str, sk: &str, attribute: &str) {
    let change = json!({
        "UpdateExpression": "SET #attribute = :value",
        "ExpressionAttributeNames": {"#attribute": attribute},
        "ExpressionAttributeValues": {":value": {"S": "ofANewerVersion"}},
    });
    tamper(stack, "UpdateItem", (pk, sk), &change).await;
}

#[tokio::test]
async fn an_item_that_cannot_be_read_takes_nothing_else_from_a_list() {
    let stack = TestStack::start().await;
    let mut sends = Vec::new();
    for number in 0..3 {
        let id = stack.send(&class(920 + number)).await;
        stack.ended(&id).await;
        sends.push(format!("send#{ORGANISER}#{id}"));
    }
    let [first, second, third] = [0, 1, 2].map(|at: usize| sends[at].rsplit('#').next().unwrap().to_owned());

    overwrite(&stack, &sends[1], "send", "status").await;
    assert_eq!(ids(&stack.get("/v1/sends").await, "id"), [third.as_str(), &first]);
    assert_eq!(ids(&stack.get("/v1/sends?status=succeeded").await, "id"), [third.as_str(), &first]);
    // Page by page, what cannot be read ends nothing.
    let page = stack.get("/v1/sends?limit=2").await;
    let cursor = page["nextCursor"].as_str().unwrap();
    assert_eq!(ids(&stack.get(&format!("/v1/sends?limit=2&cursor={cursor}")).await, "id"), [first.as_str()]);
    let jobs = ids(&stack.get("/v1/jobs").await, "send");
    assert_eq!((jobs.len(), jobs.contains(&second)), (8, false));
    assert_eq!(stack.get("/v1/activities").await["items"].as_array().unwrap().len(), 2);

    overwrite(&stack, &sends[2], "send#job#2", "status").await;
    assert_eq!(ids(&stack.get("/v1/jobs").await, "send").len(), 7);
    assert_eq!(ids(&stack.get("/v1/sends").await, "id"), [first.as_str()]);
    overwrite(&stack, &sends[0], "send#activities", "more").await;
    assert_eq!(ids(&stack.get("/v1/sends").await, "id"), [""; 0]);
    assert_eq!(stack.get("/v1/activities").await["items"].as_array().unwrap().len(), 1);

    let unreadable = stack.events("history.unreadable");
    assert!(
        unreadable.iter().any(|line| line["what"].as_str().unwrap().contains("SendHeader")),
        "{unreadable:?}"
    );
    let metrics = stack.local("/local/metrics").await;
    assert!(
        metrics.as_array().unwrap().iter().any(|metric| metric["name"] == "UnreadableItems"),
        "{metrics}"
    );
    stack.finish(0).await;
}

#[tokio::test]
async fn a_message_of_a_newer_version_waits_and_one_that_fails_names_its_send() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(925)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let message = json!({"v": 2, "organisation": ORGANISER, "send": id, "leg": "landing"});
    stack.queue("Users", &message.to_string()).await;
    let of_no_stage =
        json!({"v": 1, "organisation": ORGANISER, "send": id, "stage": "groups", "step": {"kind": "start"}});
    stack.queue("Users", &of_no_stage.to_string()).await;
    stack
        .until("one waits and the other is a dead letter", async || {
            let queues = stack.local("/local/queues").await;
            let users = queues
                .as_array()
                .unwrap()
                .iter()
                .find(|queue| queue["queue"].as_str().unwrap().contains("Users"))?;
            (users["delayed"] == 1 && users["deadLetters"] == 1).then_some(())
        })
        .await;

    let newer = stack.events("message.newer");
    assert_eq!((&newer[0]["send"], &newer[0]["version"]), (&json!(id), &json!(2)));
    let failed = &stack.events("message.failed")[0];
    for (name, value) in
        [("send", id.as_str()), ("organisation", ORGANISER), ("stage", "groups"), ("step", "start")]
    {
        assert_eq!(failed[name], value, "{failed}");
    }
    assert_eq!(failed["message"], "a message failed");
    // Every line says which invocation it is of; so do the gateway and the API of a request.
    let requests = stack.events("api.request");
    for line in newer.iter().chain([failed]).chain(&requests) {
        assert!(line["request_id"].is_string(), "{line}");
    }
    let answer = stack.request(stack.call(reqwest::Method::GET, "/v1/health")).await;
    let gateway = answer.headers["apigw-requestid"].to_str().unwrap();
    stack
        .until("the request is in the log", async || {
            stack.events("api.request").iter().any(|line| line["gateway_request_id"] == gateway).then_some(())
        })
        .await;
}
