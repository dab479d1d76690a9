use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::{Limits, Window};

/// How many calls a window takes.
pub(crate) const CALLS: usize = 5;

/// The rate limit: [`CALLS`] arrivals in any window of a second, or in each second of a clock. One for everybody, since
/// the real limit is per client address and all callers of a simulator on one machine share theirs.
#[derive(Debug)]
pub(crate) struct Arrivals {
    window: Window,
    length: Duration,
    calls_per_second: f64,
    /// When the first window began.
    began: Instant,
    /// Calls that had a place in the window, oldest first.
    counted: VecDeque<Instant>,
}

/// The `x-ratelimit-*` headers of one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quota {
    /// Whether the call had a place.
    pub(crate) allowed: bool,
    /// Calls per second, a whole number.
    pub(crate) limit: u64,
    /// Calls that may follow at once, a whole number.
    pub(crate) remaining: u64,
    /// Seconds until a call gives its place back, with fractions.
    pub(crate) reset: Duration,
}

impl Arrivals {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Arrivals {
        let mut arrivals = Arrivals {
            window: limits.window,
            length: Duration::ZERO,
            calls_per_second: 0.0,
            began: now,
            counted: VecDeque::new(),
        };
        arrivals.set(limits);
        arrivals
    }

    /// Counts a call. One that is refused takes no place, so that waiting for the reset always helps.
    pub(crate) fn take(&mut self, now: Instant) -> Quota {
        let begins = self.begins(now);
        self.counted.retain(|at| *at > begins || (self.window == Window::Fixed && *at == begins));
        let allowed = self.counted.len() < CALLS;
        if allowed {
            self.counted.push_back(now);
        }
        let ends = match (self.window, self.counted.front()) {
            (Window::Sliding, Some(oldest)) => *oldest + self.length,
            (Window::Fixed, _) | (_, None) => begins + self.length,
        };
        Quota {
            allowed,
            limit: self.calls_per_second.round().max(1.0) as u64,
            remaining: CALLS.saturating_sub(self.counted.len()) as u64,
            reset: ends.saturating_duration_since(now),
        }
    }

    /// From now on other limits; what was counted stays.
    pub(crate) fn set(&mut self, limits: &Limits) {
        self.window = limits.window;
        self.calls_per_second = limits.calls_per_second;
        let seconds = CALLS as f64 / limits.calls_per_second;
        self.length = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    }

    /// When the window began that this moment is in.
    fn begins(&self, now: Instant) -> Instant {
        match self.window {
            Window::Sliding => now.checked_sub(self.length).unwrap_or(self.began),
            Window::Fixed => {
                let since = now.saturating_duration_since(self.began);
                let whole = since.as_nanos().checked_rem(self.length.as_nanos()).unwrap_or_default();
                now - Duration::from_nanos(u64::try_from(whole).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(window: Window, start: Instant) -> Arrivals {
        Arrivals::new(&Limits { window, ..Limits::default() }, start)
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn any_second_has_five_calls() {
        let start = Instant::now();
        let mut arrivals = arrivals(Window::Sliding, start);
        let remaining: Vec<u64> = (0..5).map(|n| arrivals.take(start + n * 100 * MS).remaining).collect();
        assert_eq!(remaining, [4, 3, 2, 1, 0]);

        let refused = arrivals.take(start + 999 * MS);
        assert!(!refused.allowed);
        assert_eq!((refused.limit, refused.remaining, refused.reset), (5, 0, MS));
        // What was refused takes nothing; the first call's place is free a second after it.
        assert!(arrivals.take(start + 1_000 * MS).allowed);
        assert!(!arrivals.take(start + 1_099 * MS).allowed);
        assert!(arrivals.take(start + 1_100 * MS).allowed);
    }

    #[test]
    fn a_late_call_and_five_on_time_are_one_too_many() {
        let start = Instant::now();
        let slot = |number: u32| start + number * 208 * MS;
        for (late, refused) in [(30, 0), (60, 1)] {
            let mut arrivals = arrivals(Window::Sliding, start);
            let first = arrivals.take(slot(0) + late * MS);
            let refusals = (1..=6).filter(|number| !arrivals.take(slot(*number)).allowed).count();
            assert_eq!((first.allowed, refusals), (true, refused), "{late} ms");
        }
    }

    #[test]
    fn a_second_of_the_clock_has_five_calls() {
        let start = Instant::now();
        let mut arrivals = arrivals(Window::Fixed, start);
        let at = |arrivals: &mut Arrivals, ms: u32| arrivals.take(start + ms * MS);
        assert!((0..5).all(|n| at(&mut arrivals, 900 + n).allowed));
        let refused = at(&mut arrivals, 990);
        assert_eq!((refused.allowed, refused.reset), (false, 10 * MS));
        // Ten within a tenth of a second, where two windows meet.
        assert!((0..5).all(|n| at(&mut arrivals, 1_000 + n).allowed));
        assert!(!at(&mut arrivals, 1_999).allowed);
        assert!(at(&mut arrivals, 2_000).allowed);
    }

    #[test]
    fn a_pause_never_gives_more_than_a_window_takes() {
        let start = Instant::now();
        for window in [Window::Sliding, Window::Fixed] {
            let mut arrivals = arrivals(window, start);
            let later = start + Duration::from_secs(3600);
            assert_eq!((0..10).filter(|_| arrivals.take(later).allowed).count(), 5);
        }
    }

    #[test]
    fn a_new_rate_counts_from_its_moment() {
        let start = Instant::now();
        let mut arrivals = arrivals(Window::Sliding, start);
        for _ in 0..5 {
            arrivals.take(start);
        }
        arrivals.set(&Limits { calls_per_second: 50.0, ..Limits::default() });
        assert!(!arrivals.take(start + 99 * MS).allowed);
        assert!(arrivals.take(start + 100 * MS).allowed);
    }
}
