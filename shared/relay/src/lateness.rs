//! Estimates how late a call arrived, from the time of its answer. If a call takes longer than the quickest of its
//! kind, it may have spent the difference on the way to Skolverket.

use std::time::Duration;

/// After this number of calls the quickest earlier call is forgotten: Skolverket may have become slower.
const REMEMBERED: u32 = 64;

/// What is known of one kind of call.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    quickest: Option<Duration>,
    /// The quickest of the calls before the last [`REMEMBERED`].
    before: Option<Duration>,
    seen: u32,
}

impl Lateness {
    /// The longest time by which a call may have arrived after its slot. The call left `left_late` after the slot and
    /// was answered after `took`. While few calls are known, the quickest one may itself have been late, by up to
    /// `spread`. A time far above the spread counts as work at Skolverket, but not while other callers find that calls
    /// are too fast (`wary`).
    pub(crate) fn of(
        &mut self,
        left_late: Duration,
        took: Duration,
        spread: Duration,
        wary: bool,
    ) -> Duration {
        if self.seen > 0 && self.seen.is_multiple_of(REMEMBERED) {
            self.before = self.quickest.take();
        }
        self.seen = self.seen.saturating_add(1);
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        let quickest = self.before.map_or(quickest, |before| before.min(quickest));
        let on_the_way = took.saturating_sub(quickest) + spread / self.seen;
        left_late + on_the_way.min(spread.mul_f64(if wary { 4.0 } else { 1.2 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPREAD: Duration = Duration::from_millis(73);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_first_call_may_have_been_as_late_as_any() {
        assert_eq!(Lateness::default().of(ms(3), ms(300), SPREAD, false), ms(3) + SPREAD);
    }

    #[test]
    fn what_a_call_took_longer_it_may_have_been_late() {
        let mut lateness = Lateness::default();
        for _ in 0..72 {
            lateness.of(Duration::ZERO, ms(300), SPREAD, false);
        }
        let late = lateness.of(ms(5), ms(340), SPREAD, false);
        assert_eq!(late, ms(46));
        // Slow work at Skolverket does not mean that the call arrived late.
        assert_eq!(lateness.of(ms(5), ms(5_000), SPREAD, false), ms(5) + SPREAD.mul_f64(1.2));
        assert_eq!(lateness.of(ms(5), ms(500), SPREAD, true), ms(5) + ms(200) + SPREAD / 75);
    }

    #[test]
    fn a_server_that_became_slower_is_known_again() {
        let mut lateness = Lateness::default();
        lateness.of(Duration::ZERO, ms(100), SPREAD, false);
        let late: Vec<_> =
            (0..3 * REMEMBERED).map(|_| lateness.of(Duration::ZERO, ms(300), SPREAD, false)).collect();
        assert_eq!(late[100], SPREAD.mul_f64(1.2));
        assert!(late[190] < ms(2));
    }
}
