//! Where a record stands in what the sender gave.

use crate::kind::record_kind::RecordKind;

/// Where a record is in what the sender gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The part's number, where the send came in parts.
    part: Option<u32>,
    kind: RecordKind,
    index: usize,
}

impl Place {
    /// In a list of a body.
    pub(crate) fn of(kind: RecordKind, index: usize) -> Self {
        Self { part: None, kind, index }
    }

    /// In a list of a part.
    pub(crate) fn in_part(part: u32, kind: RecordKind, index: usize) -> Self {
        Self { part: Some(part), kind, index }
    }

    /// The JSON Pointer of the record, and of a place in it (which begins with a slash).
    pub(crate) fn pointer(&self, within: &str) -> String {
        let record = format!("/{}/{}{within}", self.kind.list(), self.index);
        match self.part {
            Some(part) => format!("/parts/{part}{record}"),
            None => record,
        }
    }
}
