//! The bodies that are taken, as JSON Schemas (draft 2020-12, the dialect of OpenAPI 3.1): read off the tables that
//! bodies are held against, so that the two cannot differ.

use serde_json::{Map, Value, json};

use crate::kind::attribute::{self, Attribute, Code, LONGEST_NAME, Shape};
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;

const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Every body and record by its name. References among them are `#/components/schemas/{name}`; `x-rule` is the number
/// of the rule (`shared/domain/README.md`) that requires the attribute.
pub fn request_schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    let bodies = [
        ("NewSend", attribute::SUBMISSION),
        ("NewUpload", attribute::UPLOAD),
        ("Part", attribute::PART),
        ("Submit", attribute::SUBMIT),
        ("Corrections", attribute::CORRECTIONS),
    ];
    for (name, attributes) in bodies {
        schemas.insert(name.to_owned(), object(attributes));
        for attribute in attributes {
            if let (Some(name), Shape::Object(attributes)) = (named(attribute), &attribute.shape) {
                schemas.insert(name.to_owned(), object(attributes));
            }
        }
    }
    for kind in RecordKind::ALL {
        schemas.insert(record_name(kind).to_owned(), of(attribute::record(kind)));
    }
    schemas.insert("PersonReference".to_owned(), reference(None, attribute::PERSON_REFERENCE));
    schemas.insert("RecordReference".to_owned(), reference(None, attribute::REFERENCE));
    schemas.insert("SchoolUnitReference".to_owned(), reference(Some(Code::SchoolUnit), attribute::REFERENCE));
    schemas.insert("TestReference".to_owned(), reference(Some(Code::Test), attribute::REFERENCE));
    schemas
}

/// The schema's name of a kind's record.
fn record_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Person => "Person",
        RecordKind::Duty => "Duty",
        RecordKind::Group => "Group",
        RecordKind::Activity => "Activity",
    }
}

/// The attributes of bodies that have a schema of their own.
fn named(attribute: &Attribute) -> Option<&'static str> {
    let list = RecordKind::of_list(attribute.name);
    match (&attribute.shape, list) {
        (Shape::List { of: Shape::Object(_), .. }, Some(kind)) => Some(record_name(kind)),
        (Shape::Object(_), None) if attribute.name == "options" => Some("Options"),
        _ => None,
    }
}

fn refer(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn object(attributes: &[Attribute]) -> Value {
    let properties: Map<String, Value> =
        attributes.iter().map(|attribute| (attribute.name.to_owned(), property(attribute))).collect();
    let required: Vec<&str> =
        attributes.iter().filter(|attribute| attribute.required).map(|attribute| attribute.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn property(attribute: &Attribute) -> Value {
    let mut schema = match (&attribute.shape, named(attribute)) {
        (Shape::List { min, max, .. }, Some(name)) => list(refer(name), *min, *max),
        (_, Some(name)) => refer(name),
        (shape, None) => of(shape),
    };
    if let (Some(rule), Some(schema)) = (attribute.rule, schema.as_object_mut()) {
        schema.insert("x-rule".to_owned(), rule.into());
    }
    schema
}

fn list(items: Value, min: usize, max: Option<usize>) -> Value {
    let mut schema = json!({"type": "array", "items": items});
    if min > 0 {
        schema["minItems"] = min.into();
    }
    if let Some(max) = max {
        schema["maxItems"] = max.into();
    }
    schema
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Name => json!({"type": "string", "maxLength": LONGEST_NAME}),
        Shape::Eppns => list(json!({"type": "string"}), 1, Some(1)),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::OneOf(words) => json!({"type": "string", "enum": words}),
        Shape::OwnId(_) => json!({"type": "string", "format": "uuid", "pattern": UUID}),
        Shape::To(Relation { to: RecordKind::Person, .. }) => refer("PersonReference"),
        Shape::To(_) => refer("RecordReference"),
        Shape::SkolverketId(Code::SchoolUnit) => refer("SchoolUnitReference"),
        Shape::SkolverketId(Code::Test) => refer("TestReference"),
        Shape::Object(attributes) => object(attributes),
        Shape::List { of: entry, min, max } => list(of(entry), *min, *max),
        Shape::NotTaken => json!({"description": "Not taken by Skolverket, and left out of what is sent."}),
    }
}

/// A reference by id, or by the code that may stand for it; and what may stand `beside`.
fn reference(code: Option<Code>, beside: &[Attribute]) -> Value {
    let by = |name: &str, schema: Value| {
        let mut by = object(beside);
        by["properties"][name] = schema;
        by["required"] = json!([name]);
        by
    };
    let by_id = by("id", json!({"type": "string", "format": "uuid", "pattern": UUID}));
    let Some(code) = code else { return by_id };
    let pattern = match code {
        Code::SchoolUnit => "^[0-9]{8}$",
        Code::Test => "^[A-Za-z0-9_]{1,40}$",
    };
    json!({"oneOf": [by_id, by(code.name(), json!({"type": "string", "pattern": pattern}))]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_referred_to_is_there() {
        let schemas = request_schemas();
        let text = Value::Object(schemas.clone()).to_string();
        let names: Vec<&str> =
            text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() > 20, "{names:?}");
        for name in names {
            assert!(schemas.contains_key(name), "{name}");
        }
    }

    #[test]
    fn an_attribute_is_as_the_table_has_it() {
        let schemas = request_schemas();
        let person = &schemas["Person"];
        assert_eq!(person["properties"]["eduPersonPrincipalNames"]["maxItems"], 1);
        assert_eq!(person["properties"]["civicNo"]["x-rule"], 4);
        assert_eq!(person["properties"]["givenName"]["maxLength"], 255);
        assert!(person["properties"]["meta"].get("type").is_none(), "it is left out, whatever it is");
        assert!(person["required"].as_array().unwrap().contains(&json!("familyName")));
        assert_eq!(schemas["Activity"]["properties"]["groups"]["items"], refer("RecordReference"));
        assert_eq!(schemas["NewSend"]["properties"]["groups"]["items"], refer("Group"));
    }
}
