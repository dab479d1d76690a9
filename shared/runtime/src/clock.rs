//! Time comes from here and from nowhere else; a lint keeps it so.

use jiff::Timestamp;

/// The wall clock. Everything that decides by time takes a [`Timestamp`] as an argument; this is where one is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// Now, UTC.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now(self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits until then; not at all where that is past.
    pub async fn sleep_until(self, moment: Timestamp) {
        if let Ok(wait) = moment.duration_since(self.now()).try_into() {
            tokio::time::sleep(wait).await;
        }
    }
}
