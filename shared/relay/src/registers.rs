//! What Skolverket's public registers say about a send: looked up when a send names it, kept for a while in the
//! process, and never waited for longer than a caller would wait. It is never why a send fails: what is not found out
//! is not known, and the caller says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use stafett_domain::OrganisationNumber;
use stafett_domain::register::{Known, Mentions};
use stafett_skolverket::{CallFailure, OpenData, Roots};
use uuid::Uuid;

use stafett_history::{Limiter, Taken};
use stafett_runtime::Clock;
use stafett_runtime::config::Lookups;

mod kept;
#[cfg(test)]
mod tests;

use kept::{Entry, Kept, Stranger, Whole, put};

/// Things that a send may have looked up by themselves, and how many at a time. An organiser's own school units come in
/// one call, and so does every other register: what is not in them is few, or nonsense.
const MOST_STRANGERS: usize = 20;
const AT_ONCE: usize = 4;

/// Looks things up, and keeps them. Nothing is built before the first send asks.
pub struct Registers {
    settings: Lookups,
    roots: Roots,
    limiter: Limiter,
    client: OnceLock<OpenData>,
    kept: Mutex<Kept>,
}

impl Registers {
    /// Asks where and as `settings` say, with a slot of `limiter` a call.
    pub(crate) fn new(settings: Lookups, roots: Roots, limiter: Limiter) -> Self {
        Self { settings, roots, limiter, client: OnceLock::new(), kept: Mutex::default() }
    }

    /// What the registers say of what an organiser's send names. Takes no longer than a validation may wait.
    pub async fn look_up(
        &self,
        organisation: &OrganisationNumber,
        mentions: &Mentions,
        clock: Clock,
    ) -> Known {
        let now = clock.now();
        let asking = Box::pin(self.ask(organisation, mentions, clock));
        if tokio::time::timeout(self.settings.wait, asking).await.is_err() {
            tracing::warn!(event = "openData.late", organisation = %organisation, "not all was looked up in time");
        }
        self.kept().known(organisation, mentions, now)
    }

    /// Asks for what is named and not kept.
    async fn ask(&self, organisation: &OrganisationNumber, mentions: &Mentions, clock: Clock) {
        let now = clock.now();
        let wanted = self.kept().wanted(organisation, mentions, now);
        let own_units = async {
            if wanted.own_units
                && let Some(found) =
                    self.call(clock, async |client| client.organiser(organisation).await).await
            {
                let units = found.and_then(|organiser| organiser.school_units).unwrap_or_default();
                let (now, until) = self.good_until(clock);
                let entry = Entry { until, value: by_id(units, |unit| unit.id) };
                let own_units = &mut self.kept().own_units;
                own_units.retain(|_, entry| now < entry.until);
                own_units.insert(organisation.clone(), entry);
            }
        };
        let programmes = async {
            if wanted.programmes
                && let Some(found) = self.call(clock, async |client| client.programmes().await).await
            {
                let (_, until) = self.good_until(clock);
                let value = by_id(found, |programme| programme.id);
                self.kept().programmes = Some(Entry { until, value });
            }
        };
        let tests = async {
            if wanted.tests
                && let Some(found) = self.call(clock, async |client| client.tests().await).await
            {
                let (_, until) = self.good_until(clock);
                self.kept().tests = Some(Entry { until, value: by_id(found, |test| test.id) });
            }
        };
        futures::join!(own_units, programmes, tests);

        let strangers = self.kept().strangers(organisation, mentions, now);
        let strangers = futures::stream::iter(strangers.into_iter().take(MOST_STRANGERS));
        strangers.for_each_concurrent(AT_ONCE, async |stranger| self.ask_for(stranger, clock).await).await;
    }

    async fn ask_for(&self, stranger: Stranger, clock: Clock) {
        match stranger {
            Stranger::SchoolUnit(id) => {
                if let Some(found) = self.call(clock, async |client| client.school_unit(id).await).await {
                    let (now, until) = self.found_until(found.is_some(), clock);
                    put(&mut self.kept().other_units, id, found, until, now);
                }
            }
            Stranger::Programme(id) => {
                if let Some(found) = self.call(clock, async |client| client.programme(id).await).await {
                    let (now, until) = self.found_until(found.is_some(), clock);
                    put(&mut self.kept().other_programmes, id, found, until, now);
                }
            }
            Stranger::Test(id) => {
                if let Some(found) = self.call(clock, async |client| client.test(id).await).await {
                    let (now, until) = self.found_until(found.is_some(), clock);
                    put(&mut self.kept().other_tests, id, found, until, now);
                }
            }
        }
    }

    /// One call, with a slot; none if it was not made or failed.
    async fn call<T>(
        &self,
        clock: Clock,
        call: impl AsyncFnOnce(&OpenData) -> Result<T, CallFailure>,
    ) -> Option<T> {
        let now = clock.now();
        if self.kept().rests_until.is_some_and(|until| now < until) {
            return None;
        }
        let client = self.client()?;
        match self.limiter.take(now).await {
            Ok(Taken::Slot(slot)) => clock.sleep_until(slot.at()).await,
            Ok(Taken::Busy(_)) => return None,
            Err(error) => {
                tracing::warn!(event = "openData.failed", error = %error, "no slot for a look-up could be had");
                return None;
            }
        }
        match call(client).await {
            Ok(found) => Some(found),
            Err(failure) => {
                tracing::warn!(event = "openData.failed", error = %failure, "a look-up failed");
                self.rest(failure, clock.now()).await;
                None
            }
        }
    }

    /// Asks nothing for a while: while the registers do not answer, not every send is to wait for them.
    async fn rest(&self, failure: CallFailure, now: Timestamp) {
        self.kept().rests_until = Some(later(now, self.settings.retry));
        if let CallFailure::Throttled { reset: Some(reset) } = failure
            && let Err(error) = self.limiter.pause(now, reset).await
        {
            tracing::warn!(event = "openData.failed", error = %error, "look-ups could not be paused");
        }
    }

    /// Built by the first who needs it: a function's start is not to wait for it.
    fn client(&self) -> Option<&OpenData> {
        if self.client.get().is_none() {
            match OpenData::new(self.settings.url.clone(), &self.roots, self.settings.timeout) {
                Ok(client) => drop(self.client.set(client)),
                Err(error) => {
                    tracing::error!(event = "openData.failed", error = %error, "nothing can be looked up");
                }
            }
        }
        self.client.get()
    }

    /// Now, and until when it is believed what was found now.
    fn good_until(&self, clock: Clock) -> (Timestamp, Timestamp) {
        self.found_until(true, clock)
    }

    /// The same of something that was asked for by itself. What is nowhere may be registered any moment, because
    /// somebody was told that it is missing.
    fn found_until(&self, found: bool, clock: Clock) -> (Timestamp, Timestamp) {
        let now = clock.now();
        (now, later(now, if found { self.settings.keep } else { self.settings.retry }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_id<T>(all: Vec<T>, id: impl Fn(&T) -> Uuid) -> Whole<T> {
    all.into_iter().map(|one| (id(&one), Arc::new(one))).collect::<HashMap<_, _>>()
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
