//! The small items, which change. Large items are written once and have their own partitions.

mod attempt;
mod batch;
mod claim;
mod due;
mod job;
mod number;
mod organiser;
mod outcomes;
mod send_header;

pub use attempt::Attempt;
pub use batch::{Batch, Closed, Open, Polling, Progress, Waiting, Work};
pub use claim::Claim;
pub(crate) use due::Due;
pub use job::Job;
pub use organiser::Organiser;
pub use outcomes::{Outcomes, Tally};
pub use send_header::{SendHeader, Upload};

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde::{Serialize, de::DeserializeOwned};
    use stafett_domain::piece::Piece;
    use stafett_domain::takeover::Unfinished;
    use stafett_domain::{
        AttemptId, BatchEvent, BatchId, Call, Cause, ClaimId, Counts, JobStatus, Options, Outcome, PerKind,
        Reason, RecordKind, Route, SendId, SendStatus, SkolverketJobId,
    };

    use super::*;
    use crate::key::{PartBody, SendRef};

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(item: &T) {
        let map: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue> =
            serde_dynamo::to_item(item).unwrap();
        assert_eq!(&serde_dynamo::from_item::<_, T>(map).unwrap(), item);
    }

    #[test]
    fn items_read_back_as_they_were_written() {
        let now: Timestamp = "2026-11-01T10:00:00.123456Z".parse().unwrap();
        let send = SendRef::new("5567044268".parse().unwrap(), SendId(uuid::Uuid::from_u128(7)));
        let claim = Claim { id: ClaimId(uuid::Uuid::from_u128(9)), until: 99, copied_for: None };
        let running_since = Some("2026-11-01T08:00:00Z".parse().unwrap());
        round_trip(&Organiser { running: Some(send.send), running_seq: Some(3), running_since, next_seq: 5 });
        round_trip(&Organiser { next_seq: 1, ..Organiser::default() });
        let reason = Some(Reason::with_status(stafett_domain::ReasonCode::Refused, 400));
        round_trip(&SendHeader {
            id: send.send,
            organisation: send.organisation.clone(),
            status: SendStatus::Running,
            seq: Some(4),
            accepted_position: Some(2),
            created_at: now,
            accepted_at: Some(now),
            started_at: None,
            ended_at: None,
            requested_by: "someone".to_owned(),
            activity_count: 1,
            options: Options::default(),
            route: Route::of_puts(),
            certificate_days_left: Some(-1),
            resume_of: Some(send.send),
            stop_requested: reason.clone(),
            upload: Some(Upload { rev: 3, submitted: Some(2) }),
            batches: PerKind::from_fn(|kind| u32::from(kind.code())),
            discarded: true,
            shown_until: Some(88),
            due: Due::at(77, &send),
            expires: 1,
        });
        let mut job = Job::waiting(RecordKind::Duty, 10, 1, 5);
        round_trip(&job);
        job.due = Due::at(77, &send);
        (job.claim, job.reason, job.started_at) = (Some(claim), reason, Some(now));
        job.unfinished = Unfinished { claims: 2, since: Some(3) };
        round_trip(&job);
        let mut batch = Batch::planned(BatchId(3), 10, Some(BatchId(7)), 5);
        round_trip(&batch);
        batch.due = Due { resent: 2, resent_since: Some(5), ..Due::at(77, &send) };
        batch.part_body = Some(PartBody { part: 2, name: "0#001#ab".to_owned() });
        batch.own_facts = true;
        let attempt = AttemptId { batch: BatchId(3), attempt_try: 2, n: 1, token_request: None };
        let outcomes = Outcomes {
            counts: Counts::all(10, Outcome::Error),
            answers: vec![attempt],
            issues: Some(attempt),
            causes: Some(vec![Tally { cause: Cause::outcome(Outcome::Error), records: 10 }]),
            usual_status_code: Some(201),
        };
        let first = batch.opened(BatchEvent::Claimed).unwrap();
        round_trip::<Batch>(&first.clone().into());
        let open = Open {
            attempt_try: 2,
            n: 3,
            work: Work::Poll(Polling {
                job_id: SkolverketJobId(uuid::Uuid::from_u128(8)),
                submitted_at: now,
                not_done: 4,
            }),
            claim: Some(Claim { copied_for: Some(claim.id), ..claim }),
            handed_on: true,
            not_before: 5,
            unfinished: job.unfinished.clone(),
            waiting: Some(Waiting { since: now, faults: 6, unreadable: 7 }),
            lost: 1,
            token_renewed: true,
            uncertain: true,
            pieces: vec![Piece::whole(3)],
            settled: Outcomes { causes: None, ..outcomes.clone() },
        };
        round_trip::<Batch>(&first.with(open).into());
        let closed = Closed { attempt_try: 2, n: 3, call: Call::Poll, handed_on: true, outcomes };
        round_trip::<Batch>(&first.with(closed).into());
    }

    #[test]
    fn a_batch_is_claimed_before_it_ends_and_ends_once() {
        let planned = Batch::planned(BatchId(0), 3, None, 0);
        assert!(planned.opened(BatchEvent::Finished).is_err());
        let open = planned.opened(BatchEvent::Claimed).unwrap();
        assert_eq!(Batch::from(open.clone()).opened(BatchEvent::Finished).unwrap(), open);
        let outcomes = Outcomes::default();
        let closed = Closed { attempt_try: 1, n: 0, call: Call::Submit, handed_on: false, outcomes };
        for event in [BatchEvent::Claimed, BatchEvent::Finished] {
            assert!(Batch::from(open.with(closed.clone())).opened(event).is_err());
        }
    }

    #[test]
    fn a_job_that_ended_has_nothing_pending() {
        let mut job = Job::waiting(RecordKind::Person, 10, 2, 0);
        (job.counts.pending, job.counts.success) = (6, 4);
        assert_eq!(job.counts().pending, 6);
        job.status = JobStatus::Failed;
        assert_eq!((job.counts().pending, job.counts().not_sent), (0, 6));
    }
}
