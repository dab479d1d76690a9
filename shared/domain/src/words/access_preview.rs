//! The warnings of the access preview, with their words.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::kind::finding_code::FindingCode;
use crate::rules::access_preview::Warning;

/// A finding that says who sees more than may be meant.
#[derive(Serialize, JsonSchema)]
struct ShownWarning {
    code: FindingCode,
    /// English: what it means, and what to do.
    en: &'static str,
    /// Swedish: the same.
    sv: &'static str,
}

impl Serialize for Warning {
    /// As the API shows it: with its words.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(code) = *self;
        let (en, sv) = code.text();
        ShownWarning { code, en, sv }.serialize(serializer)
    }
}

impl JsonSchema for Warning {
    fn schema_name() -> Cow<'static, str> {
        "AccessWarning".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ShownWarning::json_schema(generator)
    }
}
