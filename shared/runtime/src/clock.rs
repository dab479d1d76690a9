//! The only source of the current time; a lint enforces this.

use jiff::Timestamp;

/// The wall clock. Code that depends on the time takes a [`Timestamp`] as an argument; only this type creates one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The current time, in UTC.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now(self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits until `moment`. Returns at once if it is past.
    pub async fn sleep_until(self, moment: Timestamp) {
        if let Ok(wait) = moment.duration_since(self.now()).try_into() {
            tokio::time::sleep(wait).await;
        }
    }
}
