//! A text in the two languages of the admins.

use schemars::JsonSchema;
use serde::Serialize;

/// A text in the two languages of the admins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Text")]
pub struct Text<S = String> {
    /// Swedish.
    pub sv: S,
    /// English.
    pub en: S,
}
