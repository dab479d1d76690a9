//! The header of a send: what it is, where it stands, and what its sender chose.

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
    /// Where it stands.
    pub status: SendStatus,
    /// Its number in the organiser's order; none before acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// How many were before it when it was accepted.
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
    /// The `sub` of the token that asked for it.
    pub requested_by: String,
    pub activity_count: u32,
    /// What the sender chose.
    pub options: Options,
    /// Its stages, in the order in which they run.
    pub route: Route,
    /// The send that it takes up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_of: Option<SendId>,
    /// The days that the organiser's certificate had left when the send came, where those were few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_days_left: Option<i64>,
    /// Set once: no new submits, what is open is polled to its end, then the send ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_requested: Option<Reason>,
    /// Of a send that comes in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// How many batches each stage has. Written before any of them, so that they are found should it not be accepted.
    #[serde(default)]
    pub batches: PerKind<u32>,
    /// It was not accepted in time, and is being removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discarded: bool,
    /// Until when a send that was cancelled before it was accepted is shown; the rest of it is removed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_until: Option<Millis>,
    /// When the watchdog checks a send that was not accepted: from its first write on, until it is.
    #[serde(flatten)]
    pub due: Due,
    /// Seconds since 1970; the same on all items of a send.
    pub expires: i64,
}

impl SendHeader {
    /// A send that is being received on these terms. Its retention begins now. If it is not accepted, it is discarded
    /// at `discard_at`.
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

    /// It got a place in the organiser's order.
    pub fn was_accepted(&self) -> bool {
        self.seq.is_some()
    }

    /// It is to be seen: it was accepted, and has not expired.
    pub(crate) fn is_seen(&self, now: Timestamp) -> bool {
        self.was_accepted() && self.expires > now.as_second()
    }

    /// It can still be accepted.
    pub(crate) fn is_open(&self) -> bool {
        self.status == SendStatus::Receiving && !self.discarded
    }
}

/// The parts of a send that comes in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Grows with every part that is stored.
    pub rev: u64,
    /// How many parts it has: set when it is submitted, and no part is taken any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<u32>,
}
