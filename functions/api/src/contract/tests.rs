use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

fn described() -> Value {
    document::document(&crate::routes::calls())
}
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.insert(reference.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = described();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        let needless = ["securitySchemes"].contains(&kind.as_str());
        for name in components.as_object().unwrap().keys().filter(|_| !needless) {
            let reference = format!("#/components/{kind}/{name}");
            // No route describes that a method is not allowed.
            assert!(found.contains(&reference) || name == "Problem405", "{reference}");
        }
    }
}

#[test]
fn a_list_describes_the_filters_that_it_has() {
    let document = described();
    let names = |path: &str| -> Vec<&str> {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let queried = parameters.iter().filter(|parameter| parameter["in"] == "query");
        queried.filter_map(|parameter| parameter["name"].as_str()).collect()
    };
    let activities = ["limit", "cursor", "status", "schoolUnitCode", "testCode"];
    assert_eq!(names("/v1/activities"), activities);
    let jobs = ["limit", "cursor", "stage", "status", "activity", "from", "to"];
    assert_eq!(names("/v1/jobs"), jobs);
}

/// Every schema of an object within this one.
fn objects<'a>(value: &'a Value, place: String, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) {
                found.push((place.clone(), value));
            }
            object.iter().for_each(|(name, value)| objects(value, format!("{place}/{name}"), found));
        }
        Value::Array(list) => list.iter().for_each(|value| objects(value, place.clone(), found)),
        _ => {}
    }
}

#[test]
fn every_object_is_closed_and_what_may_be_absent_is_never_null() {
    let document = described();
    let mut found = Vec::new();
    objects(&document["components"]["schemas"], String::new(), &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for (place, schema) in found {
        assert_eq!(schema["additionalProperties"], false, "{place}");
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<_> = required.filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().unwrap() {
            let text = property.to_string();
            assert!(
                required.contains(&name.as_str()) || !text.contains("\"null\""),
                "{place} {name}: {text}"
            );
        }
    }
}

#[test]
fn a_record_has_the_fields_of_its_kind_and_of_all_kinds() {
    let document = described();
    let schema = &document["components"]["schemas"]["WholePersonRecord"];
    for property in ["outcome", "civicNo", "sent"] {
        assert!(schema["properties"].get(property).is_some(), "{property}: {schema}");
    }
    let required = schema["required"].as_array().unwrap();
    assert!(required.contains(&json!("outcome")) && required.contains(&json!("eppn")));
    assert!(!required.contains(&json!("sent")));
}

/// Every description, with its place.
fn descriptions(value: &Value, place: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == "description" => found.push((place.clone(), text.clone())),
                    value => descriptions(value, format!("{place}/{name}"), found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| descriptions(value, place.clone(), found)),
        _ => {}
    }
}

#[test]
fn a_description_is_for_those_who_do_not_read_the_code() {
    let document = described();
    let mut found = Vec::new();
    descriptions(&document, String::new(), &mut found);
    assert!(found.len() > 200, "{}", found.len());
    for (place, text) in found {
        for code in ["[`", "::", "domain rule", "/README", "`FindingCode"] {
            assert!(!text.contains(code), "{place}: {text}");
        }
    }
}

#[test]
fn a_word_of_a_closed_vocabulary_is_listed_and_explained() {
    let document = described();
    let outcome = &document["components"]["schemas"]["Outcome"];
    assert_eq!(outcome["enum"], json!(stafett_domain::Outcome::WORDS));
    let text = outcome["description"].as_str().unwrap();
    assert!(text.contains("`skipped`: Not sent, because a record it depends on was not accepted."), "{text}");
}

#[test]
fn every_problem_is_there_once_with_its_words() {
    let document = described();
    let types =
        document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"].as_array().unwrap();
    let distinct: BTreeSet<_> = types.iter().map(Value::as_str).collect();
    assert_eq!(distinct.len(), types.len());
    assert!(distinct.contains(&Some("urn:stafett:problem:superseded")));
    let examples =
        &document["components"]["responses"]["Problem409"]["content"]["application/problem+json"]["examples"];
    assert_eq!(examples["superseded"]["value"]["status"], 409);
}

#[test]
fn the_page_fetches_nothing_and_holds_every_call() {
    let document = described();
    let page = page::page(&document);
    for fetched in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("<h3 id=\"{id}\">")), "{path} {id}");
        }
    }
}
