//! What is to be sent, as the history stores it.

use stafett_domain::register::Register;
use stafett_domain::{Facts, Findings, Plan, PlannedBatch, RecordKind, Submission};
use stafett_history::{Body, NewBatch, NewBody, NewJob, SendContent};

/// The content of a send that came whole.
pub(crate) fn content_of(
    submission: Submission,
    findings: &Findings,
    not_checked: Vec<Register>,
) -> SendContent<Facts> {
    let mut plan = Plan::of(&submission);
    plan.mark(findings.records());
    drop(submission);
    let (activities, stages) = plan.into_parts();
    let jobs = RecordKind::ALL.into_iter().zip(stages);
    SendContent {
        activities,
        findings: findings.counts().to_vec(),
        not_checked,
        jobs: jobs.map(|(stage, batches)| new_job(stage, batches)).collect(),
    }
}

/// A job of batches whose bodies are not stored yet.
pub(crate) fn new_job(stage: RecordKind, batches: Vec<PlannedBatch>) -> NewJob<Facts> {
    let new_batch =
        |PlannedBatch { body, ids, facts }| NewBatch { ids, body: NewBody::Whole(Body { body, facts }) };
    NewJob { stage, batches: batches.into_iter().map(new_batch).collect() }
}
