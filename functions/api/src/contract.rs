//! `GET /v1/openapi.json`: the calls of this API, as OpenAPI 3.1, and the same for people at `GET /v1/docs`.
//!
//! Paths and answers are in `openapi/*.json`. Request bodies are generated from the tables that they are checked with, and
//! problems and filters from the code that makes them. The end-to-end tests check every answer against it.

mod page;
mod problems;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use stafett_domain::schema::request_schemas;

use crate::filters::{self, Filter};
use crate::http::problem::Problem;

/// The parts that are written by hand. Later ones are merged into earlier ones.
const PARTS: [&str; 9] = [
    include_str!("../openapi/document.json"),
    include_str!("../openapi/sends.json"),
    include_str!("../openapi/validations.json"),
    include_str!("../openapi/lists.json"),
    include_str!("../openapi/records.json"),
    include_str!("../openapi/attempts.json"),
    include_str!("../openapi/organiser.json"),
    include_str!("../openapi/service.json"),
    include_str!("../openapi/examples.json"),
];

/// Built at the first request for it.
static DOCUMENT: LazyLock<Result<Rendered, serde_json::Error>> = LazyLock::new(|| {
    let document = document()?;
    Ok(Rendered { json: document.to_string(), page: page::page(&document) })
});

struct Rendered {
    json: String,
    page: String,
}

/// The document for programs.
pub(crate) async fn openapi() -> Result<Response, Problem> {
    let rendered = DOCUMENT.as_ref().map_err(broken)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], rendered.json.as_str()).into_response())
}

/// The document for people: one page that fetches nothing.
pub(crate) async fn docs() -> Result<Response, Problem> {
    let rendered = DOCUMENT.as_ref().map_err(broken)?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers, rendered.page.as_str()).into_response())
}

fn broken(error: &serde_json::Error) -> Problem {
    tracing::error!(event = "api.failed", error = %error, "the description of the API cannot be read");
    Problem::Internal
}

fn document() -> Result<Value, serde_json::Error> {
    let mut document = json!({});
    for part in PARTS {
        add(&mut document, serde_json::from_str(part)?);
    }
    for operations in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
            operation.get_mut("parameters").map(describe_filters);
        }
    }
    add(&mut document, json!({"components": {"schemas": request_schemas()}}));
    add(&mut document, json!({"components": problems::components()}));
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        extend(schemas);
    }
    Ok(document)
}

/// Replaces `{"x-filters": "sends"}` among the parameters of a list by the list's filters.
fn describe_filters(parameters: &mut Value) {
    let Some(parameters) = parameters.as_array_mut() else { return };
    let filters_of = |parameter: &Value| match parameter["x-filters"].as_str() {
        Some("sends") => described(filters::sends()),
        Some("jobs") => described(filters::jobs()),
        Some("activities") => described(filters::activities()),
        _ => vec![parameter.clone()],
    };
    *parameters = parameters.iter().flat_map(filters_of).collect();
}

fn described<T: 'static>(filters: Vec<Filter<T>>) -> Vec<Value> {
    filters.iter().map(Filter::parameter).collect()
}

/// Copies the properties of the schemas that `x-extends` names: a closed object cannot extend others by reference.
fn extend(schemas: &mut Map<String, Value>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names {
        whole(schemas, &name);
    }
}

fn whole(schemas: &mut Map<String, Value>, name: &str) {
    let Some(bases) =
        schemas.get_mut(name).and_then(Value::as_object_mut).and_then(|own| own.remove("x-extends"))
    else {
        return;
    };
    for base in bases.as_array().into_iter().flatten().filter_map(Value::as_str) {
        whole(schemas, base);
        let Some(base) = schemas.get(base).cloned() else { continue };
        let Some(own) = schemas.get_mut(name) else { continue };
        let mut required = base["required"].as_array().cloned().unwrap_or_default();
        required.extend(own["required"].as_array().cloned().unwrap_or_default());
        let mut properties = base["properties"].clone();
        add(&mut properties, own["properties"].take());
        own["properties"] = properties;
        own["required"] = required.into();
    }
}

/// Merges `more` into `to`, object by object.
fn add(to: &mut Value, more: Value) {
    match (to, more) {
        (Value::Object(to), Value::Object(more)) => {
            for (name, value) in more {
                add(to.entry(name).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (to, more) => *to = more,
    }
}

#[cfg(test)]
mod tests;
