use std::collections::BTreeSet;

use super::*;

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
    let document = document().unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        // What others extend need not be used itself.
        let needless = ["securitySchemes"].contains(&kind.as_str());
        for name in components.as_object().unwrap().keys().filter(|_| !needless) {
            let extended = ["RecordContent", "RecordOutcome"].contains(&name.as_str());
            let reference = format!("#/components/{kind}/{name}");
            assert!(extended || found.contains(&reference) || name.starts_with("Problem"), "{reference}");
        }
    }
}

#[test]
fn a_list_describes_the_filters_that_it_has() {
    let document = document().unwrap();
    let names = |path: &str| -> Vec<&str> {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect()
    };
    assert_eq!(names("/v1/activities"), ["status", "schoolUnitCode", "testCode"]);
    assert_eq!(names("/v1/jobs"), ["stage", "status"]);
    assert!(!document.to_string().contains("x-filters"));
}

#[test]
fn a_schema_that_extends_others_has_all_of_theirs() {
    let document = document().unwrap();
    let schema = &document["components"]["schemas"]["WholePersonRecord"];
    for property in ["outcome", "civicNo", "sent"] {
        assert!(schema["properties"].get(property).is_some(), "{property}: {schema}");
    }
    let required = schema["required"].as_array().unwrap();
    assert!(required.contains(&json!("outcome")) && required.contains(&json!("eppn")));
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema.get("x-extends").is_none());
}

#[test]
fn every_problem_is_there_once_with_its_words() {
    let document = document().unwrap();
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
    let document = document().unwrap();
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
