//! The API's own description, to which every answer is held that any test sees: its status, its form, and that a call
//! that is answered with anything is described.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;

pub(crate) struct Contract {
    document: Value,
    /// Made at first use: a test sees few of them.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// A call as the document has it.
struct Described<'a> {
    path: &'a str,
    operation: &'a Value,
}

impl Contract {
    pub(crate) fn new(document: Value) -> Self {
        assert_eq!(document["openapi"], "3.1.0");
        Self { document, validators: Mutex::default() }
    }

    /// Fails the test unless the document foresees this answer.
    pub(crate) fn hold(&self, method: &str, path: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let media = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
        let media = media.map(|media| media.split(';').next().unwrap_or_default());
        let Some(Described { path, operation }) = self.described(method, path) else {
            assert!(matches!(status, 204 | 401 | 404 | 405), "{method} {path} is not described: {status}");
            return;
        };
        let what = format!("{method} {path} {status}");
        let response = self.resolved(&operation["responses"][status.to_string()]);
        assert!(!response.is_null(), "{what} is not described: {}", answer.text);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.text.is_empty(), "{what} has a body that is not described");
            return;
        };
        let media = media.unwrap_or_default();
        let content = content.get(media).unwrap_or_else(|| panic!("{what}: {media} is not described"));
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let required = self.resolved(header)["required"] == true;
            assert!(!required || answer.headers.contains_key(name), "{what}: no {name}");
        }
        if media.ends_with("json") {
            let validator = self.validator(&format!("{what} {media}"), &content["schema"]);
            let body = answer.json();
            let faults: Vec<_> = validator
                .iter_errors(&body)
                .map(|error| format!("{} {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{what}: {faults:?}\n{body}");
        }
    }

    /// All calls, as method and path.
    pub(crate) fn calls(&self) -> Vec<(Method, String)> {
        let paths = self.document["paths"].as_object().unwrap();
        let method = |name: &str| Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
        let call = |path: &String, name: &String| (method(name), path.clone());
        paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|method| call(path, method)))
            .collect()
    }

    /// The scopes that a call needs: none where it needs no token.
    pub(crate) fn scopes(&self, method: &Method, path: &str) -> Vec<&str> {
        let operation = &self.document["paths"][path][method.as_str().to_lowercase()];
        let ways = operation["security"].as_array().unwrap();
        let scopes = ways.iter().flat_map(|way| way["token"].as_array().unwrap());
        scopes.map(|scope| scope.as_str().unwrap()).collect()
    }

    /// The names of the parameters that a call has in its query.
    pub(crate) fn query(&self, method: &Method, path: &str) -> Vec<&str> {
        let operation = &self.document["paths"][path][method.as_str().to_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queried = parameters.filter(|parameter| parameter["in"] == "query");
        queried.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    /// Holds every example to the schema that it stands beside; gives how many there are.
    pub(crate) fn hold_examples(&self) -> usize {
        let operations = self.document["paths"].as_object().unwrap().values();
        let operations = operations.flat_map(|item| item.as_object().unwrap().values());
        let bodies = operations.flat_map(|operation| {
            let responses = operation["responses"].as_object().unwrap().values();
            responses.map(|response| self.resolved(response)).chain([&operation["requestBody"]])
        });
        let contents = bodies.flat_map(|body| body["content"].as_object().into_iter().flatten());
        let mut held = 0;
        for (media, content) in contents {
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                let schema = &content["schema"];
                let validator = self.validator(&format!("{media} {schema}"), schema);
                let value = &self.resolved(example)["value"];
                let faults: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
                assert!(faults.is_empty(), "{name}: {faults:?}");
                held += 1;
            }
        }
        held
    }

    fn described(&self, method: &str, path: &str) -> Option<Described<'_>> {
        let paths = self.document["paths"].as_object()?;
        let fits = |pattern: &str| {
            pattern.split('/').count() == path.split('/').count()
                && pattern.split('/').zip(path.split('/')).all(|(a, b)| a.starts_with('{') || a == b)
        };
        let (path, item) = paths.iter().find(|(pattern, _)| fits(pattern))?;
        Some(Described { path, operation: item.get(method.to_lowercase())? })
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target =
            value["$ref"].as_str().and_then(|target| self.document.pointer(target.strip_prefix('#')?));
        target.unwrap_or(value)
    }

    fn validator(&self, what: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(what.to_owned()).or_insert_with(|| {
            let schema = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": self.document["components"],
            });
            Arc::new(jsonschema::options().should_validate_formats(true).build(&schema).unwrap())
        });
        Arc::clone(validator)
    }
}
