//! One job, and why records of it were not simply accepted, grouped by cause.

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{Access, Guidance, Label, Outcome, RecordId, Severity};
use stafett_history::{Job, JobCause, JobCauses};

use crate::http::size_limit::shortened;
use crate::views::job::JobView;
use crate::views::message::LONGEST_TEXT;

/// A job, and why records of it were not simply accepted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "JobCauses")]
pub(crate) struct JobCausesView {
    #[serde(flatten)]
    job: JobView,
    /// How many causes there are; only the most frequent are listed.
    cause_count: usize,
    causes: Vec<CauseView>,
}

/// Records with the same cause.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Cause")]
struct CauseView {
    /// How many records have it.
    count: u32,
    #[schemars(example = Outcome::Error)]
    outcome: Outcome,
    #[schemars(example = Outcome::Error.label())]
    outcome_label: Label,
    severity: Severity,
    /// The number of Skolverket's message; null if there was none.
    #[schemars(example = "2011")]
    id: Option<String>,
    #[schemars(example = "Enrolment.schoolYear")]
    attribute: Option<String>,
    #[schemars(example = "Ogiltigt format")]
    message_type: Option<String>,
    /// Skolverket's text about the first record, for `history:personal`, because it may quote values.
    #[schemars(example = None::<String>)]
    message: Option<String>,
    guidance: &'static Guidance,
    first_record_ids: Vec<RecordId>,
}

impl CauseView {
    fn new(job_cause: JobCause, access: Access) -> Self {
        let cause = job_cause.cause.names_only();
        let guidance = cause.guidance();
        Self {
            count: job_cause.records,
            outcome: cause.outcome,
            outcome_label: cause.outcome.label(),
            severity: cause.severity,
            id: cause.id,
            attribute: cause.attribute,
            message_type: cause.message_type,
            message: job_cause
                .message
                .filter(|_| access == Access::Personal)
                .map(|text| shortened(text, LONGEST_TEXT)),
            guidance,
            first_record_ids: job_cause.first_records,
        }
    }
}

impl JobCausesView {
    /// A job and its causes, as a caller with this access may see them.
    pub(crate) fn new(job: &Job, JobCauses { total, causes }: JobCauses, access: Access) -> Self {
        let causes = causes.into_iter().map(|cause| CauseView::new(cause, access)).collect();
        Self { job: job.into(), cause_count: total, causes }
    }

    /// How many of the causes quote Skolverket's text.
    pub(crate) fn quoted(&self) -> usize {
        self.causes.iter().filter(|cause| cause.message.is_some()).count()
    }
}
