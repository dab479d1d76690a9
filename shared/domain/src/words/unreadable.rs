//! Why a body cannot be read, and what to do.

use crate::submission::json::{Unreadable, UnreadableFault};
use crate::words::text::Text;

impl Unreadable {
    /// What is wrong, with line and column, and what to do.
    pub fn text(&self) -> Text {
        let Self { fault, line, column } = self;
        let (en, sv) = match fault {
            UnreadableFault::NotUtf8 => ("The body is not UTF-8", "Innehållet är inte UTF-8"),
            UnreadableFault::EndsTooEarly => ("The body ends too early", "Innehållet slutar för tidigt"),
            UnreadableFault::NotJson => ("The body is not JSON", "Innehållet är inte JSON"),
            UnreadableFault::NotAnObject => {
                ("The body is not a JSON object", "Innehållet är inte ett JSON-objekt")
            }
        };
        Text {
            en: format!("{en}: line {line}, column {column}. Nothing was stored. Correct it and send again."),
            sv: format!("{sv}: rad {line}, kolumn {column}. Inget har sparats. Rätta det och skicka igen."),
        }
    }
}
