//! What happens to an operation whose answer is lost, or that meets another transaction: it comes to the same answer and
//! the same items as one that nothing happens to. So does a repeat of the whole operation with the same ids.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use stafett_domain::piece::Piece;
use stafett_domain::{BatchEvent, BatchId, Call, Outcome, Reason, ReasonCode, RecordKind, WaitCause};

use super::sample::{
    OVERDUE, RECEIVED, at, batch_claim, cancelled, closing, content, first_open, first_step, millis,
    outcomes, send, start_claim, submitted, takeover, terms,
};
use super::table::{Event, Table, on};
use crate::item::{Batch, Open};
use crate::key::Carrier;
use crate::progress::Closing;
use crate::{Acceptance, History};

const TRANSACTION: &str = "TransactWriteItems";
const USERS: RecordKind = RecordKind::Person;

/// What an operation starts from, and the operation. Its answer is shown as text.
struct Operation {
    name: &'static str,
    /// Its writes.
    call: &'static str,
    prepare: fn(History) -> BoxFuture<'static, ()>,
    run: fn(History) -> BoxFuture<'static, String>,
    /// What the same again answers, where it is something else.
    again: Option<&'static str>,
}

fn shown<T: Debug, E: Debug>(answer: Result<T, E>) -> String {
    format!("{:?}", answer.unwrap())
}

async fn open(history: &History) -> Batch<Open> {
    let batch = history.batch(&send(1).job(USERS), BatchId(0)).await.unwrap().unwrap();
    batch.opened(BatchEvent::Finished).unwrap()
}

async fn running(history: History) {
    history.running(&send(1), [6, 1, 0, 1]).await;
}

async fn with_open(history: History) {
    running(history.clone()).await;
    history.open(&send(1).job(USERS), 0).await;
}

async fn all_closed(history: History, outcome: Outcome) {
    history.running(&send(1), [1, 1, 0, 1]).await;
    history.closed(&send(1).job(USERS), 0, outcome).await;
    history.accepted(&send(2), [1, 0, 0, 1]).await;
}

async fn accepted(history: History) {
    history.accepted(&send(1), [2, 0, 0, 1]).await;
}

async fn two_open(history: History) {
    with_open(history.clone()).await;
    history.open(&send(1).job(USERS), 1).await;
}

async fn upload(history: History) {
    super::upload::opened(&history, 1).await;
}

async fn accept(history: History, number: u128) -> String {
    shown(history.accept(&send(number), RECEIVED, at(1), millis(61), None).await)
}

async fn start(history: History, stage: RecordKind, id: u128, seconds: i64) -> String {
    shown(history.claim_start(&send(1).job(stage), &start_claim(&takeover(), id, seconds)).await)
}

async fn close(history: History, closing: Closing) -> String {
    shown(history.close(&send(1).job(USERS), &first_open(), &closing, true).await)
}

async fn settle(history: History) -> String {
    shown(history.settle(&send(1).job(USERS), at(20), millis(20) + OVERDUE, false).await)
}

async fn take_overdue(history: History, carrier: Carrier, seconds: i64) -> String {
    shown(history.take_overdue(&carrier, at(seconds), Duration::from_mins(1)).await)
}

async fn claim(history: History, call: Call, n: u32) -> String {
    let asked = stafett_domain::message::BatchStep { n, ..first_step(0) };
    shown(history.claim_step(&send(1).job(USERS), call, asked, &batch_claim(&takeover(), 77, 40)).await)
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "acceptance",
        call: TRANSACTION,
        prepare: |history| Box::pin(async move { history.received(&send(1), [1, 0, 0, 1]).await }),
        run: |history| Box::pin(accept(history, 1)),
        again: Some("Before"),
    },
    Operation {
        name: "acceptance behind another",
        call: TRANSACTION,
        prepare: |history| {
            Box::pin(async move {
                running(history.clone()).await;
                history.received(&send(2), [1, 0, 0, 1]).await;
            })
        },
        run: |history| Box::pin(accept(history, 2)),
        again: Some("Before"),
    },
    Operation {
        name: "storing",
        call: "PutItem",
        prepare: |_| Box::pin(async {}),
        run: |history| {
            Box::pin(async move {
                shown(history.receive(&send(1), &terms(), &content([2, 1, 0, 1]), at(0), millis(9)).await)
            })
        },
        again: None,
    },
    Operation {
        name: "start",
        call: TRANSACTION,
        prepare: |history| Box::pin(accepted(history)),
        run: |history| Box::pin(start(history, USERS, 7, 2)),
        again: None,
    },
    Operation {
        name: "start of a later job",
        call: TRANSACTION,
        prepare: |history| {
            Box::pin(async move {
                all_closed(history.clone(), Outcome::Success).await;
                history.settle(&send(1).job(USERS), at(20), millis(80), false).await.unwrap();
            })
        },
        run: |history| Box::pin(start(history, RecordKind::Duty, 7, 2)),
        again: None,
    },
    Operation {
        name: "take-over of a start",
        call: "UpdateItem",
        prepare: |history| {
            Box::pin(async move {
                accepted(history.clone()).await;
                start(history, USERS, 7, 2).await;
            })
        },
        run: |history| Box::pin(start(history, USERS, 8, 60)),
        again: None,
    },
    Operation {
        name: "note that a start is handed on",
        call: "UpdateItem",
        prepare: |history| Box::pin(running(history)),
        run: |history| Box::pin(async move { shown(history.start_handed_on(&send(1).job(USERS)).await) }),
        again: None,
    },
    Operation {
        name: "claim of a submit",
        call: TRANSACTION,
        prepare: |history| Box::pin(running(history)),
        run: |history| Box::pin(claim(history, Call::Submit, 0)),
        again: None,
    },
    Operation {
        name: "claim of a poll",
        call: "UpdateItem",
        prepare: |history| {
            Box::pin(async move {
                with_open(history.clone()).await;
                let before = open(&history).await;
                let after = submitted(&before);
                history.step_on(&send(1).job(USERS), &before, &after).await.unwrap();
            })
        },
        run: |history| Box::pin(claim(history, Call::Poll, 1)),
        again: None,
    },
    Operation {
        name: "next step",
        call: "UpdateItem",
        prepare: |history| Box::pin(with_open(history)),
        run: |history| {
            Box::pin(async move {
                let before = Batch { rev: 1, ..open(&history).await };
                let after = Batch { rev: 2, ..before.clone() };
                shown(history.step_on(&send(1).job(USERS), &before, &after).await)
            })
        },
        again: None,
    },
    Operation {
        name: "batch in pieces",
        call: TRANSACTION,
        prepare: |history| Box::pin(with_open(history)),
        run: |history| {
            Box::pin(async move {
                let before = Batch { rev: 1, ..open(&history).await };
                let pieces = Piece::whole(2).halves().unwrap().to_vec();
                let after = before.with(Open { pieces, ..before.progress.clone() });
                let after = Batch { rev: 2, ..after };
                let release = Some((BatchId(4), millis(70)));
                shown(history.split_batch(&send(1).job(USERS), &before, &after, Some(40), release).await)
            })
        },
        again: None,
    },
    Operation {
        name: "end of a batch",
        call: TRANSACTION,
        prepare: |history| Box::pin(two_open(history)),
        run: |history| Box::pin(close(history, closing(Outcome::Success))),
        again: None,
    },
    Operation {
        name: "end of a batch that stops its send",
        call: TRANSACTION,
        prepare: |history| Box::pin(two_open(history)),
        run: |history| {
            let stop = Some(Reason::new(ReasonCode::Refused));
            Box::pin(close(history, Closing { stop, outcomes: outcomes(Outcome::Error), overdue_at: 0 }))
        },
        again: None,
    },
    Operation {
        name: "notes on a job",
        call: "UpdateItem",
        prepare: |history| Box::pin(with_open(history)),
        run: |history| {
            Box::pin(async move {
                history
                    .show_waiting(&send(1).job(USERS), Some((at(5), WaitCause::Unavailable)))
                    .await
                    .unwrap();
                history.handed_on(&send(1).job(USERS), &open(&history).await.into()).await.unwrap();
                let planned = history.batch(&send(1).job(USERS), BatchId(1)).await.unwrap().unwrap();
                history.leave_planned(&send(1).job(USERS), &planned).await.unwrap();
                shown(history.request_stop(&send(1), cancelled()).await)
            })
        },
        again: None,
    },
    Operation {
        name: "end of a job",
        call: TRANSACTION,
        prepare: |history| Box::pin(all_closed(history, Outcome::Success)),
        run: |history| Box::pin(settle(history)),
        again: Some("EndedBefore { start: None }"),
    },
    Operation {
        name: "end of a send",
        call: TRANSACTION,
        prepare: |history| Box::pin(all_closed(history, Outcome::Error)),
        run: |history| Box::pin(settle(history)),
        again: Some("EndedBefore { start: None }"),
    },
    Operation {
        name: "end of a send that stops",
        call: TRANSACTION,
        prepare: |history| {
            Box::pin(async move {
                all_closed(history.clone(), Outcome::Success).await;
                history.request_stop(&send(1), cancelled()).await.unwrap();
            })
        },
        run: |history| {
            Box::pin(async move { shown(history.end_stopped(&send(1), at(20), millis(80)).await) })
        },
        again: Some("EndedBefore { start: None }"),
    },
    Operation {
        name: "place of a send that is gone",
        call: TRANSACTION,
        prepare: |history| {
            Box::pin(async move {
                all_closed(history.clone(), Outcome::Success).await;
                history.delete(&send(1).header()).await.unwrap();
            })
        },
        run: |history| {
            Box::pin(async move { shown(history.free_place(&send(1), 1, at(20), millis(80)).await) })
        },
        again: Some("None"),
    },
    Operation {
        name: "cancelled upload",
        call: "UpdateItem",
        prepare: |history| Box::pin(upload(history)),
        run: |history| {
            Box::pin(async move { shown(history.cancel_upload(&send(1), at(9), millis(69)).await) })
        },
        again: None,
    },
    Operation {
        name: "discard",
        call: "UpdateItem",
        prepare: |history| Box::pin(upload(history)),
        run: |history| Box::pin(take_overdue(history, Carrier::Receiving(send(1)), 86_400)),
        again: None,
    },
    Operation {
        name: "organiser that is looked after",
        call: "UpdateItem",
        prepare: |history| Box::pin(running(history)),
        run: |history| {
            Box::pin(take_overdue(history, Carrier::Organiser(super::sample::organisation(1)), 100))
        },
        again: None,
    },
];

#[tokio::test]
async fn a_lost_answer_a_conflict_and_a_repeat_come_to_the_same() {
    for Operation { name, call, prepare, run, again } in OPERATIONS {
        let undisturbed = Table::new();
        prepare(undisturbed.history()).await;
        let (history, calls) = undisturbed.disturbed([]);
        let answer = run(history.clone()).await;
        let items = undisturbed.items();
        let writes = calls.of(call);
        assert!(writes > 0, "{name}: {answer}");

        assert_eq!(run(history).await, again.unwrap_or(&answer), "{name}: again");
        assert_eq!(undisturbed.items(), items, "{name}: again");

        for write in 0..writes {
            for event in [|| Event::AnswerLost, || Event::Conflict] {
                let table = Table::new();
                prepare(table.history()).await;
                let (history, calls) = table.disturbed([on(call, event()).after(write)]);
                assert_eq!(run(history).await, answer, "{name}: write {write}");
                assert_eq!(table.items(), items, "{name}: write {write}");
                assert!(calls.of(call) > writes, "{name}: write {write}");
            }
        }
    }
}

/// A step that the watchdog has taken is not taken again by the repeat of its own write: the message is sent by the next
/// look, if nobody has claimed the step by then.
#[tokio::test]
async fn a_run_whose_answer_was_lost_leaves_the_step_to_the_next() {
    let table = Table::new();
    table.history().accepted(&send(1), [1, 0, 0, 1]).await;
    let job = Carrier::Job(send(1).job(USERS));
    let (history, _) = table.disturbed([on("UpdateItem", Event::AnswerLost)]);
    let take = async |seconds| history.take_overdue(&job, at(seconds), Duration::from_mins(1)).await.unwrap();
    assert_eq!(take(61).await, None);
    assert_eq!(table.attribute(&send(1).job(USERS).key(), "resent"), json!(1));
    assert!(take(121).await.is_some());
}

/// Two that are accepted at the same time, again and again.
#[tokio::test]
async fn many_acceptances_at_the_same_time_have_places_of_their_own() {
    let table = Table::new();
    let history = table.history();
    for number in 1..=12 {
        history.received(&send(number), [1, 0, 0, 1]).await;
    }
    let accept =
        async |number| history.accept(&send(number), RECEIVED, at(1), millis(61), None).await.unwrap();
    let answers = futures::future::join_all((1..=12).map(accept)).await;
    let mut places: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer {
            Acceptance::Accepted { seq, runs } => (seq, runs),
            other => panic!("{other:?}"),
        })
        .collect();
    places.sort_unstable();
    assert_eq!(places, (1..=12).map(|seq| (seq, seq == 1)).collect::<Vec<_>>());
}
