//! How much of an interface may be used.

use std::time::Duration;

/// How fast a budget is used.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// On the average.
    pub calls_per_second: f64,
    /// No more in any window of this length than fit into it at that rate, rounded up.
    pub window: Duration,
    /// How much later than the one after it a call may arrive.
    pub spread: Duration,
}
