//! An organiser's place in the order of sends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::SendId;

/// The organiser's place in the order: the running send, and the number for the next accepted send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organiser {
    /// The one running send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<SendId>,
    /// Its number in the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seq: Option<u64>,
    /// When it got the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
    /// The number for the next accepted send, from 1.
    pub next_seq: u64,
}
