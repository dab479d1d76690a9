//! The shapes of sends, jobs, rows and attempts as callers see them. Times are UTC, RFC 3339.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::guidance;
use stafett_domain::register::Register;
use stafett_domain::{
    Access, ActivitySummary, AttemptCall, AttemptId, AuthorizationCause, Counts, FindingGroup, Findings,
    Guidance, JobStatus, KindCount, KnownWords, Label, Options, Outcome, Reason, ReasonCode, RecordFinding,
    RecordId, RecordKind, Row, SendId, SendStatus, Severity, WaitCause,
};
use stafett_engine::history::{Attempt, Job, Organiser, StoredPart, StoredSend, UploadParts, looked_up_by};
use stafett_skolverket::LogEntry;

use crate::answer::RetryAfter;
use crate::registers::NotCheckedView;
use crate::requester::{Audience, RequesterView};
use crate::room::shortened;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SendView {
    id: SendId,
    status: SendStatus,
    status_label: Label,
    accepted_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(flatten)]
    requester: RequesterView,
    /// The send that it takes up again.
    resume_of: Option<SendId>,
    queue_position: Option<u64>,
    /// Why it is on its way to its end, while something of it is still open.
    stopping: Option<ReasonView>,
    activity_count: u32,
    activities: Vec<ActivitySummary>,
    jobs: Vec<JobView>,
    options: Options,
    /// What does not keep it from being sent, and should be looked after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningView>,
    /// What was found in it when it was accepted.
    validation: FoundView,
    /// Of a send that takes parts: those that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<ReceivedPartView>>,
    /// Of a send that takes parts: when it is removed, unless it is submitted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    submit_before: Option<Timestamp>,
}

/// A part of a send that takes parts: how many records it has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedPartView {
    part: u32,
    persons: u32,
    duties: u32,
    groups: u32,
    activities: u32,
}

impl From<&StoredPart> for ReceivedPartView {
    fn from(part: &StoredPart) -> Self {
        let [persons, duties, groups, activities] = part.records();
        Self { part: part.part, persons, duties, groups, activities }
    }
}

/// Something that is to be looked after.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WarningView {
    code: &'static str,
    days_left: i64,
    en: String,
    sv: String,
}

impl WarningView {
    fn certificate_expires(days_left: i64) -> Self {
        Self {
            code: "certificateExpires",
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

/// What was found in a body, in numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundView {
    errors: u32,
    warnings: u32,
    rules: Vec<FindingGroup<'static>>,
    /// The registers that it could not be held against; absent where none was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_checked: Option<Vec<NotCheckedView>>,
}

impl FoundView {
    pub(crate) fn of(counts: &[KindCount], not_checked: Option<&[Register]>) -> Self {
        let mut findings = Findings::default();
        findings.add_counts(counts);
        Self {
            errors: findings.total(Severity::Error),
            warnings: findings.total(Severity::Warning),
            rules: FindingGroup::all(counts),
            not_checked: not_checked.map(NotCheckedView::all),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    stage: RecordKind,
    stage_label: Label,
    status: JobStatus,
    status_label: Label,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    counts: Counts,
    /// Since when it waits for Skolverket.
    waiting_for_skolverket_since: Option<Timestamp>,
    waiting_for_skolverket_cause: Option<WaitView>,
    reason: Option<ReasonView>,
}

impl SendView {
    /// The send as this caller may see it.
    #[must_use]
    pub(crate) fn shown_to(self, audience: Audience<'_>) -> Self {
        Self { requester: self.requester.shown_to(audience), ..self }
    }

    /// When it is worth asking again, if something of it will still change.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<RetryAfter> {
        let records = self.jobs.iter().map(|job| job.counts.total).fold(0, u32::saturating_add);
        (!self.status.has_ended()).then(|| RetryAfter::of(self.started_at, records, now))
    }
}

/// Why a job waits for Skolverket, with words for the admin.
#[derive(Serialize)]
struct WaitView {
    code: WaitCause,
    guidance: &'static Guidance,
}

impl From<WaitCause> for WaitView {
    fn from(code: WaitCause) -> Self {
        Self { code, guidance: code.guidance() }
    }
}

/// Why a job did not succeed, with words for the admin.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReasonView {
    code: ReasonCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    /// What is behind a want of authorization.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<AuthorizationCause>,
    /// What the authorization server said.
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

impl SendView {
    /// A send as it stands. `organiser` tells its place in the queue.
    pub(crate) fn now(send: StoredSend, organiser: Option<&Organiser>) -> Self {
        let StoredSend { header, jobs, activities, findings, not_checked } = send;
        let before = || {
            let running = organiser.and_then(|organiser| organiser.running_seq)?;
            Some(header.seq?.saturating_sub(running))
        };
        let queue_position = (header.status == SendStatus::Queued).then(|| before().unwrap_or_default());
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
            warnings: header
                .certificate_days_left
                .map(WarningView::certificate_expires)
                .into_iter()
                .collect(),
            validation: FoundView::of(&findings, Some(&not_checked)),
            parts: None,
            submit_before: None,
        }
    }

    /// A send that comes in parts and was not accepted.
    pub(crate) fn upload(found: UploadParts) -> Self {
        let takes_parts = found.header.status == SendStatus::Receiving;
        let parts = takes_parts.then(|| found.parts.iter().map(Into::into).collect());
        let due = found.header.due.due_at.filter(|_| takes_parts);
        let submit_before = due.and_then(|due| Timestamp::from_millisecond(due).ok());
        Self { parts, submit_before, ..Self::now(found.into_send(), None) }
    }

    /// A send as it stood when it was accepted: what every repeat of the request is answered with, however far the
    /// send has come.
    pub(crate) fn accepted(mut send: StoredSend) -> Self {
        let position = send.header.accepted_position;
        send.header.status = SendStatus::Queued;
        send.header.stop_requested = None;
        (send.header.started_at, send.header.ended_at) = (None, None);
        for job in &mut send.jobs {
            *job = Job::waiting(job.stage, job.total, job.batches, job.expires);
        }
        Self { queue_position: position, ..Self::now(send, None) }
    }
}

/// How much is shown of Skolverket's text, in characters. The whole stands in its answer.
pub(crate) const LONGEST_TEXT: usize = 1_000;
/// And of what should be a word or a name.
const LONGEST_WORD: usize = 100;
/// How many messages a row shows.
pub(crate) const MESSAGES_SHOWN: usize = 20;

/// A message of Skolverket's about a record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageView {
    severity: Option<String>,
    id: String,
    message_type: Option<String>,
    /// Skolverket's text: for those who may see personal data, for it may quote values.
    message: Option<String>,
    attribute_name: Option<String>,
    /// What it means, what to do, and who.
    guidance: &'static Guidance,
}

impl MessageView {
    pub(crate) fn new(entry: LogEntry, access: Access) -> Self {
        let guidance = guidance::of_message(&looked_up_by(&entry));
        if access == Access::Personal {
            // As it came, but for its length.
            let word = |text: String| shortened(text, LONGEST_WORD);
            return Self {
                severity: entry.severity_level.map(word),
                id: word(entry.id),
                message_type: entry.message_type.map(word),
                message: Some(shortened(entry.message, LONGEST_TEXT)),
                attribute_name: entry.attribute_name.map(word),
                guidance,
            };
        }
        let words = KnownWords::of(&looked_up_by(&entry));
        let severity = entry.severity_level.as_deref().and_then(KnownWords::severity);
        Self {
            severity: severity.map(str::to_owned),
            id: words.id().unwrap_or_default().to_owned(),
            message_type: words.message_type().map(str::to_owned),
            message: None,
            attribute_name: words.attribute().map(str::to_owned),
            guidance,
        }
    }
}

impl fmt::Display for MessageView {
    /// On one line: `3047 Bristfälligt värde, eppn: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if let Some(kind) = &self.message_type {
            write!(f, " {kind}")?;
        }
        if let Some(attribute) = &self.attribute_name {
            write!(f, ", {attribute}")?;
        }
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

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
    /// The first twenty.
    pub(crate) messages: Vec<MessageView>,
    /// How many there are beyond those.
    #[serde(skip_serializing_if = "is_none")]
    pub(crate) more_messages: usize,
    /// The status that Skolverket gave it, where it is none that is known: for those who may see personal data, for it
    /// may hold anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_status: Option<String>,
    /// Records that were not accepted, without which this one went, or because of which it did not go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<RecordId>,
    /// What its outcome means, where no message tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guidance: Option<&'static Guidance>,
}

/// One record, whole. What was sent and answered is there for those who may see personal data only.
#[derive(Serialize)]
pub(crate) struct WholeRecordView {
    #[serde(flatten)]
    pub(crate) record: RecordView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<Vec<serde_json::Value>>,
    /// Of an answer there is the beginning only, or nothing: all of them together would be too large.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// One call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    attempt: AttemptId,
    call: AttemptCall,
    call_label: Label,
    method: String,
    path: String,
    started_at: Timestamp,
    duration_ms: u64,
    status: Option<u16>,
    request_bytes: u64,
    response_bytes: u64,
    /// What it means that it was not answered as hoped for.
    #[serde(skip_serializing_if = "Option::is_none")]
    guidance: Option<Guidance>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            call: attempt.call,
            call_label: attempt.call.label(),
            method: attempt.method.clone(),
            path: attempt.path.clone(),
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            request_bytes: attempt.request_bytes,
            response_bytes: attempt.response_bytes,
            guidance: match attempt.call {
                AttemptCall::Token => guidance::of_token_request(attempt.status, attempt.cause),
                AttemptCall::Submit => guidance::of_call(attempt.status, false, attempt.wait_cause).copied(),
                AttemptCall::Poll => guidance::of_call(attempt.status, true, attempt.wait_cause).copied(),
            },
        }
    }
}

/// One call with its bodies, for those who may see personal data.
#[derive(Serialize)]
pub(crate) struct WholeAttemptView {
    #[serde(flatten)]
    pub(crate) attempt: AttemptView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<serde_json::Value>,
    /// Of a body there is the beginning only: it is too large.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(message_type: &str, attribute_name: &str) -> LogEntry {
        serde_json::from_value(serde_json::json!({
            "id": "2011", "messageType": message_type, "message": "Värdet Pippi är fel.",
            "attributeName": attribute_name, "attributeValue": "Pippi", "severityLevel": "Error",
        }))
        .unwrap()
    }

    fn shown(entry: LogEntry, access: Access) -> serde_json::Value {
        serde_json::to_value(MessageView::new(entry, access)).unwrap()
    }

    #[test]
    fn skolverkets_text_is_for_those_who_may_see_personal_data() {
        let personal = shown(entry("Ogiltigt format", "Enrolment.schoolYear"), Access::Personal);
        assert_eq!(personal["message"], "Värdet Pippi är fel.");
        let masked = shown(entry("Ogiltigt format", "Enrolment.schoolYear"), Access::Masked);
        let guidance = masked["guidance"].clone();
        assert_eq!(guidance["who"], "studentRegister");
        assert_eq!(
            masked,
            serde_json::json!({
                "severity": "Error", "id": "2011", "messageType": "Ogiltigt format", "message": null,
                "attributeName": "Enrolment.schoolYear", "guidance": guidance,
            })
        );
    }

    #[test]
    fn a_value_in_the_place_of_a_name_is_hidden() {
        for (message_type, attribute) in [
            ("201404189812", "pippi@edu.example.se"),
            ("Pippi Långstrump", "Andersson"),
            ("Pippi", "anna.andersson"),
        ] {
            let entry = || LogEntry {
                id: attribute.to_owned(),
                severity_level: Some(message_type.to_owned()),
                ..entry(message_type, attribute)
            };
            let masked = shown(entry(), Access::Masked);
            assert_eq!(masked["id"], "");
            for name in ["severity", "messageType", "attributeName"] {
                assert_eq!(masked[name], serde_json::Value::Null, "{name}");
            }
            assert_eq!(shown(entry(), Access::Personal)["attributeName"], attribute);
        }
    }
}
