//! Much work at once causes no failures.

use stafett_simulator::{CallKind, Limits, Rule, Simulator};

use crate::people::{Size, class, send};
use crate::stack::{TestStack, statuses};

const SENDS: u16 = 300;

#[tokio::test]
async fn three_hundred_sends_at_once_all_succeed_and_none_starts_twice() {
    let stack = TestStack::start().await;
    let mut sends = Vec::new();
    for number in 0..SENDS {
        let organisation = format!("557{number:07}");
        let body = send(Size { students: 3, teachers: 1, groups: 1, series: 3000 + number });
        // Only watched.
        stack.put_faults(&organisation, &serde_json::json!([])).await;
        let id = stack.send_as(&organisation, &body).await;
        sends.push((organisation, id));
    }
    for (organisation, id) in &sends {
        let ended = stack.ended_as(organisation, id).await;
        assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    }
    assert_eq!(stack.events("job.started").len(), usize::from(SENDS) * 4);
    assert_eq!(stack.events("message.failed").len(), 0);
    let calls = stack.skolverket.calls();
    let bulk = calls.iter().filter(|call| call.call == CallKind::Bulk && call.status == 202).count();
    assert_eq!(bulk, usize::from(SENDS) * 4, "nothing was sent twice");
    let throttled =
        stack.skolverket.violations().iter().filter(|violation| violation.rule == Rule::Rate).count();
    let mut messages = 0;
    for (organisation, _) in &sends {
        let calls = stack.calls(organisation).await;
        messages += calls.iter().map(|call| call["messages"].as_u64().unwrap()).sum::<u64>();
    }
    println!(
        "{SENDS} sends: {} calls, {throttled} of them too fast, {} overdue steps sent again, {messages} messages",
        calls.len(),
        stack.events("step.overdue").len()
    );
    // Alone a send takes four to eight; waiting for a slot or for a poll costs one more each.
    assert!(messages < u64::from(SENDS) * 24, "{messages} messages for {SENDS} sends");
    stack.finish(0).await;
}

/// How often calls are too fast depends on what else the machine does: `stafett-load -- --rough` measures it.
#[tokio::test]
async fn twenty_organisers_share_the_budget() {
    // At the real pace, against the real limits.
    let skolverket = Simulator::start(Limits::default()).await.unwrap();
    let stack = TestStack::start_at(skolverket, &[]).await;
    let mut sends = Vec::new();
    for number in 0..20_u16 {
        let organisation = format!("558{number:07}");
        let body = send(Size { students: 20, teachers: 3, groups: 2, series: 3500 + number });
        sends.push((organisation.clone(), stack.send_as(&organisation, &body).await));
    }
    for (organisation, id) in &sends {
        assert_eq!(stack.ended_as(organisation, id).await["status"], "succeeded");
    }
    let calls: Vec<_> = stack.skolverket.calls().into_iter().filter(|call| call.kind.is_some()).collect();
    let throttled = calls.iter().filter(|call| call.status == 429).count();
    let first = calls.iter().map(|call| call.at).min().unwrap();
    let last = calls.iter().map(|call| call.at).max().unwrap();
    let seconds = last.duration_since(first).as_secs_f64();
    let rate = f64::from(u32::try_from(calls.len() - 1).unwrap()) / seconds;
    println!(
        "20 organisers: {} calls in {seconds:.1} s, {rate:.2} a second (4.8 at most), {throttled} times 429",
        calls.len()
    );
    stack.finish(0).await;
}

/// A class of one organiser beside a large send of another one, at the real pace: queued steps of the large one leave
/// room, so that the small one is not behind all of it.
#[tokio::test]
async fn a_class_does_not_wait_for_another_organisers_five_thousand_students() {
    let skolverket = Simulator::start(Limits::default()).await.unwrap();
    let stack = TestStack::start_at(skolverket, &[]).await;
    let timed = async |organisation: &str, body: &serde_json::Value| {
        let start = std::time::Instant::now();
        let id = stack.send_as(organisation, body).await;
        let ended = stack.ended_as(organisation, &id).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        start.elapsed().as_secs_f64()
    };
    // Its functions run when it is measured.
    timed("5590000001", &class(3600)).await;
    let alone = timed("5590000002", &class(3601)).await;

    let large = send(Size { students: 5000, teachers: 300, groups: 200, series: 3602 });
    let large_id = stack.send_as("5590000003", &large).await;
    let bulk_calls = || {
        let of_large = |call: &stafett_simulator::Call| {
            call.call == CallKind::Bulk && call.organisation.as_deref() == Some("5590000003")
        };
        stack.skolverket.calls().iter().filter(|call| of_large(call)).count()
    };
    stack.until("the large send is under way", async || (bulk_calls() >= 4).then_some(())).await;
    let before = stack.skolverket.calls().len();
    let beside = timed("5590000004", &class(3603)).await;
    let meanwhile = stack.skolverket.calls().len() - before;
    let still = stack.get_as("5590000003", crate::stack::ALL_SCOPES, &format!("/v1/sends/{large_id}")).await;
    println!("a class alone: {alone:.1} s; beside 5,000 students: {beside:.1} s, {meanwhile} calls in all");
    assert_eq!(still.json()["status"], "running", "the large send had ended: this shows nothing");
    // Fifteen seconds' worth of calls, and those of the class itself.
    assert!(meanwhile <= 72 + 12, "{meanwhile} calls were made until the class had ended");
    assert_eq!(stack.ended_as("5590000003", &large_id).await["status"], "succeeded");
    stack.finish(0).await;
}
