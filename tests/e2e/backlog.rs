//! Much work at once is no fault.

use stafett_simulator::{CallKind, Limits, Rule, Simulator};

use crate::people::{Size, send};
use crate::stack::{TestStack, statuses};

const SENDS: u16 = 300;

#[tokio::test]
async fn three_hundred_sends_at_once_all_succeed_and_none_starts_twice() {
    let stack = TestStack::start().await;
    let mut sends = Vec::new();
    for number in 0..SENDS {
        let organisation = format!("557{number:07}");
        let body = send(Size { students: 3, teachers: 1, groups: 1, series: 3000 + number });
        let id = stack.send_as(&organisation, &body).await;
        sends.push((organisation, id));
    }
    for (organisation, id) in &sends {
        let ended = stack.ended_as(organisation, id).await;
        assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    }
    let logs = stack.log_text();
    let count =
        |event: &str| logs.lines().filter(|line| line.contains(&format!("\"event\":\"{event}\""))).count();
    assert_eq!(count("job.started"), usize::from(SENDS) * 4);
    assert_eq!(count("message.failed"), 0);
    let calls = stack.skolverket.calls();
    let bulk = calls.iter().filter(|call| call.call == CallKind::Bulk && call.status == 202).count();
    assert_eq!(bulk, usize::from(SENDS) * 4, "nothing was sent twice");
    let throttled =
        stack.skolverket.violations().iter().filter(|violation| violation.rule == Rule::Rate).count();
    println!(
        "{SENDS} sends: {} calls, {throttled} of them too fast, {} overdue steps sent again",
        calls.len(),
        count("step.overdue")
    );
    stack.finish(0).await;
}

#[tokio::test]
async fn twenty_organisers_share_the_budget_without_going_beyond_it() {
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
    assert!(throttled * 200 <= calls.len(), "{throttled} of {} calls were too fast", calls.len());
    stack.finish(0).await;
}
