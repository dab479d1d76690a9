//! Jobs.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{
    AuthorizationCause, Counts, Guidance, JobStatus, Label, Outcome, Reason, ReasonCode, RecordKind, SendId,
    WaitCause,
};
use stafett_history::{Job, ListedJob};

use crate::http::caller::Audience;
use crate::views::requester::RequesterView;

/// A job: one stage of a send.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Job")]
pub(crate) struct JobView {
    stage: RecordKind,
    #[schemars(example = RecordKind::Person.label())]
    stage_label: Label,
    #[schemars(example = JobStatus::Failed)]
    status: JobStatus,
    #[schemars(example = JobStatus::Failed.label())]
    status_label: Label,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    counts: Counts,
    /// Since when it has waited for Skolverket or its authorization server, because calls have to be made again.
    #[schemars(example = None::<Timestamp>)]
    waiting_for_skolverket_since: Option<Timestamp>,
    /// Why it waits, from the last such call; null if it does not wait.
    #[schemars(example = None::<WaitCause>)]
    waiting_for_skolverket_cause: Option<WaitView>,
    /// Why it did not succeed.
    reason: Option<ReasonView>,
}

/// Why calls to Skolverket are made again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WaitCause")]
struct WaitView {
    code: WaitCause,
    guidance: &'static Guidance,
}

impl From<WaitCause> for WaitView {
    fn from(code: WaitCause) -> Self {
        Self { code, guidance: code.guidance() }
    }
}

/// Why a job did not succeed, or a send is stopping.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reason", example = ReasonView::from(Reason::new(ReasonCode::RecordErrors)))]
pub(crate) struct ReasonView {
    code: ReasonCode,
    /// Skolverket's status, where that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    /// Why the authorization is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<AuthorizationCause>,
    /// The authorization server's error text.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_text: Option<String>,
    en: String,
    sv: String,
    guidance: Guidance,
}

impl From<Reason> for ReasonView {
    fn from(reason: Reason) -> Self {
        let (text, guidance) = (reason.text(), reason.guidance());
        let Reason { code, http_status, cause, server_text } = reason;
        Self { code, http_status, cause, server_text, en: text.en, sv: text.sv, guidance }
    }
}

impl JobView {
    /// An example for the API description: the jobs of a send whose first job failed.
    pub(crate) fn examples() -> Vec<Self> {
        let refused = Counts::all(4, Outcome::Success).plus(Counts::all(1, Outcome::Error));
        let ended = |(stage, total)| {
            let (status, reason, counts) = match stage {
                RecordKind::Person => (JobStatus::Failed, ReasonCode::RecordErrors, refused),
                _ => (JobStatus::NotStarted, ReasonCode::EarlierJob, Counts::all(total, Outcome::NotSent)),
            };
            Self {
                stage,
                stage_label: stage.label(),
                status,
                status_label: status.label(),
                started_at: None,
                ended_at: None,
                counts,
                waiting_for_skolverket_since: None,
                waiting_for_skolverket_cause: None,
                reason: Some(Reason::new(reason).into()),
            }
        };
        RecordKind::ALL.into_iter().zip([5, 2, 1, 1]).map(ended).collect()
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> u32 {
        self.counts.total
    }
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let waiting_since = job.waiting_since.filter(|_| !job.status.has_ended());
        Self {
            stage: job.stage,
            stage_label: job.stage.label(),
            status: job.status,
            status_label: job.status.label(),
            started_at: job.started_at,
            ended_at: job.ended_at,
            counts: job.counts(),
            waiting_for_skolverket_since: waiting_since,
            waiting_for_skolverket_cause: waiting_since.and(job.waiting_cause).map(Into::into),
            reason: job.reason.clone().map(Into::into),
        }
    }
}

/// A job in a list, with some fields of its send.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListedJob")]
pub(crate) struct ListedJobView {
    send: SendId,
    accepted_at: Option<Timestamp>,
    #[serde(flatten)]
    requester: RequesterView,
    #[serde(flatten)]
    job: JobView,
}

impl ListedJobView {
    pub(crate) fn new(ListedJob { send, job }: ListedJob, audience: Audience<'_>) -> Self {
        let requester = RequesterView::hidden(send.requested_by).shown_to(audience);
        Self { send: send.id, accepted_at: send.accepted_at, requester, job: (&job).into() }
    }
}
