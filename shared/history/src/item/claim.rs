//! Who takes a step.

use serde::{Deserialize, Serialize};
use stafett_domain::ClaimId;
use stafett_domain::time::Millis;

/// A holder of a step. One that is there and has expired is that of a holder that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// A random one for each claim.
    #[serde(rename = "claim")]
    pub id: ClaimId,
    /// Until when the step is the holder's.
    #[serde(rename = "claimUntil")]
    pub until: Millis,
    /// The claim for which a copy of the step's message was queued.
    #[serde(rename = "copiedFor", default, skip_serializing_if = "Option::is_none")]
    pub copied_for: Option<ClaimId>,
}

impl Claim {
    /// The holder may still be at work.
    pub(crate) fn is_live(&self, now: Millis) -> bool {
        now < self.until
    }
}
