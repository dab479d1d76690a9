//! What time it is, read in one place.

use std::time::{Duration, Instant};

/// Wall time that never jumps: read once from the system, then counted by the monotonic clock. Queues and deadlines
/// compare times, so a clock that is set back must not make messages invisible.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch_ms_at_start: u64,
    start: Instant,
}

impl Clock {
    /// Reads the system's clock.
    pub fn start() -> Self {
        Self { epoch_ms_at_start: system_epoch_ms(), start: Instant::now() }
    }

    /// Milliseconds since 1970 (UTC).
    pub fn now_ms(&self) -> u64 {
        self.epoch_ms_at_start.saturating_add(saturating_ms(self.start.elapsed()))
    }

    /// The same as a point in time.
    pub fn now(&self) -> jiff::Timestamp {
        timestamp(self.now_ms())
    }
}

/// Milliseconds since 1970 as a point in time; the last one that there is for a number beyond it.
pub fn timestamp(epoch_ms: u64) -> jiff::Timestamp {
    i64::try_from(epoch_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

/// A duration in whole milliseconds.
pub fn saturating_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place of the local stack that reads the system's clock"
)]
fn system_epoch_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, saturating_ms)
}
