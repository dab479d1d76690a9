//! Sends that come in parts.

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{Label, RecordKind, SendId, SendStatus};
use stafett_intake::TakenPart;

use crate::views::findings::FoundView;
use crate::views::send::SendView;

/// A send that takes parts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OpenSend")]
pub(crate) struct OpenView {
    id: SendId,
    status: Receiving,
    status_label: Label,
}

/// The only status of a send that takes parts (`receiving`). It distinguishes such a send from an accepted one.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
enum Receiving {
    Receiving,
}

/// The result of a request for a new send.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "SendOrOpenSend")]
pub(crate) enum SendOrOpenView {
    /// It was accepted.
    Send(Box<SendView>),
    /// It takes parts.
    Open(OpenView),
}

/// A part that was stored.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StoredPart")]
pub(crate) struct PartView {
    part: u32,
    persons: usize,
    duties: usize,
    groups: usize,
    activities: usize,
    /// What was found in it.
    validation: FoundView,
}

impl OpenView {
    /// The send with this id.
    pub(crate) fn new(id: SendId) -> Self {
        Self { id, status: Receiving::Receiving, status_label: SendStatus::Receiving.label() }
    }
}

impl From<TakenPart> for PartView {
    fn from(TakenPart { part, records, findings }: TakenPart) -> Self {
        Self {
            part,
            persons: records[RecordKind::Person],
            duties: records[RecordKind::Duty],
            groups: records[RecordKind::Group],
            activities: records[RecordKind::Activity],
            validation: FoundView::of(&findings, None),
        }
    }
}
