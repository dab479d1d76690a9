//! How fast the local stack's time runs.

use std::time::Duration;

/// By how much `--fast` shortens every duration and raises every rate. Ten is what the functions' own overhead (a
/// process start, a history write) still fits into.
const FAST: u32 = 10;

/// The factor by which durations are shortened and rates raised: 1, or 10 under `--fast`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(u32);

impl Pace {
    /// As on AWS.
    pub const REAL: Self = Self(1);
    /// As under `--fast`.
    pub const FAST: Self = Self(FAST);

    /// The factor.
    pub fn factor(self) -> u32 {
        self.0
    }

    /// This pace, twice over: 1, or 100 under `--fast`.
    pub fn twice(self) -> Self {
        Self(self.0 * self.0)
    }

    /// A duration of the template's, at this pace.
    pub fn duration(self, real: Duration) -> Duration {
        real / self.0
    }

    /// An environment variable of the template's, at this pace: names in `_MS` are durations (one, or several separated
    /// by commas), names in `_PER_SECOND` are rates, and a value that is not a number is nobody's to scale.
    pub fn variable(self, name: &str, value: &str) -> String {
        let scaled = if name.ends_with("_MS") {
            let scaled = |ms: &str| ms.parse::<u64>().map(|ms| (ms / u64::from(self.0)).to_string());
            value
                .split(',')
                .map(scaled)
                .collect::<Result<Vec<_>, _>>()
                .ok()
                .map(|durations| durations.join(","))
        } else if name.ends_with("_PER_SECOND") {
            value.parse::<f64>().ok().map(|rate| (rate * f64::from(self.0)).to_string())
        } else {
            None
        };
        scaled.unwrap_or_else(|| value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_durations_and_rates_and_nothing_else() {
        assert_eq!(Pace::FAST.variable("CLAIM_MS", "30000"), "3000");
        assert_eq!(Pace::FAST.variable("PAUSES_MS", "0,300000"), "0,30000");
        assert_eq!(Pace::FAST.twice().variable("PAUSES_MS", "0,300000"), "0,3000");
        assert_eq!(Pace::FAST.variable("PAUSES_MS", "0,soon"), "0,soon");
        assert_eq!(Pace::FAST.variable("CALLS_PER_SECOND", "4.8"), "48");
        assert_eq!(Pace::FAST.variable("RETENTION_DAYS", "400"), "400");
        assert_eq!(Pace::REAL.variable("CLAIM_MS", "30000"), "30000");
        assert_eq!(Pace::REAL.variable("CALLS_PER_SECOND", "4.8"), "4.8");
        assert_eq!(Pace::FAST.duration(Duration::from_secs(180)), Duration::from_secs(18));
    }
}
