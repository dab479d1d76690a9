//! The Open-data API.

use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::caller::quick;
use crate::{CallKind, Fault, FaultTarget, Rule, Simulator};

async fn start() -> Simulator {
    Simulator::start(quick()).await.unwrap()
}

async fn get(simulator: &Simulator, path: &str) -> Response {
    Client::new().get(format!("{}{path}", simulator.open_data_url())).send().await.unwrap()
}

/// Status and code of a refusal in the interface's shape.
async fn refusal(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert!(body["message"].is_string() && body["timeStamp"].is_string(), "{body}");
    (status, body["code"].clone())
}

#[tokio::test]
async fn organisers_and_school_units_are_found_by_code_and_by_id() {
    let simulator = start().await;
    let organisation: Value =
        get(&simulator, "/organisations/code/5567044268?expandSchoolUnits=true").await.json().await.unwrap();
    assert_eq!(organisation["id"], "657ae6a4-2978-5fbe-b357-ba353c0f03b5");
    let unit = &organisation["schoolUnits"][0];
    assert_eq!(unit["schoolUnitCode"], "31279295");
    let alone: Value =
        get(&simulator, "/schoolUnits/fb22448b-b724-5e53-8a2c-d8b339206901").await.json().await.unwrap();
    assert_eq!(&alone, unit);
    let folded: Value = get(&simulator, "/organisations/code/5567044268").await.json().await.unwrap();
    assert!(folded.get("schoolUnits").is_none());
    assert_eq!(get(&simulator, "/alive").await.status(), 200);
    assert!(simulator.violations().is_empty());
    assert!(simulator.calls().is_empty());
    let calls = simulator.open_data_calls();
    assert_eq!(calls.iter().map(|call| call.call).collect::<Vec<_>>(), [CallKind::OpenData; 4]);
}

#[tokio::test]
async fn what_does_not_exist_is_reported_in_the_interfaces_own_shape() {
    let simulator = start().await;
    for path in ["/schoolUnits/code/00000000", "/programmes/code/NIX", "/organisations/code/1"] {
        assert_eq!(refusal(get(&simulator, path).await).await, (404, json!(404)), "{path}");
    }
    assert_eq!(refusal(get(&simulator, "/schoolUnits/31279295").await).await, (400, json!(400)));
    assert!(simulator.violations().is_empty());
    assert_eq!(refusal(get(&simulator, "/schools").await).await, (404, json!(404)));
    simulator.set_down(true);
    assert_eq!(refusal(get(&simulator, "/programmes").await).await, (503, json!(503)));
}

#[tokio::test]
async fn the_judge_sees_wrong_paths_parameters_methods_and_tokens() {
    let simulator = start().await;
    let url = simulator.open_data_url();
    get(&simulator, "/schools").await;
    get(&simulator, "/programmes?schoolType=GY").await;
    get(&simulator, "/organisations/code/5567044268?expandSchoolUnits=yes").await;
    Client::new().post(format!("{url}/programmes")).send().await.unwrap();
    Client::new().get(format!("{url}/programmes")).bearer_auth("x").send().await.unwrap();
    let rules: Vec<_> = simulator.violations().iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::Path, Rule::Query, Rule::Query, Rule::Method, Rule::Token]);
}

#[tokio::test]
async fn it_fails_as_scripted() {
    let simulator = start().await;
    let target = || FaultTarget::calls(CallKind::OpenData);
    simulator.fault(target(), 1, Fault::ServerError);
    assert_eq!(refusal(get(&simulator, "/activities").await).await, (500, json!(500)));
    simulator.fault(target(), 1, Fault::Html(200));
    let page = get(&simulator, "/activities").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    simulator.fault(target(), 1, Fault::CutBefore);
    let url = format!("{}/activities", simulator.open_data_url());
    assert!(Client::new().get(url).send().await.is_err());
    let slow = Duration::from_millis(50);
    simulator.fault(target(), 1, Fault::Slow(slow));
    let asked = Instant::now();
    assert_eq!(get(&simulator, "/activities").await.status(), 200);
    assert!(asked.elapsed() >= slow);
}
