use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000;

/// The template's.
fn pace() -> Pace {
    Pace::new(4.8, Duration::from_secs(1), Duration::from_millis(73))
}

fn late(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap())
}

/// The most arrivals in any window of a second that begins with one of them.
fn most_in_a_second(arrivals: &BTreeSet<(i64, usize)>) -> usize {
    arrivals.iter().map(|(from, _)| arrivals.range((*from, 0)..(from + SECOND, 0)).count()).max().unwrap_or(0)
}

/// What the writes of a limiter come to.
struct Budget {
    pace: Pace,
    tat: i64,
    seq: u64,
    held_until: Vec<i64>,
}

impl Budget {
    fn new(pace: Pace) -> Self {
        Self { pace, tat: 0, seq: 0, held_until: vec![0; usize::try_from(pace.lanes).unwrap()] }
    }

    fn take(&mut self, now: i64) -> Place {
        self.tat = self.tat.max(now) + self.pace.step;
        self.seq += 1;
        self.pace.place(self.tat, self.seq)
    }

    fn lane(&mut self, place: Place) -> &mut i64 {
        &mut self.held_until[usize::try_from(place.lane).unwrap()]
    }
}

/// What happens to a caller, and when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// It wants a slot.
    Asks,
    /// Its slot is near.
    IsNear(Place),
    /// Its call is answered, which arrived so late.
    IsAnswered(Place, i64),
}

/// Callers who ask for a slot whenever their last call is answered, for as many calls as there are pairs of lateness and
/// processing time; when each arrives, and the slots. `settle`: what becomes known of a call's lateness is used.
fn calls(callers: usize, made: &[(i64, i64)], settle: bool) -> (BTreeSet<(i64, usize)>, Vec<i64>) {
    let mut budget = Budget::new(pace());
    let (mut arrivals, mut slots) = (BTreeSet::new(), Vec::new());
    let mut events: BTreeSet<_> = (0..callers).map(|caller| (SECOND, caller, Event::Asks)).collect();
    let mut made = made.iter().enumerate();
    while let Some((now, caller, event)) = events.pop_first() {
        match event {
            Event::Asks => {
                let place = budget.take(now);
                events.insert((now.max(place.at - 30_000), caller, Event::IsNear(place)));
            }
            Event::IsNear(place) => {
                let Some((number, (lateness, processing))) = made.next() else { break };
                let place = place.held_up(*budget.lane(place));
                slots.push(place.at);
                arrivals.insert((place.at + lateness, number));
                let answered = Event::IsAnswered(place, *lateness);
                events.insert((place.at + lateness + processing, caller, answered));
            }
            Event::IsAnswered(place, lateness) => {
                if settle {
                    let Settlement { held_until, back } = budget.pace.settled(place, late(lateness));
                    *budget.lane(place) = held_until.max(*budget.lane(place));
                    budget.tat -= back;
                }
                events.insert((now, caller, Event::Asks));
            }
        }
    }
    (arrivals, slots)
}

proptest! {
    /// Whoever asks when, and however long calls take: while nothing is known of any call, and none is later than the
    /// spread allows for, no second sees a sixth one.
    #[test]
    fn no_second_has_a_sixth_call(
        callers in 1_usize..20,
        made in prop::collection::vec((0_i64..73_000, 50_000_i64..3_000_000), 1..200),
    ) {
        let (arrivals, _) = calls(callers, &made, false);
        prop_assert!(most_in_a_second(&arrivals) <= 5);
    }

    /// Nor where calls are later than that, and answered before their lanes' next slots.
    #[test]
    fn a_late_call_holds_its_lane_up(
        callers in 1_usize..20, made in prop::collection::vec((0_i64..120_000, 50_000_i64..400_000), 1..200),
    ) {
        let (arrivals, _) = calls(callers, &made, true);
        prop_assert!(most_in_a_second(&arrivals) <= 5);
    }

    /// Slots are never before they are asked for, and follow each other at the pace.
    #[test]
    fn slots_keep_their_distance(
        asked in prop::collection::vec(0_i64..3 * SECOND, 2..100), rate in 1_u32..100,
    ) {
        let pace = Pace::new(f64::from(rate) / 10.0, Duration::from_secs(1), Duration::ZERO);
        let (mut budget, mut now, mut last) = (Budget::new(pace), SECOND, i64::MIN / 2);
        for pause in asked {
            now += pause / 10;
            let place = budget.take(now);
            prop_assert!(place.at >= now && place.at >= last + pace.step);
            last = place.at;
        }
    }
}

/// Calls a second between the first and the last slot.
fn rate(slots: &[i64]) -> f64 {
    let span = slots[slots.len() - 1] - slots[0];
    1e6 * f64::from(u32::try_from(slots.len() - 1).unwrap()) / f64::from(u32::try_from(span).unwrap())
}

#[test]
fn the_rate_is_reached_and_not_passed() {
    // 0 to 80 ms late, evenly spread; few callers, and so many that slots are handed out seconds ahead.
    let jitter = |number: i64| (number * 7_919 % 80_001, 300_000);
    for callers in [4, 20] {
        let (arrivals, slots) = calls(callers, &(0..1_000).map(jitter).collect::<Vec<_>>(), true);
        assert!(most_in_a_second(&arrivals) <= 5);
        assert!((0.97 * 4.8..=4.81).contains(&rate(&slots)), "{callers}: {}", rate(&slots));
        let (_, slots) = calls(callers, &[(0, 300_000); 1_000], true);
        assert!((4.79..=4.81).contains(&rate(&slots)), "{callers}: {}", rate(&slots));
    }
    // Nothing is ever known.
    let (_, slots) = calls(20, &[(0, 300_000); 1_000], false);
    assert!((0.97 * 4.8..=4.81).contains(&rate(&slots)), "{}", rate(&slots));
}

#[test]
fn a_scaled_pace_has_as_many_lanes() {
    let fast = Pace::new(48.0, Duration::from_millis(100), Duration::from_millis(7));
    assert_eq!((pace().lanes, fast.lanes), (5, 5));
    let lookups = Pace::new(9.6, Duration::from_secs(1), Duration::ZERO);
    assert_eq!((lookups.lanes, lookups.step, lookups.back), (10, 104_167, 0));
    assert_eq!(Pace::new(5.0, Duration::from_secs(1), Duration::ZERO).lanes, 5);
    assert_eq!(Pace::new(0.2, Duration::from_secs(1), Duration::ZERO).lanes, 1);
}
