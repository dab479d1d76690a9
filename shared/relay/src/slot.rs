//! When a call may be made: its slot of Skolverket's budget, met on time, and what becomes known of it afterwards.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stafett_domain::Call;
use stafett_history::{HistoryError, Slot, Taken};
use stafett_skolverket::Exchange;

use crate::follow_up::JobRef;
use crate::relay::Relay;

/// A slot that is met later than this part of the window is given up for a new one.
const LATEST: f64 = 0.2;
/// One that is met later than this part holds its lane up at once: its call may take longer than its lane's turn.
const LATE: f64 = 0.025;
/// Slots that are given up in a row before the step makes room.
const SLOT_TRIES: u32 = 4;
/// A slot further away than this part of the window is looked at again before it comes: calls that are under way when
/// it is handed out may turn out to be late.
const READ_AGAIN: f64 = 0.3;
/// How long before the slot that is, as a part of the window: a read of the history takes less.
const BEFORE_IT: f64 = 0.03;

/// Whose turn it is.
pub(crate) enum Turn {
    /// The call is to be made now; in this slot, if it needs one.
    Now(Option<Slot>),
    /// Others come first: the step makes room for so long.
    Later(Duration),
}

impl Relay {
    /// Waits for a slot. What is not connected reaches nobody, and takes none.
    pub(crate) async fn turn(&self, job: &JobRef, connected: bool) -> Result<Turn, HistoryError> {
        let longest = self.timing.slot_wait;
        if !connected {
            return Ok(Turn::Now(None));
        }
        // A slot is everybody's: none is taken that the claim may be too short for.
        if self.rest(job) <= longest + self.call_time() {
            return Ok(Turn::Later(Duration::ZERO));
        }
        let wished = self.clock.now();
        for _ in 0..SLOT_TRIES {
            let slot = match self.limiter.take(self.clock.now()).await? {
                Taken::Slot(slot) => slot,
                Taken::Busy(wait) => {
                    self.metrics.limiter_busy();
                    // Up to half the longest wait more: so that not all come back at once.
                    return Ok(Turn::Later(wait + longest.mul_f64(0.5 * fastrand::f64())));
                }
            };
            let (slot, met) = self.meet(slot, wished).await?;
            if met && self.rest(job) > self.call_time() {
                let waited = self.clock.now().duration_since(wished).try_into().unwrap_or_default();
                self.metrics.limiter_wait(waited);
                return Ok(Turn::Now(Some(slot)));
            }
            if met {
                return Ok(Turn::Later(Duration::ZERO));
            }
        }
        Ok(Turn::Later(Duration::ZERO))
    }

    /// Waits until a slot's moment; whether it was met.
    async fn meet(&self, slot: Slot, wished: Timestamp) -> Result<(Slot, bool), HistoryError> {
        let (mut slot, timing) = (slot, &self.timing);
        let part = |part| SignedDuration::try_from(timing.rate_window.mul_f64(part)).unwrap_or_default();
        if slot.at().duration_since(self.clock.now()) > part(READ_AGAIN) {
            self.clock.sleep_until(slot.at() - part(BEFORE_IT)).await;
            match self.limiter.confirm(slot).await? {
                Some(confirmed) => slot = confirmed,
                None => return Ok((slot, false)),
            }
        }
        if slot.at() > wished + timing.slot_wait {
            return Ok((slot, false));
        }
        self.clock.sleep_until(slot.at()).await;
        let late = self.clock.now().duration_since(slot.at());
        if late > part(LATE) && late <= part(LATEST) {
            let late = Duration::try_from(late).unwrap_or_default();
            self.limiter.settle(slot, late + timing.arrival_spread).await?;
        }
        Ok((slot, late <= part(LATEST)))
    }

    /// Notes how late a slot's call may have arrived. Where that fails, what was allowed for holds.
    pub(crate) async fn note_arrival<T>(
        &self,
        slot: Option<Slot>,
        call: Call,
        started_at: Timestamp,
        exchange: &Exchange<T>,
    ) {
        let (Some(slot), Some(took)) = (slot, exchange.answered_after) else { return };
        let left_late = started_at.duration_since(slot.at()).try_into().unwrap_or_default();
        let spread = self.timing.arrival_spread;
        let lateness = self.with_lateness(call, |known| known.of(left_late, took, spread, slot.is_wary()));
        if let Err(error) = self.limiter.settle(slot, lateness).await {
            tracing::debug!(event = "limiter.notSettled", error = %error, "a slot stays as it was handed out");
        }
    }
}
