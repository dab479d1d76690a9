//! The arithmetic of a budget with a maximum number of calls in any second. Times are in microseconds since 1970.
//!
//! There are as many lanes as calls may arrive in one of Skolverket's windows, and slots go to the lanes in turn. In a
//! lane, a call arrives at least one window after the call before it. So any window, fixed or sliding, contains at most
//! one call of each lane. When a slot is taken, the delay of its call is not known, so a spread is reserved. The answer
//! shows the delay. If the call was on time, the reserved time is given back. The lane's next call, whose slot may
//! already be taken, waits as long as it must.
//!
//! Fixed distances between slots are slower. If calls have the distance T and are up to J late, six of them span at
//! least 5 T - J. At J = 80 ms that is a whole second only up to 4.63 calls a second. Lanes use the spread only where
//! it happens: 4.7 calls a second at that J, 4.8 without jitter, and 4.66 while no delay is known.

use std::time::Duration;

/// The minimum distances between slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    lanes: u64,
    /// From a slot to the next one, while no delay is known.
    pub(super) step: i64,
    /// The part of a step that is given back after a call that was on time.
    back: i64,
    /// From one arrival to the next in the same lane: Skolverket's window.
    window: i64,
    /// The maximum delay of a call that counts as on time.
    on_time: i64,
    /// Added to a measured delay, because clocks differ.
    margin: i64,
}

/// A slot that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) at: i64,
    /// From 0.
    pub(super) lane: u64,
    /// How much later it is than when it was taken, because of a call before it in its lane.
    pub(super) later_by: i64,
}

impl Place {
    /// Moves the slot to `held_until`, if that is later.
    pub(super) fn held_up(self, held_until: i64) -> Self {
        let longer = (held_until - self.at).max(0);
        Self { at: self.at + longer, later_by: self.later_by + longer, ..self }
    }
}

/// The effect of a call's known delay on its lane and on later slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settlement {
    /// The earliest time of the lane's next call.
    pub(super) held_until: i64,
    /// How much earlier the free slots become. Negative if they become later.
    pub(super) back: i64,
}

impl Pace {
    /// At most `calls_per_second` on average. No `window` contains more calls than fit into it at that rate, rounded
    /// up.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are checked when they are read; a step is seconds at the most"
    )]
    pub(super) fn new(calls_per_second: f64, window: Duration, spread: Duration) -> Self {
        // A rounding error of the product must not add a lane.
        let lanes = (calls_per_second * window.as_secs_f64() - 1e-9).ceil().max(1.0);
        let distance = lanes / calls_per_second;
        let careful = distance.max((window + spread).as_secs_f64());
        let (window, spread) = (micros(window), micros(spread));
        let step = (careful / lanes * 1e6).ceil() as i64;
        Self {
            lanes: lanes as u64,
            step,
            back: step - (distance / lanes * 1e6).ceil() as i64,
            window,
            on_time: (distance * 1e6) as i64 - window,
            margin: spread / 10,
        }
    }

    /// The slot before the next free one at `tat`. It is number `seq` of the slots taken.
    pub(super) fn place(&self, tat: i64, seq: u64) -> Place {
        Place { at: tat - self.step, lane: seq % self.lanes, later_by: 0 }
    }

    /// The settlement after an answer that came `lateness` later than if the call had left and arrived at the time of
    /// its slot.
    pub(super) fn settled(&self, place: Place, lateness: Duration) -> Settlement {
        let lateness = micros(lateness) + self.margin;
        let back = if lateness <= self.on_time { self.back } else { 0 };
        // All lanes compensate for the delay of one lane. Otherwise that lane would stay behind.
        let behind = i64::try_from(self.lanes).map_or(0, |lanes| place.later_by / lanes);
        Settlement { held_until: place.at + self.window + lateness, back: back - behind }
    }
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
