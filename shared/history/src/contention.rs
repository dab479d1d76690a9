//! How often a write is tried that others make at the same time: the one policy for all of them.

use std::time::Duration;

use crate::error::HistoryError;

/// Tries of one write. Sixty sends of an organiser that are accepted in the same moment each get their place within these
/// (the last one has to make way for all others), and with the pauses between them they take four seconds at the most: a
/// seventh of an invocation.
pub(crate) const MOST: u32 = 60;
/// By how much each pause is longer than the one before, and the longest of them.
const GROWTH: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);
/// Pauses differ by up to this much: two that met do not meet again.
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

    /// Waits before the next try, after one that met another write.
    ///
    /// # Errors
    /// [`HistoryError::Contended`] after so many tries that something else must be wrong.
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
