//! Skolverket's own identifiers, and the codes that they are made of (domain rule 3).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::id::InvalidId;

/// Skolverket's identifier of what has this code: a UUIDv5 with the nil namespace and the code as the name.
///
/// Holds for school units, organisers, education codes and national test activities (shared/README, Skolverket 10).
pub fn skolverket_id(code: &str) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), code.as_bytes())
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Whether a text has the form of this code. It may still be unknown to Skolverket.
            pub fn accepts(text: &str) -> bool {
                let accepts: fn(&[u8]) -> bool = $accepts;
                accepts(text.as_bytes())
            }

            /// The code as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Skolverket's identifier for it.
            pub fn id(&self) -> Uuid {
                skolverket_id(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if Self::accepts(&text) { Ok(Self(text)) } else { Err(InvalidId($kind)) }
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0
            }
        }
    };
}

code!(
    /// A school unit's code (skolenhetskod): 8 digits.
    SchoolUnitCode,
    "school unit code",
    |text| text.len() == 8 && text.iter().all(u8::is_ascii_digit)
);
code!(
    /// The code of a national test activity (provkod), e.g. `GRGRBIO01_6`: 1–40 of `A–Z a–z 0–9 _`.
    TestCode,
    "test code",
    |text| (1..=40).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
);

impl TestCode {
    /// The school year that the test is for, 1–10, where the code ends in one: 6 of `GRGRBIO01_6`.
    pub fn school_year(&self) -> Option<u8> {
        let (_, year) = self.0.rsplit_once('_')?;
        let digits = year.bytes().all(|byte| byte.is_ascii_digit());
        year.parse().ok().filter(|year| digits && (1..=10).contains(year))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_skolverket_publishes() {
        for (code, id) in [
            ("31279295", "fb22448b-b724-5e53-8a2c-d8b339206901"),
            ("5567044268", "657ae6a4-2978-5fbe-b357-ba353c0f03b5"),
            ("EKJURV", "f8bd4423-9693-51ed-a854-6e9984e6c2f7"),
            ("MATMAT01", "505c5ee0-7be4-560d-9c27-10ab0d96ac9a"),
        ] {
            assert_eq!(skolverket_id(code).to_string(), id, "{code}");
        }
        let unit: SchoolUnitCode = "31279295".parse().unwrap();
        assert_eq!(unit.id(), skolverket_id("31279295"));
    }

    #[test]
    fn a_test_code_may_end_in_its_school_year() {
        let year = |code: &str| code.parse::<TestCode>().unwrap().school_year();
        assert_eq!([year("GRGRBIO01_6"), year("GRGRMAT01_10")], [Some(6), Some(10)]);
        for without in ["MATMAT01", "GRGRBIO01_0", "GRGRBIO01_11", "GRGRBIO01_", "GRGRBIO01_6A"] {
            assert_eq!(year(without), None, "{without}");
        }
    }

    #[test]
    fn codes_have_a_form() {
        for wrong in ["", "3127929", "312792955", "3127929x", "31279 95", "３１２７９２９５"] {
            assert!(!SchoolUnitCode::accepts(wrong), "{wrong}");
        }
        assert!(TestCode::accepts("GRGRBIO01_6"));
        assert!(TestCode::accepts(&"a".repeat(40)));
        for wrong in ["", "GR-BIO", "GR BIO", "GRÅ", &"a".repeat(41)] {
            assert_eq!(wrong.parse::<TestCode>(), Err(InvalidId("test code")), "{wrong}");
        }
    }
}
