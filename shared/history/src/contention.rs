//! The one policy for retrying a write that conflicts with other writes.

use std::time::Duration;

use crate::error::HistoryError;

/// The maximum number of tries of one write. If sixty sends of an organiser are accepted at the same moment, each gets
/// its place within this number (the last one loses to all others). With the pauses they take at most four seconds, a
/// seventh of an invocation.
pub(crate) const MOST: u32 = 60;
/// How much longer each pause is than the one before, and the maximum pause.
const GROWTH: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);
/// The random part of a pause, so that two writers do not conflict again.
const SPREAD_MS: u64 = 20;

/// Counts the tries of one write.
#[derive(Debug, Default)]
pub struct Contention {
    met: u32,
}

impl Contention {
    /// Whether this is the first try.
    pub(crate) fn is_first(&self) -> bool {
        self.met == 0
    }

    /// Waits before the next try, after a conflict with another write.
    ///
    /// # Errors
    /// [`HistoryError::Contended`] after so many tries that there must be another error.
    pub async fn met_another(&mut self) -> Result<(), HistoryError> {
        self.met += 1;
        if self.met >= MOST {
            return Err(HistoryError::Contended);
        }
        let pause = GROWTH.saturating_mul(self.met).min(LONGEST);
        tokio::time::sleep(pause + Duration::from_millis(fastrand::u64(..SPREAD_MS))).await;
        Ok(())
    }
}
