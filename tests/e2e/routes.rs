//! Every route of the API, as a table that tests go through. A route of the router that has no row fails a test.

use std::collections::BTreeSet;

use reqwest::Method;

/// Methods and addresses, as the router has them.
pub(crate) const ROUTES: [(Method, &str); 13] = [
    (Method::GET, "/v1/health"),
    (Method::GET, "/v1/sends"),
    (Method::POST, "/v1/sends"),
    (Method::GET, "/v1/sends/{send}"),
    (Method::POST, "/v1/sends/{send}/records"),
    (Method::POST, "/v1/sends/{send}/submit"),
    (Method::POST, "/v1/sends/{send}/resume"),
    (Method::POST, "/v1/sends/{send}/cancel"),
    (Method::GET, "/v1/sends/{send}/jobs/{stage}"),
    (Method::GET, "/v1/sends/{send}/jobs/{stage}/records"),
    (Method::GET, "/v1/sends/{send}/jobs/{stage}/records/{record}"),
    (Method::GET, "/v1/sends/{send}/jobs/{stage}/attempts"),
    (Method::GET, "/v1/sends/{send}/jobs/{stage}/attempts/{attempt}"),
];

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

#[test]
fn each_route_of_the_router_has_a_row() {
    let known: BTreeSet<_> =
        ROUTES.iter().map(|(method, path)| (method.to_string(), (*path).to_owned())).collect();
    assert_eq!(of_the_router(), known, "the rows are those of functions/api/src/lib.rs");
}
