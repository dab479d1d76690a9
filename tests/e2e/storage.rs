//! How much the history holds: few items, none for a record.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stafett_simulator::ScriptedOutcome;

use crate::people::{Size, record_id, send};
use crate::stack::TestStack;

/// What DynamoDB answers to this.
async fn dynamodb(stack: &TestStack, operation: &str, body: &Value) -> Value {
    let endpoints = stack.local("/local/endpoints").await;
    let request = reqwest::Client::new()
        .post(endpoints["dynamodb"].as_str().unwrap())
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .header("x-amz-date", "20260101T000000Z");
    let text = request.body(body.to_string()).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

async fn table(stack: &TestStack) -> String {
    let tables = dynamodb(stack, "ListTables", &json!({})).await;
    tables["TableNames"][0].as_str().unwrap_or_else(|| panic!("{tables}")).to_owned()
}

/// Does to the item of this key what the operation says.
pub(crate) async fn tamper(stack: &TestStack, operation: &str, (pk, sk): (&str, &str), how: &Value) {
    let mut body = how.clone();
    body["TableName"] = json!(table(stack).await);
    body["Key"] = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let answer = dynamodb(stack, operation, &body).await;
    assert!(answer.get("__type").is_none(), "{answer}");
}

/// The keys of all items of the table.
pub(crate) async fn keys(stack: &TestStack) -> Vec<(String, String)> {
    let key = |item: &Value| {
        let text = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
        (text("pk"), text("sk"))
    };
    scan(stack, &json!({"ProjectionExpression": "pk, sk"})).await.iter().map(key).collect()
}

/// All items of the table, as DynamoDB writes them.
pub(crate) async fn items(stack: &TestStack) -> Vec<Value> {
    scan(stack, &json!({})).await
}

async fn scan(stack: &TestStack, what: &Value) -> Vec<Value> {
    let table = table(stack).await;
    let (mut items, mut start) = (Vec::new(), Value::Null);
    loop {
        let mut scan = what.clone();
        scan["TableName"] = json!(table);
        if !start.is_null() {
            scan["ExclusiveStartKey"] = start;
        }
        let page = dynamodb(stack, "Scan", &scan).await;
        items.extend(page["Items"].as_array().unwrap().iter().cloned());
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return items;
        }
    }
}

#[tokio::test]
async fn a_batch_is_a_body_an_answer_and_at_most_one_item_of_issues() {
    let stack = TestStack::start().await;
    let mut body = send(Size { students: 400, teachers: 5, groups: 4, series: 95 });
    body["options"] = json!({"onRecordErrors": "continue"});
    for (index, outcome) in [(0, ScriptedOutcome::error("givenName")), (1, ScriptedOutcome::warning())] {
        stack.skolverket.script(record_id(&body, "persons", index), outcome);
    }
    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "completedWithErrors", "{ended}");
    let keys = keys(&stack).await;
    // By batch, its key with the code of its records' kind: what is stored of it besides its state.
    let mut large: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (pk, sk) in keys.iter().filter(|(pk, _)| pk.starts_with("large#")) {
        let kind = sk.split('#').next().unwrap();
        large.entry(pk.rsplit_once(&id).unwrap().1).or_default().push(kind);
    }
    let with_issues = vec!["answer", "body", "issues"];
    let expected = BTreeMap::from([
        ("#1#00000", with_issues.clone()),
        ("#2#00000", vec!["answer", "body"]),
        // The group with the refused student has a warning.
        ("#3#00000", with_issues),
        ("#4#00000", vec!["answer", "body"]),
        ("#ids", vec!["part"]),
        ("#refused", vec!["stage"]),
    ]);
    for kinds in large.values_mut() {
        kinds.sort_unstable();
    }
    assert_eq!(large, expected);
    // The send, its activities, four jobs; a batch each with a submit and a few polls; organiser, place, key, limiter.
    assert!(keys.len() < 50, "{} items for {} records: {keys:#?}", keys.len(), 413);
    stack.finish(0).await;
}
