//! When an item's step is overdue, for the watchdog.

use serde::{Deserialize, Serialize};
use stafett_domain::time::Millis;

use crate::key::SendRef;

/// When a step is overdue, and in which shard of the watchdog's index it is. Both or neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Due {
    /// When the step is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// How many times the watchdog queued the step again.
    #[serde(default, skip_serializing_if = "super::number::is_zero")]
    pub resent: u32,
    /// When it first did so. Nobody has claimed the step since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent_since: Option<Millis>,
}

impl Due {
    /// Due at `at`, in the shard of `send`.
    pub fn at(at: Millis, send: &SendRef) -> Self {
        Self { due_at: Some(at), due_shard: Some(send.shard()), resent: 0, resent_since: None }
    }
}
