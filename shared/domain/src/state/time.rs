//! Times as the history compares them.

use std::time::Duration;

/// Milliseconds since 1970.
pub type Millis = i64;

/// The moment that is `wait` after `at`; the last moment there is where it would be beyond that.
pub fn later(at: Millis, wait: Duration) -> Millis {
    at.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
