//! Sends that come in parts.

use serde::Serialize;
use stafett_domain::{Label, RecordKind, SendId, SendStatus};
use stafett_intake::TakenPart;

use crate::views::findings::FoundView;

/// A send that takes parts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenView {
    id: SendId,
    status: SendStatus,
    status_label: Label,
}

/// A part that was stored.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
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
        let status = SendStatus::Receiving;
        Self { id, status, status_label: status.label() }
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
