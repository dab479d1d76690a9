//! Claims of a batch's step.

use std::time::Duration;

use serde_json::json;
use stafett_domain::message::BatchStep;
use stafett_domain::{BatchEvent, BatchId, Call, ClaimId, Outcome, RecordKind};

use super::sample::{
    CLAIM, batch_claim, cancelled, claim_id, closing, due_at, first_step, millis, next, send, submitted,
    takeover,
};
use super::table::{Table, meanwhile};
use crate::claim::{BatchClaim, ClaimAnswer};
use crate::item::{Batch, Claim, Open};
use crate::progress::PutBack;
use crate::{History, HistoryError};

const USERS: RecordKind = RecordKind::Person;
const TRANSACTION: &str = "TransactWriteItems";

/// A running send with batches 0 to 5 of its first stage planned.
async fn running() -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [6, 0, 0, 1]).await;
    (table, history)
}

async fn claim(history: &History, call: Call, asked: BatchStep, claim: &BatchClaim<'_>) -> ClaimAnswer {
    history.claim_step(&send(1).job(USERS), call, asked, claim).await.unwrap()
}

/// The first submit of batch 0.
async fn submit(history: &History, id: u128, seconds: i64) -> Result<ClaimAnswer, HistoryError> {
    let takeover = takeover();
    let claim = batch_claim(&takeover, id, seconds);
    history.claim_step(&send(1).job(USERS), Call::Submit, first_step(0), &claim).await
}

#[track_caller]
fn holder(batch: &Batch<Open>) -> Option<ClaimId> {
    batch.progress.claim.map(|claim| claim.id)
}

fn started(answer: ClaimAnswer) -> Batch<Open> {
    match answer {
        ClaimAnswer::Started(batch) => *batch,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_claimed_batch_is_open_and_its_job_counts_it() {
    let (table, history) = running().await;
    let batch = started(submit(&history, 7, 3).await.unwrap());
    assert_eq!(history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap(), Some(batch.clone().into()));
    let held = Claim { id: claim_id(7), until: millis(3) + CLAIM, copied_for: None };
    assert_eq!((batch.progress.claim, batch.progress.n), (Some(held), 0));
    // Should this holder die: a second after the claim, for the first pause is none.
    assert_eq!(due_at(&table, &send(1).job(USERS).batch(BatchId(0))), Some(millis(3) + CLAIM + 1_000));
    let job = table.item(&send(1).job(USERS).key()).unwrap();
    assert_eq!((&job["open"], &job["closed"]), (&json!(1), &json!(0)));

    let before = table.items();
    assert_eq!(started(submit(&history, 7, 3).await.unwrap()), batch, "the same claim again");
    assert_eq!(table.items(), before);

    // Another step of an open batch: the job has counted it.
    let after = batch.put_back(&send(1), next(), PutBack::NoTime);
    history.step_on(&send(1).job(USERS), &batch, &after).await.unwrap();
    let (takeover, asked) = (takeover(), BatchStep { n: 1, ..first_step(0) });
    let again = claim(&history, Call::Submit, asked, &batch_claim(&takeover, 8, 5)).await;
    assert_eq!(started(again).progress.n, 1);
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "open"), 1);
}

#[tokio::test]
async fn a_claim_within_the_start_notes_that_the_start_is_handed_on() {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let takeover = takeover();
    let start = super::sample::start_claim(&takeover, 1, 2);
    history.claim_start(&send(1).job(USERS), &start).await.unwrap();
    let job = send(1).job(USERS).key();
    assert_eq!((table.attribute(&job, "handedOn"), due_at(&table, &job).is_some()), (false.into(), true));
    let within = BatchClaim { within_start: true, ..batch_claim(&takeover, 1, 2) };
    started(claim(&history, Call::Submit, first_step(0), &within).await);
    assert_eq!((table.attribute(&job, "handedOn"), due_at(&table, &job)), (true.into(), None));
    assert_eq!(table.attribute(&job, "open"), 1);
}

#[tokio::test]
async fn no_submit_of_a_send_that_stops_or_has_ended_is_claimed() {
    for before in [true, false] {
        for (name, value) in [("stopRequested", json!(cancelled())), ("status", json!("failed"))] {
            let (table, _) = running().await;
            let stop = table.setting(&send(1).header(), name, &value);
            let history = if before {
                stop.await;
                table.history()
            } else {
                table.disturbed([meanwhile(TRANSACTION, stop)]).0
            };
            let planned = table.history().batch(&send(1).job(USERS), BatchId(0)).await.unwrap().unwrap();
            assert_eq!(
                submit(&history, 7, 3).await.unwrap(),
                ClaimAnswer::Stopped(planned.clone()),
                "{name}"
            );
            assert_eq!(history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap(), Some(planned));
            assert_eq!(table.attribute(&send(1).job(USERS).key(), "open"), 0);
        }
    }
}

#[tokio::test]
async fn a_poll_is_claimed_though_the_send_stops() {
    let (table, history) = running().await;
    let batch = history.open(&send(1).job(USERS), 0).await;
    let after = submitted(&batch);
    history.step_on(&send(1).job(USERS), &batch, &after).await.unwrap();
    assert!(history.request_stop(&send(1), cancelled()).await.unwrap());
    let (takeover, asked) = (takeover(), BatchStep { n: 1, ..first_step(0) });
    let polled = started(claim(&history, Call::Poll, asked, &batch_claim(&takeover, 7, 5)).await);
    assert_eq!(
        (holder(&polled), table.attribute(&send(1).job(USERS).key(), "open")),
        (Some(claim_id(7)), 1.into())
    );
}

#[tokio::test]
async fn of_two_holders_at_the_same_time_one_has_the_step() {
    let held = ClaimAnswer::Held { rest: Duration::from_secs(29), copy: true };
    for call in [Call::Submit, Call::Poll] {
        let (table, history) = running().await;
        let mut asked = first_step(0);
        if call == Call::Poll {
            let batch = history.open(&send(1).job(USERS), 0).await;
            let after = submitted(&batch);
            history.step_on(&send(1).job(USERS), &batch, &after).await.unwrap();
            asked.n = 1;
        }
        let faster = async move {
            let takeover = takeover();
            started(claim(&history, call, asked, &batch_claim(&takeover, 8, 5)).await);
        };
        let write = if call == Call::Submit { TRANSACTION } else { "UpdateItem" };
        let (slower, _) = table.disturbed([meanwhile(write, faster)]);
        let takeover = takeover();
        let answer = claim(&slower, call, asked, &batch_claim(&takeover, 9, 6)).await;
        assert_eq!(answer, held, "{call:?}");
        let batch = slower.batch(&send(1).job(USERS), BatchId(0)).await.unwrap().unwrap();
        let batch = batch.opened(BatchEvent::Claimed).unwrap();
        assert_eq!((holder(&batch), batch.progress.unfinished.claims), (Some(claim_id(8)), 0));
        assert_eq!(table.attribute(&send(1).job(USERS).key(), "open"), 1);
    }
}

#[tokio::test]
async fn no_batch_of_a_job_that_does_not_run_is_claimed() {
    for status in ["waiting", "failed"] {
        let (table, history) = running().await;
        table.set(&send(1).job(USERS).key(), "status", status);
        let before = table.items();
        assert!(matches!(submit(&history, 7, 3).await, Err(HistoryError::Contended)));
        assert_eq!(table.items(), before);
    }
}

#[tokio::test]
async fn what_a_message_means_is_read_from_the_batch() {
    let (table, history) = running().await;
    let takeover = takeover();
    let answer = async |call, n, seconds| {
        let asked = BatchStep { n, ..first_step(0) };
        let id = 1_000 + u128::try_from(seconds).unwrap();
        claim(&history, call, asked, &batch_claim(&takeover, id, seconds)).await
    };
    let none = claim(&history, Call::Submit, first_step(99), &batch_claim(&takeover, 7, 3)).await;
    assert_eq!(none, ClaimAnswer::Gone);

    // Held by another until second 33: one of those who meet it queues a copy.
    let open = history.open(&send(1).job(USERS), 0).await;
    for copy in [true, false, false] {
        let rest = Duration::from_secs(13);
        assert_eq!(answer(Call::Submit, 0, 20).await, ClaimAnswer::Held { rest, copy });
    }
    // Put back until second 34, and the message for it was not sent.
    let later = crate::progress::Next { not_before: millis(34), ..next() };
    let back = open.put_back(&send(1), later, PutBack::NoTime);
    history.step_on(&send(1).job(USERS), &open, &back).await.unwrap();
    assert_eq!(answer(Call::Submit, 0, 21).await, ClaimAnswer::HandOn(back.clone().into()));
    assert_eq!(answer(Call::Submit, 1, 21).await, ClaimAnswer::Early { rest: Duration::from_secs(13) });
    history.handed_on(&send(1).job(USERS), &back.into()).await.unwrap();
    assert_eq!(answer(Call::Submit, 0, 21).await, ClaimAnswer::Done);
    let asked = BatchStep { n: 2, ..first_step(0) };
    let ahead =
        history.claim_step(&send(1).job(USERS), Call::Submit, asked, &batch_claim(&takeover, 7, 21)).await;
    assert!(matches!(ahead, Err(HistoryError::Corrupt(_))));

    // Two holders die: the second one's step is not taken up before five minutes have passed.
    let taken = started(answer(Call::Submit, 1, 40).await);
    let until = taken.progress.claim.map(|claim| claim.until);
    assert_eq!((taken.progress.n, until), (1, Some(millis(70))));
    let over = started(answer(Call::Submit, 1, 70).await);
    let Open { n, uncertain, unfinished, .. } = over.progress;
    assert_eq!((n, uncertain, unfinished.claims), (2, true, 1));
    assert_eq!(due_at(&table, &send(1).job(USERS).batch(BatchId(0))), Some(millis(100 + 300) + 1_000));
    for n in [1, 2] {
        assert_eq!(answer(Call::Submit, n, 399).await, ClaimAnswer::Paused);
    }
    let third = started(answer(Call::Submit, 2, 400).await);
    let Open { n, unfinished, .. } = &third.progress;
    assert_eq!((*n, unfinished.claims, unfinished.since), (3, 2, Some(millis(70))));

    // Its outcome is written, and then what follows is handed on.
    let closed = history.close(&send(1).job(USERS), &third, &closing(Outcome::Success), false).await.unwrap();
    for n in [2, 3] {
        assert_eq!(answer(Call::Submit, n, 401).await, ClaimAnswer::HandOn(closed.clone().into()));
    }
    history.handed_on(&send(1).job(USERS), &closed.into()).await.unwrap();
    assert_eq!(answer(Call::Submit, 3, 401).await, ClaimAnswer::Done);
}

#[tokio::test]
async fn one_copy_of_a_message_is_queued_for_each_claim() {
    let (table, history) = running().await;
    let batch = send(1).job(USERS).batch(BatchId(0));
    let copy = async |id| history.take_copy(batch.clone(), claim_id(id)).await.unwrap();
    assert!(!copy(7).await, "nobody has claimed it");
    assert_eq!(table.attribute(&batch, "copiedFor"), serde_json::Value::Null);
    table.set(&batch, "claim", claim_id(7));
    assert!(!copy(8).await, "another one's claim");
    assert!(copy(7).await);
    assert!(!copy(7).await);
    table.set(&batch, "claim", claim_id(8));
    assert!(!copy(7).await, "it has expired");
    assert!(copy(8).await);
    assert_eq!(table.attribute(&batch, "copiedFor"), json!(claim_id(8)));
    let nothing = send(9).job(USERS).batch(BatchId(0));
    assert!(!history.take_copy(nothing.clone(), claim_id(7)).await.unwrap());
    assert_eq!(table.item(&nothing), None);
}
