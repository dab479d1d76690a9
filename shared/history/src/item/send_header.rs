//! The header of a send: its identity, its state, and the caller's options.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::time::Millis;
use stafett_domain::{Options, OrganisationNumber, PerKind, Reason, Route, SendId, SendStatus};

use super::due::Due;
use crate::key::SendRef;
use crate::terms::SendTerms;

/// A send, without its jobs and its activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendHeader {
    pub id: SendId,
    pub organisation: OrganisationNumber,
    /// The state of the send.
    pub status: SendStatus,
    /// Its number in the organiser's order. `None` before acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The number of sends before it when it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_position: Option<u64>,
    pub created_at: Timestamp,
    /// When it got its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When its first step was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The `sub` claim of the caller's token.
    pub requested_by: String,
    pub activity_count: u32,
    /// The caller's options.
    pub options: Options,
    /// Its stages, in the order in which they run.
    pub route: Route,
    /// The send that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_of: Option<SendId>,
    /// The days until the organiser's certificate expired when the send arrived, if few were left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_days_left: Option<i64>,
    /// Set once: nothing new is submitted, open batches are polled to their end, then the send ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_requested: Option<Reason>,
    /// Only for a send that arrives in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// The number of batches of each stage. It is written before the batches, so that they can be found and removed if
    /// the send is not accepted.
    #[serde(default)]
    pub batches: PerKind<u32>,
    /// The send was not accepted in time and is being removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discarded: bool,
    /// Until when a send that was cancelled before acceptance is shown. The rest of it is removed earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_until: Option<Millis>,
    /// When the watchdog checks a send that is not accepted yet.
    #[serde(flatten)]
    pub due: Due,
    /// When the item expires, in seconds since 1970. The same on all items of a send.
    pub expires: i64,
}

impl SendHeader {
    /// A send with these terms that is being received. Its retention period begins now. If it is not accepted, it is
    /// discarded at `discard_at`.
    pub(crate) fn receiving(send: &SendRef, terms: &SendTerms, now: Timestamp, discard_at: Millis) -> Self {
        let SendTerms { requested_by, options, route, retention_days, certificate_days_left, resume_of } =
            terms;
        Self {
            id: send.send,
            organisation: send.organisation.clone(),
            status: SendStatus::Receiving,
            seq: None,
            accepted_position: None,
            created_at: now,
            accepted_at: None,
            started_at: None,
            ended_at: None,
            requested_by: requested_by.clone(),
            activity_count: 0,
            options: *options,
            route: route.clone(),
            resume_of: *resume_of,
            certificate_days_left: *certificate_days_left,
            stop_requested: None,
            upload: None,
            batches: PerKind::default(),
            discarded: false,
            shown_until: None,
            due: Due::at(discard_at, send),
            expires: now.as_second() + i64::from(*retention_days) * 86_400,
        }
    }

    /// Whether it has a place in the organiser's order.
    pub fn was_accepted(&self) -> bool {
        self.seq.is_some()
    }

    /// Whether it is visible: accepted and not expired.
    pub(crate) fn is_seen(&self, now: Timestamp) -> bool {
        self.was_accepted() && self.expires > now.as_second()
    }

    /// Whether it can still be accepted.
    pub(crate) fn is_open(&self) -> bool {
        self.status == SendStatus::Receiving && !self.discarded
    }
}

/// The upload state of a send that arrives in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Increases with every stored part.
    pub rev: u64,
    /// The number of parts. Set when the send is submitted; after that it takes no parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<u32>,
}
