//! Examples of responses, built from the examples of their fields. A field without an example shows its first allowed
//! word, a made-up id or time, or its smallest value. An optional field without an example is left out.

use serde_json::{Map, Value, json};

/// An example for this schema. `schemas` holds the schemas that it refers to.
pub(super) fn of(schema: &Value, schemas: &Map<String, Value>) -> Value {
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    if let Some(word) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return word.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return schemas.get(name).map(|schema| of(schema, schemas)).unwrap_or_default();
    }
    if let Some(ways) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        return ways.first().map(|way| of(way, schemas)).unwrap_or_default();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0).and_then(Value::as_str));
    match kind {
        Some("object") => object(schema, schemas),
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(1);
            (0..count).map(|_| of(&schema["items"], schemas)).collect()
        }
        Some("string") => match schema["format"].as_str() {
            Some("uuid") => json!("01a207a2-1a5a-724e-9223-5351dea7e8de"),
            Some("date-time") => json!("2026-11-23T18:08:04.849Z"),
            _ => json!("…"),
        },
        Some("integer") => schema["minimum"].as_i64().unwrap_or_default().into(),
        Some("boolean") => false.into(),
        _ => Value::Null,
    }
}

fn object(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let shown = properties.filter(|(name, property)| required(name) || property.get("examples").is_some());
    shown.map(|(name, property)| (name.clone(), of(property, schemas))).collect::<Map<_, _>>().into()
}
