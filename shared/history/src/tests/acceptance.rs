//! From a request to an accepted send.

use serde_json::{Value, json};
use stafett_domain::RecordKind;

use super::sample::{
    EXPIRES, RECEIVED, RECORDS, at, content, due_at, millis, send, send_of, takeover, terms,
};
use super::sample::{batch_claim, first_step, organisation};
use super::table::{Table, meanwhile};
use crate::key::{self, Key};
use crate::order::OrderItem;
use crate::{Acceptance, History, Place, Received, SendRef};

const TRANSACTION: &str = "TransactWriteItems";
const PUT: &str = "PutItem";

async fn accept(history: &History, send: &SendRef, place: Option<u64>) -> Acceptance {
    history.accept(send, RECEIVED, at(1), millis(61), place).await.unwrap()
}

#[tokio::test]
async fn a_send_is_stored_whole_and_a_repeat_changes_nothing() {
    let table = Table::new();
    let (history, send) = (table.history(), send(1));
    history.received(&send, [6, 1, 0, 2]).await;
    let mut keys = vec![send.header(), send.activities(), send.ids(0)];
    for (stage, batches) in RecordKind::ALL.into_iter().zip([6, 1, 0, 2]) {
        keys.push(send.job(stage).key());
        for batch in (0..batches).map(stafett_domain::BatchId) {
            keys.extend([send.job(stage).batch(batch), send.job(stage).body(batch)]);
        }
        let job = history.job(&send.job(stage)).await.unwrap().unwrap();
        assert_eq!((job.batches, job.counts.total), (batches, batches * RECORDS));
        let stored = history.batches(&send.job(stage), stafett_domain::BatchId(0)).await;
        let successors: Vec<_> = stored.iter().map(|batch| batch.successor.map(|batch| batch.0)).collect();
        let expected: Vec<_> =
            (4..4 + batches).map(|batch| Some(batch).filter(|batch| *batch < batches)).collect();
        assert_eq!(successors, expected);
    }
    keys.sort_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
    let stored = table.items();
    assert!(
        stored.keys().cloned().eq(keys.into_iter().map(|Key { pk, sk }| (pk, sk))),
        "{:?}",
        stored.keys()
    );
    assert!(stored.values().all(|item| item["expires"] == json!({"N": EXPIRES.to_string()})));
    assert_eq!(due_at(&table, &send.header()), Some(millis(86_400)), "it is discarded then");

    let again =
        history.receive(&send, &terms(), &content([6, 1, 0, 2]), at(100), millis(99_999)).await.unwrap();
    assert_eq!(again, Received::Stored(RECEIVED));
    assert_eq!(table.items(), stored);
    let ids = history.record_ids(&send).await.unwrap();
    let places: Vec<_> = ids.places(super::sample::record(RecordKind::Person, 5, 1)).collect();
    assert_eq!(places, [Place { stage: RecordKind::Person, batch: stafett_domain::BatchId(5) }]);
}

#[tokio::test]
async fn a_repeat_that_comes_behind_the_acceptance_undoes_nothing() {
    let table = Table::new();
    let (history, send) = (table.history(), send(1));
    history.received(&send, [5, 0, 0, 1]).await;
    let (repeat, _) = {
        let (history, send) = (history.clone(), send.clone());
        // Behind the look at the header, before the first of the other writes.
        let accepted = async move {
            accept(&history, &send, None).await;
            history.started(&send.job(RecordKind::Person)).await;
            history.closed(&send.job(RecordKind::Person), 0, stafett_domain::Outcome::Success).await;
            history.open(&send.job(RecordKind::Person), 1).await;
        };
        table.disturbed([meanwhile(PUT, accepted).after(1)])
    };
    let answer =
        repeat.receive(&send, &terms(), &content([5, 0, 0, 1]), at(5), millis(99_999)).await.unwrap();
    assert_eq!(answer, Received::Stored(RECEIVED));
    let job = history.job(&send.job(RecordKind::Person)).await.unwrap().unwrap();
    assert_eq!((job.status.as_str(), job.open, job.closed), ("running", 1, 1));
    let batches = history.batches(&send.job(RecordKind::Person), stafett_domain::BatchId(0)).await;
    let statuses: Vec<_> = batches.iter().map(|batch| batch.status().as_str()).collect();
    assert_eq!(statuses, ["closed", "open", "planned", "planned", "planned"]);
    let before = table.items();
    let answer =
        history.receive(&send, &terms(), &content([5, 0, 0, 1]), at(5), millis(99_999)).await.unwrap();
    assert_eq!(answer, Received::AcceptedBefore);
    assert_eq!(table.items(), before);
}

#[tokio::test]
async fn nothing_is_stored_of_a_send_that_is_closed() {
    for (name, value) in [("discarded", json!(true)), ("status", json!("cancelled"))] {
        let table = Table::new();
        let (history, send) = (table.history(), send(1));
        history.received(&send, [1, 0, 0, 1]).await;
        table.set(&send.header(), name, value);
        table.delete(&send.job(RecordKind::Person).key());
        let before = table.items();
        let answer = history.receive(&send, &terms(), &content([1, 0, 0, 1]), at(5), 0).await.unwrap();
        assert_eq!((answer, table.items() == before), (Received::Closed, true), "{name}");
        assert_eq!(
            (accept(&history, &send, None).await, table.items() == before),
            (Acceptance::Closed, true)
        );
    }
}

#[tokio::test]
async fn the_first_send_runs_and_the_others_wait_in_order() {
    let table = Table::new();
    let history = table.history();
    let sends = [send(1), send(2), send(3)];
    for send in &sends {
        history.received(send, [1, 0, 0, 1]).await;
    }
    let mut answers = Vec::new();
    for send in &sends {
        answers.push(accept(&history, send, None).await);
    }
    let accepted = |seq, runs| Acceptance::Accepted { seq, runs };
    assert_eq!(answers, [accepted(1, true), accepted(2, false), accepted(3, false)]);
    for (send, (seq, runs)) in sends.iter().zip([(1, true), (2, false), (3, false)]) {
        let header = table.item(&send.header()).unwrap();
        assert_eq!(header["status"], "queued");
        assert_eq!((&header["seq"], &header["acceptedPosition"]), (&json!(seq), &json!(seq - 1)));
        assert_eq!(header["acceptedAt"], at(1).to_string());
        assert_eq!(due_at(&table, &send.header()), None, "it is not discarded any more");
        let first_job = due_at(&table, &send.job(RecordKind::Person).key());
        assert_eq!(first_job, runs.then_some(millis(61)));
        let place = table.item(&key::order(&send.organisation, seq)).unwrap();
        assert_eq!((&place["send"], &place["expires"]), (&json!(send.send), &json!(EXPIRES)));
    }
    let organiser = table.item(&key::organiser(&organisation(1))).unwrap();
    assert_eq!((&organiser["running"], &organiser["runningSeq"]), (&json!(sends[0].send), &json!(1)));
    assert_eq!((&organiser["nextSeq"], &organiser["runningSince"]), (&json!(4), &json!(at(1))));
    assert_eq!(due_at(&table, &key::organiser(&organisation(1))), Some(millis(61)));
    // Another organiser's have an order of their own.
    let other = send_of(2, 4);
    history.received(&other, [1, 0, 0, 1]).await;
    assert_eq!(accept(&history, &other, None).await, accepted(1, true));

    let before = table.items();
    for send in &sends {
        assert_eq!(accept(&history, send, None).await, Acceptance::Before);
    }
    assert_eq!(table.items(), before);
    // Where none runs, the next one runs, whatever its place.
    history.stopped(&sends[2]).await;
    history.stopped(&sends[1]).await;
    history.stopped(&sends[0]).await;
    let last = send(5);
    history.received(&last, [1, 0, 0, 1]).await;
    assert_eq!(accept(&history, &last, Some(3)).await, Acceptance::Moved);
    assert_eq!(accept(&history, &last, Some(4)).await, accepted(4, true));
}

/// What stands of two sends of which the first is accepted: status and place of the second, and the organiser's item.
fn state(table: &Table) -> [Value; 6] {
    let (header, organiser) = (send(2).header(), key::organiser(&organisation(1)));
    [
        table.attribute(&header, "status"),
        table.attribute(&header, "seq"),
        table.attribute(&organiser, "running"),
        table.attribute(&organiser, "runningSeq"),
        table.attribute(&organiser, "nextSeq"),
        table.attribute(&send(2).job(RecordKind::Person).key(), "dueAt").is_i64().into(),
    ]
}

/// Accepts send 2; `change` comes between its look at the organiser and its first transaction.
async fn accepted_while(
    table: &Table,
    change: impl Future<Output = ()> + Send + 'static,
    place: Option<u64>,
) -> (Acceptance, [Value; 6]) {
    let (history, _) = table.disturbed([meanwhile(TRANSACTION, change)]);
    (accept(&history, &send(2), place).await, state(table))
}

/// A table with send 2 received, and the first `others` of sends 1 and 3 accepted.
async fn waiting(others: usize) -> (Table, History) {
    let table = Table::new();
    let history = table.history();
    for number in [2, 1, 3] {
        history.received(&send(number), [1, 0, 0, 1]).await;
    }
    for number in [1, 3].into_iter().take(others) {
        accept(&history, &send(number), None).await;
    }
    (table, history)
}

#[tokio::test]
async fn a_send_that_is_closed_while_it_is_accepted_gets_no_place() {
    for (name, value, answer) in [
        ("status", json!("cancelled"), Acceptance::Closed),
        ("discarded", json!(true), Acceptance::Closed),
        // Another call of the same request was faster.
        ("status", Value::Null, Acceptance::Before),
    ] {
        for others in [0, 1] {
            let (table, history) = waiting(others).await;
            let changed = table.setting(&send(2).header(), name, &value);
            let change = async move {
                if answer == Acceptance::Before {
                    accept(&history, &send(2), None).await;
                } else {
                    changed.await;
                }
            };
            let before = state(&table);
            let (found, after) = accepted_while(&table, change, None).await;
            assert_eq!(found, answer, "{name}");
            if answer == Acceptance::Closed {
                assert_eq!(after[1..], before[1..], "{name}");
            } else {
                let runs = others == 0;
                let places = if runs { [json!(1), json!(2)] } else { [json!(2), json!(3)] };
                assert_eq!([&after[1], &after[4]], [&places[0], &places[1]]);
            }
        }
    }
    let (table, _) = waiting(1).await;
    let gone = table.later(|table| table.delete(&send(2).header()));
    let (answer, after) = accepted_while(&table, gone, None).await;
    assert_eq!((answer, &after[0], &after[4]), (Acceptance::Closed, &Value::Null, &json!(2)));
}

#[tokio::test]
async fn whoever_is_accepted_meanwhile_has_the_place_before() {
    let (first, second) = (json!(send(1).send), json!(send(2).send));
    // Nobody before: the item of the organiser is made by another.
    let (table, history) = waiting(0).await;
    let other = async move {
        accept(&history, &send(1), None).await;
    };
    let found = accepted_while(&table, other, None).await;
    let behind = ["queued".into(), 2.into(), first.clone(), 1.into(), 3.into(), false.into()];
    assert_eq!(found, (Acceptance::Accepted { seq: 2, runs: false }, behind));

    // One runs, and another comes to wait.
    let (table, history) = waiting(1).await;
    let other = async move {
        accept(&history, &send(3), None).await;
    };
    let found = accepted_while(&table, other, None).await;
    let behind = ["queued".into(), 3.into(), first.clone(), 1.into(), 4.into(), false.into()];
    assert_eq!(found, (Acceptance::Accepted { seq: 3, runs: false }, behind));

    // None runs, and another comes to run.
    let (table, history) = waiting(1).await;
    history.stopped(&send(1)).await;
    let other = {
        let history = history.clone();
        async move {
            accept(&history, &send(3), None).await;
        }
    };
    let found = accepted_while(&table, other, None).await;
    let behind = ["queued".into(), 3.into(), json!(send(3).send), 2.into(), 4.into(), false.into()];
    assert_eq!(found, (Acceptance::Accepted { seq: 3, runs: false }, behind));

    // The same, and it has ended again before this one's transaction.
    let (table, history) = waiting(1).await;
    history.stopped(&send(1)).await;
    let other = async move {
        accept(&history, &send(3), None).await;
        history.stopped(&send(3)).await;
    };
    let found = accepted_while(&table, other, None).await;
    let runs = ["queued".into(), 3.into(), second.clone(), 3.into(), 4.into(), true.into()];
    assert_eq!(found, (Acceptance::Accepted { seq: 3, runs: true }, runs));

    // The one that runs ends: this one must not wait for nobody.
    let (table, history) = waiting(1).await;
    let ends = async move { history.stopped(&send(1)).await };
    let found = accepted_while(&table, ends, None).await;
    let runs = ["queued".into(), 2.into(), second, 2.into(), 3.into(), true.into()];
    assert_eq!(found, (Acceptance::Accepted { seq: 2, runs: true }, runs));

    // It was to be accepted in the place that another got.
    let (table, history) = waiting(1).await;
    let before = state(&table);
    let other = async move {
        accept(&history, &send(3), None).await;
    };
    let (answer, after) = accepted_while(&table, other, Some(2)).await;
    assert_eq!((answer, &after[0], &after[4]), (Acceptance::Moved, &before[0], &json!(3)));
}

/// Conditions that only a fault makes fail: as long as they do, nothing is written.
#[tokio::test]
async fn nothing_is_overwritten_that_should_not_be_there() {
    // Its place in the order is taken.
    let (table, _) = waiting(1).await;
    let place = key::order(&organisation(1), 2);
    let other = serde_json::to_value(OrderItem { send: send(9).send, expires: 7 }).unwrap();
    let (taken, freed) = (place.clone(), place.clone());
    let events = [
        table.later(move |table| table.put(&taken, &other)),
        table.later(move |table| {
            assert_eq!(table.attribute(&freed, "send"), json!(send(9).send));
            assert_eq!(table.attribute(&send(2).header(), "status"), "receiving");
            table.delete(&freed);
        }),
    ];
    let (history, _) = table.disturbed(events.map(|event| meanwhile(TRANSACTION, event)));
    let answer = accept(&history, &send(2), None).await;
    assert_eq!(answer, Acceptance::Accepted { seq: 2, runs: false });
    assert_eq!(table.attribute(&place, "send"), json!(send(2).send));

    // Its first job has started, or another has the place though nobody was accepted.
    let (job, organiser) = (send(2).job(RecordKind::Person).key(), key::organiser(&organisation(1)));
    for (key, name, value) in [(job, "status", json!("running")), (organiser, "running", json!(send(9).send))]
    {
        let (table, history) = waiting(1).await;
        history.stopped(&send(1)).await;
        let (history, _) = table.disturbed(table.for_a_moment(TRANSACTION, &key, name, value));
        let answer = accept(&history, &send(2), None).await;
        assert!(matches!(answer, Acceptance::Accepted { runs: true, .. }), "{answer:?}");
    }
}

/// Each condition on the organiser alone: with the next place that another call left behind.
#[tokio::test]
async fn a_place_is_the_next_one_at_the_moment_of_acceptance() {
    let organiser = key::organiser(&organisation(1));
    // Nobody was accepted before; none runs; one runs.
    for (others, stopped) in [(0, false), (1, true), (1, false)] {
        let (table, history) = waiting(others).await;
        if stopped {
            history.stopped(&send(1)).await;
        }
        let (answer, after) = accepted_while(&table, table.setting(&organiser, "nextSeq", 7), None).await;
        let runs = others == 0 || stopped;
        assert_eq!(answer, Acceptance::Accepted { seq: 7, runs });
        assert_eq!((&after[1], &after[4]), (&json!(7), &json!(8)));
    }
}

/// Before its acceptance nothing of a send can be claimed.
#[tokio::test]
async fn a_send_that_was_not_accepted_is_not_begun() {
    let table = Table::new();
    let (history, send) = (table.history(), send(1));
    history.received(&send, [1, 0, 0, 1]).await;
    let before = table.items();
    let takeover = takeover();
    let claim = batch_claim(&takeover, 1, 2);
    let call = stafett_domain::Call::Submit;
    let answer =
        history.claim_step(&send.job(RecordKind::Person), call, first_step(0), &claim).await.unwrap();
    assert!(matches!(answer, crate::claim::ClaimAnswer::Stopped(_)), "{answer:?}");
    let start = super::sample::start_claim(&takeover, 1, 2);
    let answer = history.claim_start(&send.job(RecordKind::Person), &start).await.unwrap();
    assert!(matches!(answer, crate::start::StartAnswer::Done("not its turn")), "{answer:?}");
    assert_eq!(table.items(), before);
}
