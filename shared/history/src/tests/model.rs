//! The claim protocol as a model: holders that stop between any two side effects, messages that come twice or late, a
//! watchdog, a stop. Every step is one of the history's own; the model has the messages, the holders, the time, and a
//! Skolverket that answers when it likes. Nothing may be lost, nobody may write what is not his, records are counted
//! once, and nothing is given up before so many holders have died over so long a time.

mod world;

use std::time::Duration;

use proptest::prelude::*;
use stafett_domain::time::later;

use self::world::{Holder, World};
use super::sample::{CLAIM, cancelled};
use crate::item::Progress;

fn run(case: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(case)
}

/// What happens, to which of those that it may happen to, and whether it happens in full.
type Happening = (u8, prop::sample::Index, bool);

async fn nothing_is_lost(not_done: u32, happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let mut world = World::new(not_done).await;
    for (what, which, fully) in happenings {
        match what {
            0..=3 if !world.queue.is_empty() => {
                let at = which.index(world.queue.len());
                let asked = world.queue[at];
                if fully {
                    world.queue.swap_remove(at);
                }
                world.deliver(asked).await;
            }
            4..=8 if !world.holders.is_empty() => {
                let holder = world.holders.swap_remove(which.index(world.holders.len()));
                let next = world.act(holder).await;
                world.holders.extend(next);
            }
            // A holder dies.
            9 if !world.holders.is_empty() => {
                drop(world.holders.swap_remove(which.index(world.holders.len())));
            }
            10 => world.now += if fully { CLAIM } else { 7_000 },
            11 if fully => world.watchdog().await,
            // Whoever asks for the stop dies, too: the send ends by what it has that is due.
            11 if which.index(5) == 0 => {
                world.stopping |= world.history.request_stop(&world.job.send, cancelled()).await.unwrap();
            }
            _ => {}
        }
    }
    // From here on nothing fails; whatever was lost before is found.
    let mut rounds = 0;
    while !world.is_done().await {
        rounds += 1;
        prop_assert!(rounds < 200, "stuck: {:?}", world.stored().await);
        world.finish_holders().await;
        for asked in std::mem::take(&mut world.queue) {
            world.deliver(asked).await;
            world.finish_holders().await;
        }
        world.wait_for_the_watchdog().await;
    }
    world.assert_counted().await;
    let planned = world.stored().await.progress == Progress::Planned;
    prop_assert!(world.given_up_at.is_none() || world.claimed_at.len() > world.takeover.pauses.len());
    prop_assert!(planned || world.submits > 0 || world.stopping);
    if planned {
        let header = world.history.get::<crate::SendHeader>(&world.job.send.header()).await.unwrap().unwrap();
        prop_assert!(header.status.has_ended(), "{}", header.status);
    }
    Ok(())
}

/// Holders die one after another, each at any side effect of its step, while messages come as often as they like.
async fn is_given_up(deaths: Vec<(usize, usize, i64)>) -> Result<(), TestCaseError> {
    let mut world = World::new(0).await;
    let mut dying = deaths.into_iter();
    let (mut dead, mut rounds) = (0, 0);
    while !world.is_done().await {
        rounds += 1;
        prop_assert!(rounds < 200, "stuck: {:?}", world.stored().await);
        for asked in std::mem::take(&mut world.queue) {
            world.deliver(asked).await;
        }
        while let Some(mut holder) = world.holders.pop() {
            let fate = if matches!(holder, Holder::Call(_)) { dying.next() } else { None };
            let Some((effects, copies, late)) = fate else {
                world.finish(holder).await;
                continue;
            };
            dead += 1;
            // Before its call, or after: nothing of its step is written.
            for _ in 0..effects {
                holder = world.act(holder).await.unwrap();
            }
            // SQS delivers its message again, early and late.
            let step = world.stored().await.position();
            for _ in 0..copies {
                // Whoever has claimed it is at work.
                if world.holders.is_empty() {
                    world.now += late * 1_000;
                    world.deliver(step).await;
                }
            }
        }
        world.wait_for_the_watchdog().await;
    }
    world.assert_counted().await;
    let millis = |length: Duration| later(0, length);
    let pauses = &world.takeover.pauses;
    prop_assert_eq!(world.given_up_at.is_some(), dead > pauses.len(), "{} died", dead);
    for (nth, pair) in world.claimed_at.windows(2).enumerate().take(dead) {
        let wanted = pauses.get(nth).map_or(0, |pause| millis(*pause));
        prop_assert!(pair[1] - pair[0] >= CLAIM + wanted, "{:?}", world.claimed_at);
    }
    if let Some(at) = world.given_up_at {
        prop_assert_eq!(dead, pauses.len() + 1);
        prop_assert!(at - (world.claimed_at[0] + CLAIM) >= millis(world.takeover.span));
    }
    Ok(())
}

/// How many messages are sent where each comes so often.
async fn messages(not_done: u32, copies: usize) -> usize {
    let mut world = World::new(not_done).await;
    while let Some(asked) = world.queue.pop() {
        // The second copy comes while the first one's holder is at work.
        for _ in 0..copies {
            world.deliver(asked).await;
        }
        world.finish_holders().await;
    }
    assert!(world.is_done().await);
    world.assert_counted().await;
    world.sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn nothing_is_lost_whoever_stops_where(
        not_done in 0_u32..4,
        happenings in proptest::collection::vec((0_u8..12, any::<prop::sample::Index>(), any::<bool>()), 0..60),
    ) {
        run(nothing_is_lost(not_done, happenings))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_step_is_given_up_after_six_dead_holders_over_three_hours_and_not_before(
        deaths in proptest::collection::vec((0_usize..2, 0_usize..4, 0_i64..40), 0..9),
    ) {
        run(is_given_up(deaths))?;
    }
}

#[tokio::test]
async fn duplicates_do_not_multiply() {
    for not_done in 0..6 {
        let (once, twice) = (messages(not_done, 1).await, messages(not_done, 2).await);
        assert!(twice < 3 * once, "{twice} messages instead of {once}");
    }
}
