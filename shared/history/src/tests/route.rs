//! What follows what is the route's to say, which a send keeps in its header.

use stafett_domain::{Operation, RecordKind, Route, Stage};

use super::sample::{EXPIRES, OVERDUE, at, content, due_at, millis, send, start_claim, takeover, terms};
use super::table::Table;
use crate::end::Settled;
use crate::start::StartAnswer;
use crate::{Acceptance, History, JobFilter, Received, ReceivedSend, SendTerms};

/// From what refers to others to what is referred to.
const BACKWARDS: [RecordKind; 4] =
    [RecordKind::Activity, RecordKind::Group, RecordKind::Duty, RecordKind::Person];

fn backwards() -> Route {
    let stages = BACKWARDS.map(|kind| Stage { kind, operation: Operation::Put });
    Route::try_from(stages.to_vec()).unwrap()
}

async fn accepted(history: &History, number: u128) -> Acceptance {
    let terms = SendTerms { route: backwards(), ..terms() };
    let stored =
        history.receive(&send(number), &terms, &content([1, 1, 1, 1]), at(0), millis(86_400)).await.unwrap();
    let received = ReceivedSend { expires: EXPIRES, first: RecordKind::Activity };
    assert_eq!(stored, Received::Stored(received));
    history.accept(&send(number), received, at(1), millis(61), None).await.unwrap()
}

#[tokio::test]
async fn a_send_takes_its_own_way() {
    let table = Table::new();
    let history = table.history();
    assert_eq!(accepted(&history, 1).await, Acceptance::Accepted { seq: 1, runs: true });
    assert_eq!(accepted(&history, 2).await, Acceptance::Accepted { seq: 2, runs: false });
    assert_eq!(due_at(&table, &send(1).job(RecordKind::Activity).key()), Some(millis(61)));
    assert_eq!(due_at(&table, &send(1).job(RecordKind::Person).key()), None);

    let rules = takeover();
    for (at_stage, kind) in BACKWARDS.into_iter().enumerate() {
        // Whatever comes later in the route waits for its turn.
        for later in &BACKWARDS[at_stage + 1..] {
            let answer = history.claim_start(&send(1).job(*later), &start_claim(&rules, 7, 2)).await.unwrap();
            assert!(matches!(answer, StartAnswer::Done("not its turn")), "{later} before {kind}: {answer:?}");
        }
        history.started(&send(1).job(kind)).await;
        history.closed(&send(1).job(kind), 0, stafett_domain::Outcome::Success).await;
        let settled = history.settle(&send(1).job(kind), at(20), millis(20) + OVERDUE, false).await.unwrap();
        let Settled::Ended { start, send_ending, .. } = settled else { panic!("{settled:?}") };
        let next = BACKWARDS.get(at_stage + 1).map(|next| send(1).job(*next));
        // After the last the next send has its turn, with the first stage of its route.
        assert_eq!(start, Some(next.clone().unwrap_or(send(2).job(RecordKind::Activity))), "after {kind}");
        assert_eq!(send_ending.is_some(), next.is_none());
    }

    let shown = history.send(&send(1), at(30)).await.unwrap().unwrap();
    assert_eq!(shown.jobs.iter().map(|job| job.stage).collect::<Vec<_>>(), BACKWARDS);
    let listed =
        history.jobs(&super::sample::organisation(1), &JobFilter::default(), 8, None, at(30)).await.unwrap();
    let newest_first: Vec<_> = listed.items.iter().map(|listed| listed.item.job.stage).collect();
    let of_a_send: Vec<_> = BACKWARDS.into_iter().rev().collect();
    assert_eq!(newest_first, of_a_send.repeat(2));
}

#[tokio::test]
async fn what_an_ended_send_hands_on_again_is_the_first_stage_of_the_next() {
    let table = Table::new();
    let history = table.history();
    history.running(&send(1), [1, 0, 0, 1]).await;
    accepted(&history, 2).await;
    history.stopped(&send(1)).await;
    let again = history.settle(&send(1).job(RecordKind::Person), at(20), millis(80), true).await.unwrap();
    assert_eq!(again, Settled::EndedBefore { start: Some(send(2).job(RecordKind::Activity)) });
}
