//! Every call of the API, as its description has it, for tests to go through. A route that is not described fails a
//! test.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::TestStack;

/// What stands in the places of an address.
#[derive(Clone)]
pub(crate) struct Places {
    pub(crate) send: String,
    pub(crate) stage: String,
    pub(crate) record: String,
    pub(crate) attempt: String,
}

impl Places {
    pub(crate) fn fill(&self, path: &str) -> String {
        let places = [
            ("{send}", &self.send),
            ("{stage}", &self.stage),
            ("{record}", &self.record),
            ("{attempt}", &self.attempt),
        ];
        let filled = places.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        assert!(!filled.contains('{'), "{path} has a place that the table does not know");
        filled
    }
}

/// A body that each route can read, so that nothing but the look-up refuses it.
pub(crate) fn readable(path: &str) -> Value {
    match path.rsplit('/').next() {
        Some("records") => json!({"part": 1, "persons": []}),
        Some("submit") => json!({"parts": 1}),
        _ => json!({}),
    }
}

/// The router's own lines, read as text: there is no other list of its routes.
fn of_the_router() -> BTreeSet<(String, String)> {
    let source =
        include_str!("../../functions/api/src/lib.rs").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut routes = BTreeSet::new();
    for line in source.split(".route(").skip(1) {
        let (path, handlers) = line.split_once(',').unwrap();
        let path = path.trim().trim_start_matches("&format!(").trim_end_matches(')').trim_matches('"');
        let job = "/v1/sends/{send}/jobs/{stage}";
        let path = if path == "job" { job.to_owned() } else { path.replace("{job}", job) };
        let path = path.replace("{{", "{").replace("}}", "}");
        let handlers = handlers.split(" .").next().unwrap();
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")] {
            if handlers.contains(word) {
                routes.insert((method.to_owned(), path.clone()));
            }
        }
    }
    routes
}

#[tokio::test]
async fn each_route_of_the_router_is_described_and_nothing_else_is() {
    let stack = TestStack::start().await;
    let described = stack.contract().await.calls().into_iter();
    let described: BTreeSet<_> = described.map(|(method, path)| (method.to_string(), path)).collect();
    assert_eq!(of_the_router(), described, "the calls of functions/api/openapi are those of its router");
}
#[tokio::test]
async fn every_example_is_what_its_schema_says() {
    let stack = TestStack::start().await;
    let held = stack.contract().await.hold_examples();
    assert!(held > 100, "{held} examples");
    stack.finish(0).await;
}
