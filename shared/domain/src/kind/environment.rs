//! Skolverket's environments.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::id::InvalidId;

/// Where a send goes. Tokens for both come from the same authorization server (shared/README, Skolverket 11).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[schemars(description = "Where a send goes.")]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    /// The one that tests are taken in.
    #[default]
    Production,
    /// Verifieringstest: for trying out, with data of its own.
    Verification,
}

impl Environment {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Production, Self::Verification];
    /// Their words, in that order.
    pub const WORDS: &[&str] = &["production", "verification"];

    /// Its word in the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Verification => "verification",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(InvalidId("environment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_interface() {
        assert_eq!(Environment::ALL.map(Environment::as_str), Environment::WORDS);
        for environment in Environment::ALL {
            assert_eq!(environment.as_str().parse(), Ok(environment));
            assert_eq!(serde_json::to_value(environment).unwrap(), environment.as_str());
        }
        assert!("Production".parse::<Environment>().is_err());
    }
}
