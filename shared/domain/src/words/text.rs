//! A text in the two languages of the admins.

use serde::Serialize;

/// A text in the two languages of the admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}
