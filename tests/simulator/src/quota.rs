use std::time::{Duration, Instant};

/// How many calls may come at once after a pause.
pub(crate) const BURST: f64 = 5.0;

/// The rate limit: a token bucket of [`BURST`] calls. One bucket for everybody, since the real limit is per client
/// address and all callers of a stand-in on one machine share theirs.
#[derive(Debug)]
pub(crate) struct Bucket {
    level: f64,
    since: Instant,
    calls_per_second: f64,
}

/// What the `x-ratelimit-*` headers say about one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quota {
    /// Whether the call had a place.
    pub(crate) allowed: bool,
    /// Calls per second, a whole number.
    pub(crate) limit: u64,
    /// Calls that may follow at once, a whole number.
    pub(crate) remaining: u64,
    /// Seconds until the quota is whole again, with fractions.
    pub(crate) reset: Duration,
}

impl Bucket {
    pub(crate) fn new(calls_per_second: f64, now: Instant) -> Bucket {
        Bucket { level: BURST, since: now, calls_per_second }
    }

    /// Counts a call. One that is refused takes nothing, so that waiting for the reset always helps.
    pub(crate) fn take(&mut self, now: Instant) -> Quota {
        self.fill(now);
        let allowed = self.level >= 1.0;
        if allowed {
            self.level -= 1.0;
        }
        let missing = (BURST - self.level) / self.calls_per_second;
        Quota {
            allowed,
            limit: self.calls_per_second.round().max(1.0) as u64,
            remaining: self.level.floor() as u64,
            reset: Duration::try_from_secs_f64(missing).unwrap_or(Duration::MAX),
        }
    }

    /// From now on another rate; what is in the bucket stays.
    pub(crate) fn set_rate(&mut self, calls_per_second: f64, now: Instant) {
        self.fill(now);
        self.calls_per_second = calls_per_second;
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.level = (self.level + passed * self.calls_per_second).min(BURST);
        self.since = self.since.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_then_one_each_fifth_of_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5.0, start);
        let remaining: Vec<u64> = (0..5).map(|_| bucket.take(start).remaining).collect();
        assert_eq!(remaining, [4, 3, 2, 1, 0]);

        let refused = bucket.take(start);
        assert!(!refused.allowed);
        assert_eq!((refused.limit, refused.remaining, refused.reset), (5, 0, Duration::from_secs(1)));
        assert!(!bucket.take(start + Duration::from_millis(199)).allowed);
        assert!(bucket.take(start + Duration::from_millis(201)).allowed);
        assert!(!bucket.take(start + Duration::from_millis(202)).allowed);
        assert!(bucket.take(start + Duration::from_millis(202) + refused.reset).allowed);
    }

    #[test]
    fn a_fraction_of_a_second_resets_one_call() {
        let start = Instant::now();
        let quota = Bucket::new(5.0, start).take(start);
        assert_eq!(quota.reset, Duration::from_millis(200));
    }

    #[test]
    fn a_pause_never_gives_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5.0, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..10).filter(|_| bucket.take(later).allowed).count(), 5);
    }

    #[test]
    fn a_new_rate_counts_from_its_moment() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5.0, start);
        for _ in 0..5 {
            bucket.take(start);
        }
        bucket.set_rate(50.0, start);
        assert!(bucket.take(start + Duration::from_millis(21)).allowed);
        assert!(!bucket.take(start + Duration::from_millis(22)).allowed);
    }
}
