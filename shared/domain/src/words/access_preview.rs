//! The warnings of the access preview, with their words.

use serde::{Serialize, Serializer};

use crate::kind::finding_code::FindingCode;
use crate::rules::access_preview::Warning;

impl Serialize for Warning {
    /// As the API shows it: the code, what it means and what to do.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            code: FindingCode,
            en: &'static str,
            sv: &'static str,
        }
        let Self(code) = *self;
        let (en, sv) = code.text();
        Shown { code, en, sv }.serialize(serializer)
    }
}
