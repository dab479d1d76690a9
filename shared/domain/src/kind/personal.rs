//! Values about a person that must not be printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name, civic number, EPPN or e-mail address.
///
/// It has no `Display`, and its `Debug` shows `***`: code that needs the text must call [`Personal::expose`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// The value itself. Not for logs, metrics, messages, error texts or addresses.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
