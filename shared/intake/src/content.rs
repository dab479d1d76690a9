//! The content of a send, in the form that the history stores.

use stafett_domain::register::Register;
use stafett_domain::{Facts, Findings, Plan, PlannedBatch, RecordKind, Submission};
use stafett_history::{Body, NewBatch, NewBody, NewJob, SendContent};

/// The content of a send that arrives in one request.
pub(crate) fn content_of(
    submission: Submission,
    findings: &Findings,
    not_checked: Vec<Register>,
) -> SendContent<Facts> {
    let mut plan = Plan::of(&submission);
    plan.add_findings(findings.records());
    drop(submission);
    let (activities, batches) = plan.into_parts();
    SendContent {
        activities,
        findings: findings.counts().to_vec(),
        not_checked,
        jobs: batches.into_iter().map(|(stage, batches)| new_job(stage, batches)).collect(),
    }
}

/// A job with batches whose bodies are not stored yet.
pub(crate) fn new_job(stage: RecordKind, batches: Vec<PlannedBatch>) -> NewJob<Facts> {
    let new_batch =
        |PlannedBatch { body, ids, facts }| NewBatch { ids, body: NewBody::Whole(Body { body, facts }) };
    NewJob { stage, batches: batches.into_iter().map(new_batch).collect() }
}
