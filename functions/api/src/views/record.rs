//! Records.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use stafett_domain::state::row::{ActivityRow, DutyRow, GroupRow, PersonRow};
use stafett_domain::{Access, Facts, Guidance, Label, Outcome, RecordFinding, RecordId, Row, guidance};
use stafett_history::JobRecord;

use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;
use crate::views::message::{MESSAGES_SHOWN, MessageView};

/// A record of a job, as a row.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{R}Record")]
pub(crate) struct RecordView<R = AnyRow> {
    #[schemars(example = Outcome::Error)]
    pub(crate) outcome: Outcome,
    #[schemars(example = Outcome::Error.label())]
    pub(crate) outcome_label: Label,
    /// Skolverket's status of this record.
    #[schemars(example = 400)]
    pub(crate) status_code: Option<u16>,
    #[serde(flatten)]
    pub(crate) row: R,
    /// What was found about it when the send was accepted.
    pub(crate) findings: Vec<RecordFinding>,
    /// The first 20.
    #[schemars(length(max = MESSAGES_SHOWN))]
    pub(crate) messages: Vec<MessageView>,
    /// How many messages are not shown.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(range(min = 1))]
    pub(crate) more_messages: usize,
    /// Skolverket's status of it, if that is not a known one. It may hold any text, so it is shown for
    /// `history:personal` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_status: Option<String>,
    /// Refused records that this one refers to: it was sent without them, or not sent because of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<RecordId>,
    /// What its outcome means, if no message explains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guidance: Option<&'static Guidance>,
}

/// One record: its row, and what was sent and answered for callers who may see personal data.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Whole{R}Record")]
pub(crate) struct WholeRecordView<R = AnyRow> {
    #[serde(flatten)]
    record: RecordView<R>,
    /// The object as it was sent, for `history:personal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Value>,
    /// Every answer of Skolverket's about it, for `history:personal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<Value>>,
    /// The answers are too large in total: of at least one, only the beginning is shown, as a text, or null.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    truncated: bool,
}

/// A row of the kind of its job.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct AnyRow(pub(crate) Row);

/// A record is one of four closed objects. For an enum within an object `schemars` would describe one object for all
/// kinds, which cannot be closed.
fn one_of_the_kinds(kinds: [Schema; 4], description: &str) -> Schema {
    json_schema!({"description": description, "oneOf": kinds})
}

impl JsonSchema for RecordView {
    fn schema_name() -> Cow<'static, str> {
        "Record".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [
            generator.subschema_for::<RecordView<PersonRow>>(),
            generator.subschema_for::<RecordView<DutyRow>>(),
            generator.subschema_for::<RecordView<GroupRow>>(),
            generator.subschema_for::<RecordView<ActivityRow>>(),
        ];
        one_of_the_kinds(kinds, "A record of a job, as a row of the kind that the job carries.")
    }
}

impl JsonSchema for WholeRecordView {
    fn schema_name() -> Cow<'static, str> {
        "WholeRecord".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [
            generator.subschema_for::<WholeRecordView<PersonRow>>(),
            generator.subschema_for::<WholeRecordView<DutyRow>>(),
            generator.subschema_for::<WholeRecordView<GroupRow>>(),
            generator.subschema_for::<WholeRecordView<ActivityRow>>(),
        ];
        one_of_the_kinds(
            kinds,
            "A record of a job, of the kind that the job carries, with what was sent and answered.",
        )
    }
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
            row: AnyRow(row.shown(access)),
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

    /// A record with the object that was sent, and the answers about it.
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

/// The guidance for an outcome that no message explains.
fn guidance_of(record: &JobRecord) -> Option<&'static Guidance> {
    if record.unknown_status.is_some() {
        return Some(guidance::of_unknown_status());
    }
    let dependency = !record.without.is_empty();
    guidance::of_outcome(record.outcome, dependency).filter(|_| dependency || record.messages.is_empty())
}
