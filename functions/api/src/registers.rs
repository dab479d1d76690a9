//! What a send names, held against Skolverket's public registers.

use serde::Serialize;
use stafett_domain::register::{Known, Mentions, Register};
use stafett_domain::{Findings, OrganisationNumber};
use stafett_engine::Relay;

/// What came of it.
pub(crate) struct Checked {
    /// The registers that could not be asked. They never keep a send from being accepted.
    pub(crate) not_checked: Vec<Register>,
    /// What the others say.
    pub(crate) known: Known,
}

/// Adds to `findings` what the registers contradict.
pub(crate) async fn check(
    relay: &Relay,
    organisation: &OrganisationNumber,
    mentions: &Mentions,
    findings: &mut Findings,
) -> Checked {
    let known = relay.registers.look_up(organisation, mentions, relay.clock).await;
    let not_checked = mentions.check(&known, relay.clock.now(), findings);
    Checked { not_checked, known }
}

/// Something that was not checked, with words for the admin.
#[derive(Serialize)]
pub(crate) struct NotCheckedView {
    what: Register,
    en: String,
    sv: String,
}

impl NotCheckedView {
    pub(crate) fn all(not_checked: &[Register]) -> Vec<Self> {
        let view = |what: &Register| {
            let text = what.not_checked();
            Self { what: *what, en: text.en, sv: text.sv }
        };
        not_checked.iter().map(view).collect()
    }
}
