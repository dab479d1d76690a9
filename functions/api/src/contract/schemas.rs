//! The schemas of answers, made by `schemars` from the types that are serialised.
//!
//! Why `schemars` and not `utoipa`: a response has every field without `skip_serializing_if`, even if its value is
//! null. `schemars` describes that by itself (`for_serialize`); with `utoipa` an `Option` is optional unless each such
//! field says `required`. `schemars` makes one closed object of flattened types; `utoipa` writes `allOf`, whose parts
//! cannot be closed. The schemas of `schemars` are plain JSON (draft 2020-12, as in OpenAPI 3.1), so a transform here
//! can change what the contract needs otherwise. `aide` would describe routes from their handlers on top of `schemars`,
//! but `operation.rs` does that in so few lines that the dependencies of `aide` are not worth it.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Makes the schemas of answers. Their definitions are `#/components/schemas/{name}`.
pub(super) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .with_transform(AsAnswered)
        .into_generator()
}

/// Turns the schemas of `schemars` into those that the API publishes.
#[derive(Clone)]
struct AsAnswered;

impl Transform for AsAnswered {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(schema) = schema.as_object_mut() else { return };
        words(schema);
        closed(schema);
        // Callers need neither the defaults for stored items nor Rust's number types.
        schema.remove("default");
        if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
            schema.remove("format");
            schema.remove("maximum");
        }
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = paragraphs(text);
        }
    }
}

/// Turns an enum of words into one list, and explains each word in its description.
fn words(schema: &mut Map<String, Value>) {
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let word = |variant: &Value| Some(variant.get("const")?.as_str()?.to_owned());
    // `schemars` lists the words without a description in one `enum`.
    let list = |variant: &Value| match variant.get("enum").and_then(Value::as_array) {
        Some(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        None => word(variant).map(|word| vec![word]),
    };
    let Some(listed) = variants.iter().map(list).collect::<Option<Vec<_>>>() else { return };
    let mut description: Vec<String> =
        schema.get("description").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    for variant in variants {
        if let (Some(word), Some(meaning)) = (word(variant), variant["description"].as_str()) {
            let quoted = format!("`{word}`");
            let meaning = paragraphs(meaning);
            description.push(format!("{quoted}: {}", meaning.trim_start_matches(&quoted).trim()));
        }
    }
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), listed.concat().into());
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.join("\n\n").into());
    }
}

/// Closes an object: it has no other properties, and an optional property is never null.
fn closed(schema: &mut Map<String, Value>) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let required =
        |name: &str| required.as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        if !required(name) {
            never_null(property);
        }
    }
    schema.entry("additionalProperties").or_insert(false.into());
}

fn never_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(ways)) = property.get_mut("anyOf") {
        ways.retain(|way| way["type"] != "null");
        if let [Value::Object(only)] = ways.as_slice() {
            let only = only.clone();
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

/// Joins the lines of a doc comment; an empty line stays the end of a paragraph.
fn paragraphs(text: &str) -> String {
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
