//! What Skolverket's answers mean to the admin who reads them: what happened, what to do, and who does it.
//!
//! The words are in `guidance/records.rs` (what messages say of a record), `guidance/categories.rs` (what the category of
//! a message says), `guidance/outcomes.rs` (records without a message), `guidance/calls.rs` (whole calls),
//! `guidance/authorization.rs` (the way in) and `guidance/reasons.rs` (why a job ended): a new cause is a new row there.
//! `guidance/catalogue.rs` looks them up.

use schemars::JsonSchema;
use serde::Serialize;

use crate::state::reason::{Reason, ReasonCode};
use crate::words::text::Text;

mod authorization;
mod calls;
pub mod catalogue;
mod categories;
mod entry;
mod outcomes;
mod reasons;
mod records;

/// Who can fix it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// Whoever keeps the register of students, staff and groups.
    StudentRegister,
    /// Whoever gives out federated user names.
    IdentityProvider,
    /// Whoever answers for the school unit in Skolverket's register of school units.
    SchoolUnitRegister,
    /// The admin, in the system that sends.
    ThisSystem,
    /// Skolverket.
    Skolverket,
    /// Whoever operates the system.
    Operator,
}

/// What a cause means and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(example = Reason::new(ReasonCode::RecordErrors).guidance())]
pub struct Guidance {
    /// What happened.
    pub meaning: Text<&'static str>,
    /// What to do next.
    pub action: Text<&'static str>,
    /// Who does it.
    pub who: Who,
}

impl Guidance {
    /// Both in one text.
    pub fn text(&self) -> Text {
        let Self { meaning, action, .. } = self;
        Text { sv: format!("{} {}", meaning.sv, action.sv), en: format!("{} {}", meaning.en, action.en) }
    }

    /// Each language: what happened, what to do.
    pub(super) const fn new(who: Who, sv: [&'static str; 2], en: [&'static str; 2]) -> Self {
        let ([meaning_sv, action_sv], [meaning_en, action_en]) = (sv, en);
        Self {
            meaning: Text { sv: meaning_sv, en: meaning_en },
            action: Text { sv: action_sv, en: action_en },
            who,
        }
    }

    /// The same happened, but something else is to be done.
    pub(super) const fn but(self, who: Who, sv: &'static str, en: &'static str) -> Self {
        Self { action: Text { sv, en }, who, ..self }
    }
}
