//! What a send names, held against Skolverket's public registers.

use serde::Serialize;
use stafett_domain::register::{Mentions, Register};
use stafett_domain::{Findings, OrganisationNumber};
use stafett_engine::Relay;

/// Adds to `findings` what the registers contradict; gives the registers that could not be asked. They never keep a
/// send from being accepted.
pub(crate) async fn check(
    relay: &Relay,
    organisation: &OrganisationNumber,
    mentions: &Mentions,
    findings: &mut Findings,
) -> Vec<Register> {
    let known = relay.registers.look_up(organisation, mentions, relay.clock).await;
    mentions.check(&known, relay.clock.now(), findings)
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
