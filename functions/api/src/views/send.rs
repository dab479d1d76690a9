//! Sends.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{ActivitySummary, Label, Options, RecordKind, SendId, SendStatus};
use stafett_history::{Job, PlacedSend, ShownSend, StoredPart, StoredSend, UploadParts};

use crate::http::answer::RetryAfter;
use crate::http::caller::Audience;
use crate::views::findings::FoundView;
use crate::views::job::{JobView, ReasonView};
use crate::views::requester::RequesterView;

/// A send.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Send")]
pub(crate) struct SendView {
    id: SendId,
    #[schemars(example = SendStatus::Failed)]
    status: SendStatus,
    #[schemars(example = SendStatus::Failed.label())]
    status_label: Label,
    accepted_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(flatten)]
    requester: RequesterView,
    /// The send that it resumes.
    #[schemars(example = None::<SendId>)]
    resume_of: Option<SendId>,
    /// How many of the organiser's sends run before it, while it waits.
    #[schemars(example = None::<u64>)]
    queue_position: Option<u64>,
    /// Why it is stopping, until it has ended.
    #[schemars(example = None::<()>)]
    stopping: Option<ReasonView>,
    #[schemars(example = 1)]
    activity_count: u32,
    /// The first 20; all of them at `/v1/sends/{send}/activities`.
    activities: Vec<ActivitySummary>,
    /// In the order in which they run.
    #[schemars(length(equal = 4), example = JobView::examples())]
    jobs: Vec<JobView>,
    options: Options,
    /// Warnings that need action, but do not stop the send.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    warnings: Vec<WarningView>,
    /// What was found in it when it was accepted.
    validation: FoundView,
    /// The parts that were received, while the send takes parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<ReceivedPartView>>,
    /// When a send that takes parts is removed, unless it is submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    submit_before: Option<Timestamp>,
}

/// A received part, with its numbers of records.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReceivedPart")]
struct ReceivedPartView {
    part: u32,
    persons: u32,
    duties: u32,
    groups: u32,
    activities: u32,
}

impl From<&StoredPart> for ReceivedPartView {
    fn from(part: &StoredPart) -> Self {
        let records = part.records();
        Self {
            part: part.part,
            persons: records[RecordKind::Person],
            duties: records[RecordKind::Duty],
            groups: records[RecordKind::Group],
            activities: records[RecordKind::Activity],
        }
    }
}

/// A warning that needs action.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SendWarning")]
struct WarningView {
    code: WarningCode,
    /// The days that were left when the send was received.
    days_left: i64,
    en: String,
    sv: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SendWarningCode")]
enum WarningCode {
    CertificateExpires,
}

impl WarningView {
    fn certificate_expires(days_left: i64) -> Self {
        Self {
            code: WarningCode::CertificateExpires,
            days_left,
            en: format!(
                "The organiser's client certificate expires in {days_left} days. Order a new one and replace it in the \
                 settings: after its last day nothing can be sent."
            ),
            sv: format!(
                "Huvudmannens klientcertifikat går ut om {days_left} dagar. Beställ ett nytt och byt det i \
                 inställningarna: efter sista dagen kan inget skickas."
            ),
        }
    }
}

impl SendView {
    /// The send as this caller may see it.
    #[must_use]
    pub(crate) fn shown_to(self, audience: Audience<'_>) -> Self {
        Self { requester: self.requester.shown_to(audience), ..self }
    }

    /// When to poll again; `None` if it no longer changes.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<RetryAfter> {
        let records = self.jobs.iter().map(JobView::records).fold(0, u32::saturating_add);
        (!self.status.has_ended()).then(|| RetryAfter::of(self.started_at, records, now))
    }

    /// `queue_position`: how many sends run before it; `None` if it does not wait.
    fn of(send: StoredSend, queue_position: Option<u64>) -> Self {
        let StoredSend { header, jobs, activities, findings, not_checked } = send;
        let certificate_expires = header.certificate_days_left.map(WarningView::certificate_expires);
        Self {
            id: header.id,
            status: header.status,
            status_label: header.status.label(),
            accepted_at: header.accepted_at,
            started_at: header.started_at,
            ended_at: header.ended_at,
            requester: RequesterView::hidden(header.requested_by),
            resume_of: header.resume_of,
            queue_position,
            stopping: header.stop_requested.filter(|_| !header.status.has_ended()).map(Into::into),
            activity_count: header.activity_count,
            activities,
            jobs: jobs.iter().map(Into::into).collect(),
            options: header.options,
            warnings: certificate_expires.into_iter().collect(),
            validation: FoundView::of(&findings, Some(&not_checked)),
            parts: None,
            submit_before: None,
        }
    }

    /// A send that comes in parts and was not accepted.
    fn upload(found: UploadParts) -> Self {
        let takes_parts = found.header.status == SendStatus::Receiving;
        let parts = takes_parts.then(|| found.parts.iter().map(Into::into).collect());
        let due = found.header.due.due_at.filter(|_| takes_parts);
        let submit_before = due.and_then(|due| Timestamp::from_millisecond(due).ok());
        Self { parts, submit_before, ..Self::of(found.into_send(), None) }
    }

    /// A send as it was when it was accepted. Every repeat of the request gets this response, whatever has happened to
    /// the send since.
    pub(crate) fn accepted(mut send: StoredSend) -> Self {
        let position = send.header.accepted_position;
        send.header.status = SendStatus::Queued;
        send.header.stop_requested = None;
        (send.header.started_at, send.header.ended_at) = (None, None);
        for job in &mut send.jobs {
            *job = Job::waiting(job.stage, job.counts.total, job.batches, job.expires);
        }
        Self::of(send, position)
    }
}

impl From<PlacedSend> for SendView {
    /// A send in its current state.
    fn from(PlacedSend { send, position }: PlacedSend) -> Self {
        Self::of(send, position)
    }
}

impl From<ShownSend> for SendView {
    fn from(send: ShownSend) -> Self {
        match send {
            ShownSend::Accepted(send) => Self::from(*send),
            ShownSend::Upload(upload) => Self::upload(*upload),
        }
    }
}
