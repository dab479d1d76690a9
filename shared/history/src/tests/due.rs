//! What is overdue, and what a look at it does.

use std::time::Duration;

use serde_json::{Value, json};
use stafett_domain::message::Step;
use stafett_domain::{BatchId, Call, RecordKind};

use super::sample::{
    at, batch_claim, claim_id, due_at, first_step, millis, organisation, send, send_of, start_claim,
    submitted, takeover,
};
use super::table::{Table, meanwhile};
use crate::claim::ClaimAnswer;
use crate::key::{self, Carrier, Key};
use crate::{History, Overdue, SendRef};

const USERS: RecordKind = RecordKind::Person;
const PAUSE: Duration = Duration::from_mins(1);

async fn take(history: &History, carrier: &Carrier, seconds: i64) -> Option<Overdue> {
    history.take_overdue(carrier, at(seconds), PAUSE).await.unwrap()
}

async fn overdue(history: &History, seconds: i64, limit: i32) -> Vec<Carrier> {
    history.overdue(at(seconds), limit).await.unwrap()
}

/// A running send whose start was handed on: its first four batches are due in second 92.
async fn running() -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [6, 0, 0, 1]).await;
    (table, history)
}

fn batch(number: u32) -> Carrier {
    Carrier::Batch(send(1).job(USERS), BatchId(number))
}

#[tokio::test]
async fn what_is_due_is_found_in_every_shard() {
    let table = Table::new();
    let history = table.history();
    for number in 0..8_u32 {
        // Of each send four batches, of the organiser itself.
        history.running(&send_of(number, u128::from(number)), [5, 0, 0, 1]).await;
    }
    assert_eq!(overdue(&history, 60, 250).await, []);
    // The organisers, then the batches as well.
    let organisers = overdue(&history, 61, 250).await;
    assert_eq!(organisers.len(), 8);
    assert!(organisers.iter().all(|carrier| matches!(carrier, Carrier::Organiser(_))));
    assert_eq!(overdue(&history, 91, 250).await.len(), 8);
    assert_eq!(overdue(&history, 92, 250).await.len(), 8 + 8 * 4);
    // So many of each shard, those that have been due longest first.
    let limited = overdue(&history, 92, 3).await;
    assert_eq!(limited.len(), 4 * 3);
    assert!(limited.iter().filter(|carrier| matches!(carrier, Carrier::Organiser(_))).count() >= 4);
}

#[tokio::test]
async fn an_unknown_key_keeps_no_other_step_from_being_found() {
    let (table, history) = running().await;
    let unknown = Key { pk: "ledger#1".to_owned(), sk: "entry".to_owned() };
    let first = json!({"dueAt": 1, "dueShard": send(1).shard()});
    table.put(&unknown, &first);
    assert_eq!(overdue(&history, 92, 250).await.len(), 1 + 4);
    assert!(overdue(&history, 92, 250).await.contains(&batch(0)));
    assert_eq!(history.organisers_at_work().await.unwrap(), [organisation(1)]);
}

#[tokio::test]
async fn an_overdue_step_is_sent_again_at_growing_intervals() {
    let (table, history) = running().await;
    let key = send(1).job(USERS).batch(BatchId(0));
    assert_eq!(take(&history, &batch(0), 91).await, None, "it is not due");
    // In minutes.
    let mut now = 92;
    for (resent, pause) in [1, 2, 4, 8, 16, 32, 32, 32].into_iter().enumerate() {
        let step = Step::Submit(first_step(0));
        let unclaimed = Duration::from_secs(u64::try_from(now - 92).unwrap());
        let resent = u32::try_from(resent).unwrap();
        let found = Overdue { job: send(1).job(USERS), step, resent, unclaimed };
        assert_eq!(take(&history, &batch(0), now).await, Some(found));
        assert_eq!(due_at(&table, &key), Some(millis(now + pause * 60)));
        assert_eq!(table.attribute(&key, "resent"), resent + 1);
        assert_eq!(table.attribute(&key, "resentSince"), millis(92));
        assert_eq!(take(&history, &batch(0), now).await, None, "it was sent");
        now += pause * 60;
    }
    // Nobody looked for longer than the longest pause: what passed until now says nothing against the send.
    now += 33 * 60 + 1;
    let found = take(&history, &batch(0), now).await.unwrap();
    assert_eq!((found.unclaimed, found.resent), (Duration::ZERO, 8));
    assert_eq!(table.attribute(&key, "resentSince"), millis(now));
    // Whoever claims it begins anew.
    history.open(&send(1).job(USERS), 0).await;
    assert_eq!(
        (table.attribute(&key, "resent"), table.attribute(&key, "resentSince")),
        (Value::Null, Value::Null)
    );
}

#[tokio::test]
async fn the_message_of_a_step_is_that_of_where_it_stands() {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let job = Carrier::Job(send(1).job(USERS));
    let found = take(&history, &job, 61).await.unwrap();
    assert_eq!((found.step, found.batch()), (Step::Start, None));
    history.started(&send(1).job(USERS)).await;
    assert_eq!(take(&history, &job, 9_999).await, None, "it was handed on");
    let open = history.open(&send(1).job(USERS), 0).await;
    let after = submitted(&open);
    history.step_on(&send(1).job(USERS), &open, &after).await.unwrap();
    let found = take(&history, &batch(0), 100).await.unwrap();
    assert_eq!((found.step, found.batch()), (after.step(), Some(BatchId(0))));
    assert!(matches!(found.step, Step::Poll(step) if step.n == 1));
    for gone in [
        Carrier::Job(send(9).job(USERS)),
        Carrier::Batch(send(9).job(USERS), BatchId(0)),
        Carrier::Receiving(send(9)),
    ] {
        assert_eq!(take(&history, &gone, 9_999).await, None);
    }
}

#[tokio::test]
async fn of_two_watchdogs_one_queues_the_step_again() {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let job = Carrier::Job(send(1).job(USERS));
    let faster = {
        let (history, job) = (history.clone(), job.clone());
        async move { assert!(take(&history, &job, 61).await.is_some()) }
    };
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", faster)]);
    assert_eq!(take(&slower, &job, 62).await, None);
    assert_eq!(due_at(&table, &send(1).job(USERS).key()), Some(millis(61 + 60)));
    // Somebody starts it: what watches over the start is not moved.
    let starts = async move {
        let takeover = takeover();
        history.claim_start(&send(1).job(USERS), &start_claim(&takeover, 7, 121)).await.unwrap();
    };
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", starts)]);
    assert_eq!(take(&slower, &job, 122).await, None);
    assert_eq!(due_at(&table, &send(1).job(USERS).key()), Some(millis(121 + 30) + 1_000));
}

/// Each holder of a step dies; the watchdog alone brings it back.
#[tokio::test]
async fn a_step_whose_holders_die_is_due_at_growing_intervals_until_it_is_given_up() {
    let (table, history) = running().await;
    let (takeover, key) = (takeover(), send(1).job(USERS).batch(BatchId(0)));
    let (mut now, mut asked, mut claims) = (3, first_step(0), 0);
    let first_expired = 3 + 30;
    let mut pauses = Vec::new();
    loop {
        claims += 1;
        let claim = batch_claim(&takeover, claims, now);
        let answer = history.claim_step(&send(1).job(USERS), Call::Submit, asked, &claim).await.unwrap();
        let ClaimAnswer::Started(claimed) = answer else { panic!("{answer:?}") };
        assert_eq!(
            (claimed.progress.claim.map(|claim| claim.id), claimed.progress.unfinished.claims),
            (Some(claim_id(claims)), u32::try_from(claims - 1).unwrap())
        );
        if takeover.gives_up(&claimed.progress.unfinished, millis(now)) {
            break;
        }
        let due = due_at(&table, &key).unwrap();
        let seconds = (due - millis(0)) / 1_000;
        pauses.push((seconds - 1 - (now + 30)) / 60);
        assert_eq!(take(&history, &batch(0), seconds - 1).await, None);
        let Some(Overdue { step: Step::Submit(step), .. }) = take(&history, &batch(0), seconds).await else {
            panic!("a submit")
        };
        (now, asked) = (seconds, step);
    }
    assert_eq!(pauses[..5], [0, 5, 15, 30, 60]);
    assert_eq!(pauses.len(), 6);
    assert!(now >= first_expired + 3 * 3_600);
}

#[tokio::test]
async fn an_organiser_whose_send_runs_is_checked_seldom() {
    let (table, history) = running().await;
    let (key, carrier) = (key::organiser(&organisation(1)), Carrier::Organiser(organisation(1)));
    for seconds in [61, 10_000] {
        assert_eq!(take(&history, &carrier, seconds).await, None);
        assert_eq!(due_at(&table, &key), Some(millis(seconds + 32 * 60)));
    }
    // It changes hands in the meantime: the new one's time stays.
    history.accepted(&send(2), [1, 0, 0, 1]).await;
    let passed = {
        let history = history.clone();
        async move { history.stopped(&send(1)).await }
    };
    let (slower, _) = table.disturbed([meanwhile("UpdateItem", passed)]);
    assert_eq!(take(&slower, &carrier, 20_000).await, None);
    assert_eq!(due_at(&table, &key), Some(millis(68)));
    history.stopped(&send(2)).await;
    let items = table.items();
    assert_eq!(take(&history, &carrier, 30_000).await, None, "none of its sends runs");
    assert_eq!(take(&history, &Carrier::Organiser(organisation(9)), 30_000).await, None);
    assert_eq!(table.items(), items);
}

#[tokio::test]
async fn the_place_of_a_send_that_ended_or_is_gone_is_given_on() {
    for gone in [true, false] {
        for waits in [true, false] {
            let (table, history) = running().await;
            if waits {
                history.accepted(&send(2), [1, 0, 0, 1]).await;
            }
            if gone {
                table.delete(&send(1).header());
            } else {
                table.set(&send(1).header(), "status", "failed");
            }
            let start = |send: SendRef| Overdue {
                job: send.job(RecordKind::Person),
                step: Step::Start,
                resent: 0,
                unclaimed: Duration::ZERO,
            };
            let carrier = Carrier::Organiser(organisation(1));
            assert_eq!(take(&history, &carrier, 61).await, waits.then(|| start(send(2))));
            let running = table.attribute(&key::organiser(&organisation(1)), "running");
            assert_eq!(running, json!(waits.then(|| send(2).send)));
            assert_eq!(due_at(&table, &send(2).job(USERS).key()), waits.then(|| millis(61 + 60)));
        }
    }
}
