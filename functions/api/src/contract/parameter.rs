//! The parameters of calls.

use std::borrow::Cow;

use serde_json::{Value, json};

/// A parameter as the contract describes it. Requests with a query parameter that the contract does not name are
/// refused.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) description: Cow<'static, str>,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Option<&'static str>,
}

/// The part of a request that holds a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

impl Parameter {
    pub(crate) fn path(name: &'static str, description: &'static str, example: &'static str) -> Self {
        let text = Self::new(name, Place::Path, description, json!({"type": "string"}));
        Self { required: true, ..text }.such_as(example)
    }

    pub(crate) fn query(
        name: &'static str,
        description: impl Into<Cow<'static, str>>,
        schema: Value,
    ) -> Self {
        Self::new(name, Place::Query, description, schema)
    }

    pub(crate) fn header(name: &'static str, description: &'static str, schema: Value) -> Self {
        Self::new(name, Place::Header, description, schema)
    }

    fn new(
        name: &'static str,
        place: Place,
        description: impl Into<Cow<'static, str>>,
        schema: Value,
    ) -> Self {
        Self { name, place, description: description.into(), required: false, schema, example: None }
    }

    #[must_use]
    pub(crate) fn such_as(self, example: &'static str) -> Self {
        Self { example: Some(example), ..self }
    }

    #[must_use]
    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The parameter as OpenAPI writes it.
    pub(crate) fn described(&self) -> Value {
        let mut parameter = json!({
            "name": self.name, "in": self.place.as_str(), "description": self.description, "schema": self.schema,
        });
        if self.required {
            parameter["required"] = true.into();
        }
        if let Some(example) = self.example {
            parameter["example"] = example.into();
        }
        parameter
    }
}
