//! The limiter's item.

use std::time::Duration;

use jiff::Timestamp;
use stafett_runtime::Budget;

use super::sample::at;
use super::table::{Event, Table, meanwhile, on};
use crate::contention::MOST;
use crate::{History, HistoryError, key};
use crate::{Limiter, Slot, Taken};

/// From a slot to the next, in microseconds, of five lanes a second and a spread of 73 ms.
const STEP: i64 = 214_600;
/// What a call that was on time gives back.
const BACK: i64 = 6_266;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const UPDATE: &str = "UpdateItem";

fn limiter(history: History) -> Limiter {
    let budget =
        Budget { calls_per_second: 4.8, window: Duration::from_secs(1), spread: Duration::from_millis(73) };
    Limiter::new(history, "bulk", budget, LONGEST_WAIT)
}

async fn take(limiter: &Limiter) -> Taken {
    limiter.take(at(0)).await.unwrap()
}

fn micros(timestamp: Timestamp) -> i64 {
    timestamp.as_microsecond() - at(0).as_microsecond()
}

/// A number of the item, times counted from the beginning of the test.
fn number(table: &Table, name: &str) -> Option<i64> {
    let number = table.attribute(&key::limiter("bulk"), name).as_i64()?;
    Some(if name == "seq" { number } else { number - at(0).as_microsecond() })
}

fn set(table: &Table, name: &str, time: i64) {
    table.set(&key::limiter("bulk"), name, at(0).as_microsecond() + time);
}

#[track_caller]
fn slot(taken: Taken) -> Slot {
    match taken {
        Taken::Slot(slot) => slot,
        Taken::Busy(wait) => panic!("busy for {wait:?}"),
    }
}

#[tokio::test]
async fn slots_are_handed_out_one_after_another() {
    let table = Table::new();
    let limiter = limiter(table.history());
    for taken in 0..5 {
        assert_eq!(micros(slot(take(&limiter).await).at()), taken * STEP);
        assert_eq!(
            (number(&table, "tat"), number(&table, "seq")),
            (Some((taken + 1) * STEP), Some(taken + 1))
        );
    }
    // Another budget is another item.
    let other = Limiter::new(
        table.history(),
        "lookup",
        Budget { calls_per_second: 9.6, window: Duration::from_secs(1), spread: Duration::ZERO },
        LONGEST_WAIT,
    );
    assert_eq!(micros(slot(take(&other).await).at()), 0);
}

#[tokio::test]
async fn the_next_slot_is_idle_near_or_too_far_away() {
    let wait = i64::try_from(LONGEST_WAIT.as_micros()).unwrap();
    for (tat, at, after) in [
        (-1_000_000, Some(0), STEP),
        (-1, Some(0), STEP),
        (0, Some(0), STEP),
        (1, Some(1), 1 + STEP),
        (wait, Some(wait), wait + STEP),
        (wait + 1, None, wait + 1),
        (wait + 3_000_000, None, wait + 3_000_000),
    ] {
        let table = Table::new();
        set(&table, "tat", tat);
        let items = table.items();
        match (take(&limiter(table.history())).await, at) {
            (Taken::Slot(slot), Some(at)) => {
                // Slots are counted back from the one after them: a late one may be a while ago.
                assert_eq!(micros(slot.at()), at.max(tat.min(at)), "{tat}");
                assert_eq!(number(&table, "seq"), Some(1));
            }
            (Taken::Busy(busy), None) => {
                assert_eq!(busy, Duration::from_micros((tat - wait).unsigned_abs()), "{tat}");
                assert_eq!(table.items(), items);
            }
            other => panic!("{tat}: {other:?}"),
        }
        assert_eq!(number(&table, "tat"), Some(after), "{tat}");
    }
}

#[tokio::test]
async fn no_slot_is_handed_out_twice() {
    // Between the read for a near slot and the take of the idle one, and after both reads.
    for skipped in [1, 0] {
        let table = Table::new();
        let other = limiter(table.history());
        let faster = async move { assert_eq!(micros(slot(take(&other).await).at()), 0) };
        let (history, _) = table.disturbed([meanwhile(UPDATE, faster).after(skipped)]);
        assert_eq!(micros(slot(take(&limiter(history)).await).at()), STEP);
    }
    // A call finds the idle slot taken, and the item paused when it reads again.
    let table = Table::new();
    let (other, pausing) = (limiter(table.history()), limiter(table.history()));
    let faster = async move {
        take(&other).await;
    };
    let paused = async move { pausing.pause(at(0), Duration::from_secs(9)).await.unwrap() };
    let (history, _) = table.disturbed([meanwhile(UPDATE, faster).after(1), meanwhile("GetItem", paused)]);
    assert_eq!(take(&limiter(history)).await, Taken::Busy(Duration::from_secs(4)));

    let table = Table::new();
    let limiter = limiter(table.history());
    let all = futures::future::join_all((0..40).map(|_| take(&limiter))).await;
    let mut slots: Vec<_> = all
        .iter()
        .filter_map(|taken| match taken {
            Taken::Slot(slot) => Some(micros(slot.at())),
            Taken::Busy(_) => None,
        })
        .collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..24).map(|slot| slot * STEP).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slot_that_meets_a_transaction_is_taken_all_the_same() {
    let table = Table::new();
    let (history, calls) = table.disturbed([on(UPDATE, Event::Conflict), on(UPDATE, Event::Conflict)]);
    assert_eq!(micros(slot(take(&limiter(history)).await).at()), 0);
    assert_eq!((calls.of(UPDATE), number(&table, "seq")), (4, Some(1)));
    let (history, _) = table.disturbed((0..MOST).map(|_| on(UPDATE, Event::Conflict)));
    assert!(matches!(limiter(history).take(at(0)).await, Err(HistoryError::Contended)));
    let (history, _) = table.disturbed([on(UPDATE, Event::Unreachable)]);
    assert!(matches!(limiter(history).take(at(0)).await, Err(HistoryError::Unavailable { .. })));
    assert_eq!(number(&table, "seq"), Some(1));
}

#[tokio::test]
async fn a_pause_moves_everybody_forward_only_and_at_most_a_minute() {
    let table = Table::new();
    let first = limiter(table.history());
    first.pause(at(0), Duration::from_secs(2)).await.unwrap();
    assert_eq!(micros(slot(take(&first).await).at()), 2_000_000, "before any slot was handed out");

    let table = Table::new();
    let limiter = limiter(table.history());
    let before = slot(take(&limiter).await);
    let late = slot(take(&limiter).await);
    let pause = async |seconds| limiter.pause(at(0), Duration::from_secs(seconds)).await.unwrap();
    let state =
        || (number(&table, "tat").unwrap() / 1_000_000, number(&table, "pausedUntil").unwrap() / 1_000_000);
    pause(4).await;
    assert_eq!(state(), (4, 4));
    pause(3).await;
    assert_eq!(state(), (4, 4), "a shorter one changes nothing");
    assert_eq!(micros(slot(take(&limiter).await).at()), 4_000_000);
    set(&table, "tat", 30_000_000);
    pause(9).await;
    assert_eq!(state(), (30, 9), "slots to come are later than its end");
    pause(3_600).await;
    assert_eq!(state(), (60, 60));
    // Slots that were handed out before fall into it.
    for slot in [before, late] {
        assert_eq!(limiter.confirm(slot).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_slot_stays_unless_a_pause_or_a_late_call_before_it_moves_it() {
    let table = Table::new();
    let limiter = limiter(table.history());
    let slots = [slot(take(&limiter).await), slot(take(&limiter).await)];
    assert!(slots.iter().all(|slot| !slot.is_wary()));
    for slot in slots {
        assert_eq!(limiter.confirm(slot).await.unwrap(), Some(slot));
    }
    set(&table, "held1", STEP + 500);
    set(&table, "held2", 100);
    let moved = limiter.confirm(slots[0]).await.unwrap().unwrap();
    let other = limiter.confirm(slots[1]).await.unwrap().unwrap();
    assert_eq!((micros(moved.at()), micros(other.at())), (STEP + 500, STEP));
    // A pause that ends with the slot's moment leaves it; one that ends later does not.
    for (until, stays) in [(STEP, true), (STEP + 1, false)] {
        set(&table, "pausedUntil", until);
        let confirmed = limiter.confirm(slots[1]).await.unwrap();
        assert_eq!(confirmed.is_some_and(|slot| slot.is_wary()), stays);
    }
}

#[tokio::test]
async fn a_settled_call_holds_its_lane_and_gives_back_what_it_did_not_need() {
    let table = Table::new();
    let limiter = limiter(table.history());
    let first = slot(take(&limiter).await);
    let settle =
        async |milliseconds| limiter.settle(first, Duration::from_millis(milliseconds)).await.unwrap();
    // A window after the arrival, and a tenth of the spread for clocks that disagree.
    let held = |milliseconds: i64| Some(1_000_000 + milliseconds * 1_000 + 7_300);
    settle(10).await;
    assert_eq!((number(&table, "held1"), number(&table, "tat")), (held(10), Some(STEP - BACK)));
    for (milliseconds, expected) in [(10, 10), (3, 10), (300, 300), (20, 300)] {
        settle(milliseconds).await;
        assert_eq!(number(&table, "held1"), held(expected), "it moves forward only");
        assert_eq!(number(&table, "tat"), Some(STEP - BACK), "and what was late gives nothing back");
    }
    assert_eq!(number(&table, "seq"), Some(1));
}
