//! What the relay needs to take its steps.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use stafett_domain::Call;
use stafett_domain::time::{Millis, later};
use stafett_history::{History, Limiter};
use stafett_runtime::{Clock, Metrics, Organisers, Process, Queues, Timing};
use stafett_skolverket::{Addresses, Api, Client};

use crate::follow_up::JobRef;
use crate::handover::Handover;
use crate::lateness::Lateness;
use crate::verdict;

/// Everything that a step needs. Built once per process.
pub struct Relay {
    pub(crate) timing: Timing,
    pub(crate) history: History,
    pub(crate) queues: Queues,
    pub(crate) organisers: Arc<Organisers>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) handover: Handover,
    pub(crate) skolverket: Client,
    pub(crate) limiter: Limiter,
    /// First for submits, then for polls.
    lateness: Mutex<[Lateness; 2]>,
}

impl Relay {
    /// Builds it from the parts of the process.
    pub fn new(process: Process) -> Self {
        let history = History::of(&process);
        let handover = Handover::new(&process, history.clone());
        let Process { config, queues, organisers, metrics, roots, clock, .. } = process;
        let timing = config.timing;
        let worst = verdict::worst_case(&timing);
        tracing::info!(
            event = "schedule.worstCase",
            calls = worst.calls,
            seconds = worst.span.as_secs(),
            "the most calls for a batch that Skolverket does not answer, and the time until it is given up"
        );
        let addresses = Addresses {
            production: Api { base: config.skolverket_url, location: config.skolverket_location },
            verification: config.verification,
            authorization: config.token_url,
            roots,
        };
        Self {
            limiter: Limiter::new(history.clone(), "bulk", timing.budget(), timing.slot_wait),
            lateness: Mutex::default(),
            skolverket: Client::new(addresses, timing.http_timeout),
            handover,
            history,
            queues,
            organisers,
            metrics,
            clock,
            timing,
        }
    }

    /// The time until which an invocation may hold a claim: as long as claims last, but not beyond the invocation's own
    /// end.
    pub fn deadline(&self, invocation_ends: SystemTime) -> Timestamp {
        let claim_ends = self.clock.now() + self.timing.claim;
        Timestamp::try_from(invocation_ends).map_or(claim_ends, |ends| claim_ends.min(ends))
    }

    /// The time at which a step that is due at `at` becomes overdue.
    pub(crate) fn overdue_at(&self, at: Millis) -> Millis {
        later(at, self.timing.overdue)
    }

    /// The part of the claim that must be left before a call may start: the call's time-out, and a tenth for the writes
    /// after it.
    pub(crate) fn call_time(&self) -> Duration {
        self.timing.http_timeout.mul_f64(1.1)
    }

    /// The time from now until `at`; zero if it is past.
    pub(crate) fn time_until(&self, at: Millis) -> Duration {
        let wait = at.saturating_sub(self.clock.now().as_millisecond());
        Duration::from_millis(u64::try_from(wait).unwrap_or_default())
    }

    /// The time that is left of the claim.
    pub(crate) fn rest(&self, job: &JobRef) -> Duration {
        job.until.duration_since(self.clock.now()).try_into().unwrap_or_default()
    }

    /// Calls `look` with the measured lateness of calls of this kind.
    pub(crate) fn with_lateness<T>(&self, call: Call, look: impl FnOnce(&mut Lateness) -> T) -> T {
        let [of_submits, of_polls] = &mut *self.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        look(match call {
            Call::Submit => of_submits,
            Call::Poll => of_polls,
        })
    }
}
