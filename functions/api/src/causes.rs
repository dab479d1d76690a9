//! One job, with what kept its records from being simply accepted: records with the same cause stand together.

use axum::extract::State;
use serde::Serialize;
use stafett_domain::Severity;
use stafett_domain::dependency::depends;
use stafett_domain::{Access, Guidance, Label, OnRecordErrors, Options, Outcome, RecordId};
use stafett_engine::history::{Job, JobCause, JobCauses, SendRef};

use crate::Shared;
use crate::address::Address;
use crate::answer::{Polled, RetryAfter};
use crate::caller::Reader;
use crate::problem::Problem;
use crate::room::shortened;
use crate::view::{JobView, LONGEST_TEXT};

/// A job and its causes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobCausesView {
    #[serde(flatten)]
    job: JobView,
    /// How many there are; only the most frequent are told of.
    cause_count: usize,
    causes: Vec<CauseView>,
}

/// Records with the same cause.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CauseView {
    /// How many records have it.
    count: u32,
    outcome: Outcome,
    outcome_label: Label,
    severity: Severity,
    /// The number, attribute and category of Skolverket's message; none where Skolverket said nothing.
    id: Option<String>,
    attribute: Option<String>,
    message_type: Option<String>,
    /// Skolverket's text about the first record: for those who may see personal data, for it may quote values.
    message: Option<String>,
    guidance: &'static Guidance,
    first_record_ids: Vec<RecordId>,
}

/// Skolverket's text, as rows show it.
fn shortened_text(text: String) -> String {
    shortened(text, LONGEST_TEXT)
}

impl CauseView {
    fn new(told: JobCause, access: Access) -> Self {
        let cause = told.cause.names_only();
        let guidance = cause.guidance();
        Self {
            count: told.records,
            outcome: cause.outcome,
            outcome_label: cause.outcome.label(),
            severity: cause.severity,
            id: cause.id,
            attribute: cause.attribute,
            message_type: cause.message_type,
            message: told.message.filter(|_| access == Access::Personal).map(shortened_text),
            guidance,
            first_record_ids: told.first_records,
        }
    }
}

/// One job of a send.
pub(crate) async fn show(
    State(relay): State<Shared>,
    reader: Reader,
    Address((send, stage)): Address<(String, String)>,
) -> Result<Polled<JobCausesView>, Problem> {
    let stage = stage.parse().map_err(|_| Problem::NotFound)?;
    let send = SendRef::new(reader.organisation.clone(), send.parse().map_err(|_| Problem::NotFound)?);
    let now = relay.clock.now();
    let stored = relay.history.send(&send, now).await?.ok_or(Problem::NotFound)?;
    let options = stored.header.options;
    let job = stored.jobs.into_iter().find(|job| job.stage == stage).ok_or(Problem::Internal)?;
    let JobCauses { total, causes } = if may_have_causes(&job, &options) {
        relay.history.causes(&send, stage, job.status).await?
    } else {
        JobCauses { total: 0, causes: Vec::new() }
    };
    let causes: Vec<_> = causes.into_iter().map(|cause| CauseView::new(cause, reader.access)).collect();
    let quoted = causes.iter().filter(|cause| cause.message.is_some()).count();
    if quoted > 0 {
        reader.note_reading(&send, stage, "causes", quoted);
    }
    let retry_after = RetryAfter::of_job(&job, now);
    let view = JobCausesView { job: (&job).into(), cause_count: total, causes };
    Ok(if quoted > 0 { Polled::personal(view, retry_after) } else { Polled::new(view, retry_after) })
}

/// Not where all went well: then no batch need be read. An accepted record may still have gone without another.
fn may_have_causes(job: &Job, options: &Options) -> bool {
    let counts = job.counts();
    let went_without = options.on_record_errors == OnRecordErrors::Continue && depends(job.stage);
    counts.success + counts.pending < counts.total || (went_without && counts.success > 0)
}
