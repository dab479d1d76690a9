//! The template as a document, and the files beside it.

use std::path::Path;

use serde_json::Value;
use stafett_domain::RecordKind;

/// A template, as it is written.
pub(crate) struct Document(pub(super) Value);

impl Document {
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_saphyr::from_str(text).unwrap())
    }

    pub(crate) fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let resources = self.0["Resources"].as_object().unwrap().iter();
        resources
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }

    pub(crate) fn resource(&self, name: &str) -> &Value {
        &self.0["Resources"][name]["Properties"]
    }

    /// A resource with what stands beside its properties.
    pub(super) fn whole(&self, name: &str) -> &Value {
        &self.0["Resources"][name]
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.0["Resources"][name].is_null()
    }

    pub(super) fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources("AWS::Serverless::Function")
    }

    /// A value, or what it names in the document's maps.
    pub(super) fn value<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some([map, entry, name]) = value["Fn::FindInMap"].as_array().map(Vec::as_slice) else {
            return value;
        };
        let key = |value: &'a Value| value.as_str().unwrap();
        &self.0["Mappings"][key(map)][key(entry)][key(name)]
    }

    pub(super) fn timeout(&self, function: &Value) -> u64 {
        let own = function.get("Timeout").unwrap_or(&self.globals()["Timeout"]);
        own.as_u64().unwrap_or(3)
    }

    /// The events of this kind that functions are invoked by: the function's name, the function, the event.
    pub(super) fn events<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> {
        self.functions().flat_map(move |(name, function)| {
            let events = function["Events"].as_object().unwrap().values();
            events
                .filter(move |event| event["Type"] == kind)
                .map(move |event| (name, function, &event["Properties"]))
        })
    }

    /// The queue that functions know as a stage's.
    pub(super) fn queue_of(&self, stage: RecordKind) -> Option<&str> {
        let variable = format!("{}_QUEUE_URL", stage.as_str().to_uppercase());
        self.globals()["Environment"]["Variables"][variable]["Ref"].as_str()
    }
}

/// The resource that a reference to one of its attributes means.
pub(super) fn attribute_of(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"][0].as_str()
}

/// A text with references in it, which may come with values of its own.
pub(crate) fn substituted(value: &Value) -> &str {
    let text = &value["Fn::Sub"];
    text.as_str().or(text[0].as_str()).unwrap_or_default()
}

/// One value or a list of them, as policies have them.
pub(super) fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// A file of the project.
pub(crate) fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn template() -> String {
    file("infra/aws/template.yaml")
}
