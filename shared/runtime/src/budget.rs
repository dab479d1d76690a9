//! How many calls an interface may get.

use std::time::Duration;

/// The rate of calls that is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The average rate.
    pub calls_per_second: f64,
    /// The number of calls in any window of this length is at most the number that the average rate allows, rounded up.
    pub window: Duration,
    /// How much later a call may arrive than the call after it.
    pub spread: Duration,
}
