//! The arithmetic of a budget of so many calls in any second. Times are microseconds since 1970.
//!
//! As many calls as may arrive in a window of Skolverket's are handed out in turn to as many lanes. In a lane a call
//! arrives at least a window after the one before it; so any window, fixed or sliding, sees at most one call of each
//! lane. When a slot is handed out it is not known how late its call will arrive, and a spread is allowed for. Once the
//! call is answered it is known better: where it was on time, what was allowed for is given back; and its lane's next
//! call, whose slot may have been handed out by then, waits for as long as it must.
//!
//! Why not slots at a fixed distance: if calls have the distance T and are up to J late, six of them span at least
//! 5 T - J, and at J = 80 ms that is a whole second only from 4.63 calls a second on. This needs the spread only where
//! it happens: 4.7 calls a second at that J, 4.8 without jitter, and 4.66 while nothing is known of any call.

use std::time::Duration;

/// How fast slots may follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    lanes: u64,
    /// From a slot to the next one, as long as nobody knows better.
    pub(super) step: i64,
    /// What of a step is given back after a call that was on time.
    back: i64,
    /// From an arrival to the next in its lane: Skolverket's window.
    window: i64,
    /// How late a call may arrive and still be on time.
    on_time: i64,
    /// Is added to what is known of a call, for clocks that disagree.
    margin: i64,
}

/// A slot that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) at: i64,
    /// From 0.
    pub(super) lane: u64,
    /// By how much it is later than it was handed out, because of a call before it in its lane.
    pub(super) later_by: i64,
}

impl Place {
    /// Not before `held_until`.
    pub(super) fn held_up(self, held_until: i64) -> Self {
        let longer = (held_until - self.at).max(0);
        Self { at: self.at + longer, later_by: self.later_by + longer, ..self }
    }
}

/// What becomes of a slot's lane and of those to come once it is known how late the slot's call arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settlement {
    /// From when on the next call of the lane may be sent.
    pub(super) held_until: i64,
    /// How much sooner slots are that are still to be handed out; negative where they are later.
    pub(super) back: i64,
}

impl Pace {
    /// At most `calls_per_second` on the average, and no more in any `window` than fit into it at that rate, rounded
    /// up.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are checked when they are read; a step is seconds at the most"
    )]
    pub(super) fn new(calls_per_second: f64, window: Duration, spread: Duration) -> Self {
        // Not one lane more because of a product's last binary digit.
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

    /// The slot after which the next one is at `tat`, the `seq`th that was handed out.
    pub(super) fn place(&self, tat: i64, seq: u64) -> Place {
        Place { at: tat - self.step, lane: seq % self.lanes, later_by: 0 }
    }

    /// After an answer that came `lateness` later than it would have, had the call left and arrived in its slot's moment.
    pub(super) fn settled(&self, place: Place, lateness: Duration) -> Settlement {
        let lateness = micros(lateness) + self.margin;
        let back = if lateness <= self.on_time { self.back } else { 0 };
        // All lanes make up for the delay of one: else it would stay behind.
        let behind = i64::try_from(self.lanes).map_or(0, |lanes| place.later_by / lanes);
        Settlement { held_until: place.at + self.window + lateness, back: back - behind }
    }
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
