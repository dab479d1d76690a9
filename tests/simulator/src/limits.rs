use std::time::Duration;

/// In which windows calls are counted. Skolverket's documents do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any window of that length. What this takes, the other takes too.
    Sliding,
    /// One after another, each as long as the one before.
    Fixed,
}

/// The simulator's limits, and how long it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bulk and job calls per second of all callers in total, because one address is one client: five in a window of
    /// the time that five take. Published: 5.
    pub calls_per_second: f64,
    /// How they are counted, when they arrive.
    pub window: Window,
    /// The way here takes up to so much longer for each bulk or job call, at random: it arrives that much later.
    pub jitter: Duration,
    /// Largest body of a bulk call. Published: 200 KB, read here as the smaller of its two meanings.
    pub max_body_bytes: usize,
    /// How long a bulk or job call takes to be answered.
    pub call_time: Duration,
    /// How long a job takes from the moment its bulk call was answered.
    pub job_time: Duration,
    /// How long a token is valid. Seen at the real server: 36,000 s.
    pub token_life: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            calls_per_second: 5.0,
            window: Window::Sliding,
            jitter: Duration::ZERO,
            max_body_bytes: 200_000,
            call_time: Duration::ZERO,
            job_time: Duration::from_millis(500),
            token_life: Duration::from_secs(36_000),
        }
    }
}

impl Limits {
    /// The same limits, everything `factor` times faster: the rate is multiplied, the times are divided. The five calls
    /// of a window, the body size and the life of a token stay as they are. A factor that is not a positive number changes
    /// nothing.
    pub fn scaled(self, factor: f64) -> Limits {
        let faster =
            |time: Duration| Duration::try_from_secs_f64(time.as_secs_f64() / factor).unwrap_or(time);
        if !factor.is_finite() || factor <= 0.0 {
            return self;
        }
        Limits {
            calls_per_second: self.calls_per_second * factor,
            jitter: faster(self.jitter),
            call_time: faster(self.call_time),
            job_time: faster(self.job_time),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_limits_are_the_default() {
        let limits = Limits::default();
        assert_eq!((limits.calls_per_second, limits.window), (5.0, Window::Sliding));
        assert_eq!(limits.jitter, Duration::ZERO);
        assert_eq!(limits.max_body_bytes, 200_000);
        assert_eq!(limits.call_time, Duration::ZERO);
        assert_eq!(limits.job_time, Duration::from_millis(500));
        assert_eq!(limits.token_life, Duration::from_secs(36_000));
    }

    #[test]
    fn scaling_changes_rate_and_times_only() {
        let (call_time, jitter) = (Duration::from_millis(40), Duration::from_millis(80));
        let limits = Limits { call_time, jitter, ..Limits::default() }.scaled(10.0);
        assert_eq!(limits.calls_per_second, 50.0);
        assert_eq!((limits.call_time, limits.jitter), (Duration::from_millis(4), Duration::from_millis(8)));
        assert_eq!(limits.job_time, Duration::from_millis(50));
        assert_eq!(limits.max_body_bytes, 200_000);
        assert_eq!(limits.token_life, Duration::from_secs(36_000));
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(limits.scaled(factor), limits);
        }
    }
}
