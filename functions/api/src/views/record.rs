//! Records.

use serde::Serialize;
use serde_json::Value;
use stafett_domain::{Access, Facts, Guidance, Label, Outcome, RecordFinding, RecordId, Row, guidance};
use stafett_history::JobRecord;

use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;
use crate::views::message::{MESSAGES_SHOWN, MessageView};

/// A record of a job.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordView {
    pub(crate) outcome: Outcome,
    pub(crate) outcome_label: Label,
    pub(crate) status_code: Option<u16>,
    #[serde(flatten)]
    pub(crate) row: Row,
    /// What was found about it when the send was accepted.
    pub(crate) findings: Vec<RecordFinding>,
    /// The first [`MESSAGES_SHOWN`].
    pub(crate) messages: Vec<MessageView>,
    /// How many messages are not shown.
    #[serde(skip_serializing_if = "is_none")]
    pub(crate) more_messages: usize,
    /// The status that Skolverket gave it, where that is not a known one. It may hold anything, so only callers who may
    /// see personal data get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_status: Option<String>,
    /// Refused records that this one refers to: it was sent without them, or not sent because of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<RecordId>,
    /// What its outcome means, where no message explains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guidance: Option<&'static Guidance>,
}

/// One record. Only callers who may see personal data get what was sent and answered.
#[derive(Serialize)]
pub(crate) struct WholeRecordView {
    #[serde(flatten)]
    record: RecordView,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<Value>>,
    /// An answer is cut or missing, because all of them together would be too large.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl RecordView {
    /// A record with its facts, as a caller with this access may see it.
    pub(crate) fn new(record: JobRecord, facts: &Facts, access: Access) -> Self {
        let guidance = guidance_of(&record);
        let JobRecord { row, outcome, status_code, messages, unknown_status, without } = record;
        let more_messages = messages.len().saturating_sub(MESSAGES_SHOWN);
        let messages = messages.into_iter().take(MESSAGES_SHOWN);
        Self {
            outcome,
            outcome_label: outcome.label(),
            status_code,
            row: row.shown(access),
            findings: facts.findings.iter().map(|code| code.of_record()).collect(),
            messages: messages.map(|entry| MessageView::new(entry, access)).collect(),
            more_messages,
            unknown_status: unknown_status.filter(|_| access == Access::Personal),
            without,
            guidance,
        }
    }
}

impl WholeRecordView {
    /// A record for those who may not see personal data.
    pub(crate) fn masked(record: RecordView) -> Self {
        Self { record, sent: None, answers: None, truncated: false }
    }

    /// A record with what was sent of it, and what was answered about it.
    pub(crate) fn personal(
        record: RecordView,
        sent: Option<Value>,
        answers: Vec<Value>,
    ) -> Result<Self, Problem> {
        let mut view = Self { record, sent, answers: None, truncated: false };
        let mut size_limit = SizeLimit::new();
        // Always fits: neither is larger than a call may be.
        size_limit.take(&view)?;
        let mut shown = Vec::new();
        for answer in answers {
            let (answer, whole) = size_limit.take_body(answer)?;
            view.truncated |= !whole;
            shown.push(answer);
        }
        Ok(Self { answers: Some(shown), ..view })
    }
}

/// What an outcome means that no message explains.
fn guidance_of(record: &JobRecord) -> Option<&'static Guidance> {
    if record.unknown_status.is_some() {
        return Some(guidance::of_unknown_status());
    }
    let dependency = !record.without.is_empty();
    guidance::of_outcome(record.outcome, dependency).filter(|_| dependency || record.messages.is_empty())
}
