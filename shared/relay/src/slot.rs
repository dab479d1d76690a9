//! When a call may be made: waits for the call's slot in Skolverket's budget, and stores how late the call was.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stafett_domain::Call;
use stafett_history::{HistoryError, Slot, Taken};
use stafett_skolverket::Exchange;

use crate::follow_up::JobRef;
use crate::relay::Relay;

/// A call that is later for its slot than this part of the window gives the slot up and takes a new one.
const LATEST: f64 = 0.2;
/// A call that is later than this part delays its lane at once: it may take longer than its lane's turn.
const LATE: f64 = 0.025;
/// The number of slots in a row that a step gives up before it lets others go first.
const SLOT_TRIES: u32 = 4;
/// A slot further away than this part of the window is checked again before its time: calls that are in progress when
/// the slot is given may turn out to be late.
const READ_AGAIN: f64 = 0.3;
/// How long before the slot the check happens, as a part of the window. Reading the history takes less time.
const BEFORE_IT: f64 = 0.03;

/// Whether a call may be made now.
pub(crate) enum Turn {
    /// Make the call now; in this slot, if the call needs one.
    Now(Option<Slot>),
    /// Others go first: the step waits this long.
    Later(Duration),
}

impl Relay {
    /// Waits for a slot. A call that is not connected to Skolverket takes no slot, because it reaches nobody.
    pub(crate) async fn turn(&self, job: &JobRef, connected: bool) -> Result<Turn, HistoryError> {
        let longest = self.timing.slot_wait;
        if !connected {
            return Ok(Turn::Now(None));
        }
        // All jobs share the slots: do not take one if the claim may end before the call does.
        if self.rest(job) <= longest + self.call_time() {
            return Ok(Turn::Later(Duration::ZERO));
        }
        let wished = self.clock.now();
        for _ in 0..SLOT_TRIES {
            let slot = match self.limiter.take(self.clock.now()).await? {
                Taken::Slot(slot) => slot,
                Taken::Busy(wait) => {
                    self.metrics.limiter_busy();
                    // Adds up to half of the longest wait, so that the steps do not all come back at the same time.
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

    /// Waits until the time of a slot. Returns whether the call was on time.
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

    /// Stores how late a slot's call may have arrived. If this fails, the lateness that was assumed stays.
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
