//! The words for a register that could not be read.

use crate::rules::register::Register;
use crate::words::text::Text;

impl Register {
    /// That it could not be looked into, and what follows.
    pub fn not_checked(self) -> Text {
        let (en, sv) = match self {
            Self::SchoolUnits => (
                "School units, their school types and school years could not be held against Skolverket's \
                 register in time. Skolverket looks at them itself when the records arrive.",
                "Skolenheter och deras skolformer och årskurser kunde inte kontrolleras mot Skolverkets register i \
                 tid. Skolverket kontrollerar dem själv när posterna kommer dit.",
            ),
            Self::Programmes => (
                "Study path codes could not be held against Skolverket's register in time. \
                 Skolverket looks at them itself when the records arrive.",
                "Studievägskoder kunde inte kontrolleras mot Skolverkets register i tid. Skolverket \
                 kontrollerar dem själv när posterna kommer dit.",
            ),
            Self::TestActivities => (
                "Test codes could not be held against Skolverket's register in time. Skolverket \
                 looks at them itself when the records arrive.",
                "Provkoder kunde inte kontrolleras mot Skolverkets register i tid. Skolverket \
                 kontrollerar dem själv när posterna kommer dit.",
            ),
        };
        Text { sv: sv.to_owned(), en: en.to_owned() }
    }
}
