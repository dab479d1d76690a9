//! Looks up what a send refers to in Skolverket's public registers, within a time limit, and caches the entries in the
//! process. A failed look-up never refuses a send: the register counts as not checked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use stafett_domain::register::{Known, Mentions, Register};
use stafett_domain::{Findings, OrganisationNumber};
use stafett_history::{Limiter, Taken};
use stafett_runtime::{Clock, Lookups};
use stafett_skolverket::{CallFailure, OpenData, Roots};
use uuid::Uuid;

mod cache;
#[cfg(test)]
mod tests;

use cache::{Cache, Entry, Unlisted, Whole, put};

/// The maximum number of look-ups of single entries for a send, and the maximum at the same time. One call returns all
/// school units of an organiser, and one call returns each other register. An id that is missing there is rare, or is
/// the caller's error.
const MOST_UNLISTED: usize = 20;
const AT_ONCE: usize = 4;

/// The register entries for a send.
pub(crate) struct Checked {
    /// The registers that did not respond. They do not prevent acceptance.
    pub(crate) not_checked: Vec<Register>,
    /// The entries that were found.
    pub(crate) known: Known,
}

/// The cache and the client of the registers. The client is built for the first send.
pub(crate) struct Registers {
    settings: Lookups,
    roots: Roots,
    limiter: Limiter,
    client: OnceLock<OpenData>,
    cache: Mutex<Cache>,
    clock: Clock,
}

impl Registers {
    /// Each call takes a slot from `limiter`.
    pub(crate) fn new(settings: Lookups, roots: Roots, limiter: Limiter, clock: Clock) -> Self {
        Self { settings, roots, limiter, client: OnceLock::new(), cache: Mutex::default(), clock }
    }

    /// Looks up what a send refers to, and adds contradictions with the registers to `findings`.
    pub(crate) async fn check(
        &self,
        organisation: &OrganisationNumber,
        mentions: &Mentions,
        findings: &mut Findings,
    ) -> Checked {
        let known = self.look_up(organisation, mentions).await;
        let not_checked = mentions.check(&known, self.clock.now(), findings);
        Checked { not_checked, known }
    }

    /// Looks up what a send refers to, and stops at the time limit for validation.
    async fn look_up(&self, organisation: &OrganisationNumber, mentions: &Mentions) -> Known {
        let now = self.clock.now();
        let asking = Box::pin(self.ask(organisation, mentions));
        if tokio::time::timeout(self.settings.wait, asking).await.is_err() {
            tracing::warn!(event = "openData.late", organisation = %organisation, "not all was looked up in time");
        }
        self.cache().known(organisation, mentions, now)
    }

    /// Makes the calls for the entries that are not cached.
    async fn ask(&self, organisation: &OrganisationNumber, mentions: &Mentions) {
        let now = self.clock.now();
        let wanted = self.cache().wanted(organisation, mentions, now);
        let own_units = async {
            if wanted.own_units
                && let Some(found) = self.call(async |client| client.organiser(organisation).await).await
            {
                let units = found.and_then(|organiser| organiser.school_units).unwrap_or_default();
                let (now, until) = self.good_until();
                let entry = Entry { until, value: by_id(units, |unit| unit.id) };
                let own_units = &mut self.cache().own_units;
                own_units.retain(|_, entry| now < entry.until);
                own_units.insert(organisation.clone(), entry);
            }
        };
        let programmes = async {
            if wanted.programmes
                && let Some(found) = self.call(async |client| client.programmes().await).await
            {
                let (_, until) = self.good_until();
                let value = by_id(found, |programme| programme.id);
                self.cache().programmes = Some(Entry { until, value });
            }
        };
        let tests = async {
            if wanted.tests
                && let Some(found) = self.call(async |client| client.tests().await).await
            {
                let (_, until) = self.good_until();
                self.cache().tests = Some(Entry { until, value: by_id(found, |test| test.id) });
            }
        };
        futures::join!(own_units, programmes, tests);

        let unlisted = self.cache().unlisted(organisation, mentions, now);
        let unlisted = futures::stream::iter(unlisted.into_iter().take(MOST_UNLISTED));
        unlisted.for_each_concurrent(AT_ONCE, async |unlisted| self.ask_for(unlisted).await).await;
    }

    async fn ask_for(&self, unlisted: Unlisted) {
        match unlisted {
            Unlisted::SchoolUnit(id) => {
                if let Some(found) = self.call(async |client| client.school_unit(id).await).await {
                    let (now, until) = self.found_until(found.is_some());
                    put(&mut self.cache().other_units, id, found, until, now);
                }
            }
            Unlisted::Programme(id) => {
                if let Some(found) = self.call(async |client| client.programme(id).await).await {
                    let (now, until) = self.found_until(found.is_some());
                    put(&mut self.cache().other_programmes, id, found, until, now);
                }
            }
            Unlisted::Test(id) => {
                if let Some(found) = self.call(async |client| client.test(id).await).await {
                    let (now, until) = self.found_until(found.is_some());
                    put(&mut self.cache().other_tests, id, found, until, now);
                }
            }
        }
    }

    /// Waits for a slot and makes a call. Returns `None` if the call was not made or failed.
    async fn call<T>(&self, call: impl AsyncFnOnce(&OpenData) -> Result<T, CallFailure>) -> Option<T> {
        let now = self.clock.now();
        if self.cache().rests_until.is_some_and(|until| now < until) {
            return None;
        }
        let client = self.client()?;
        match self.limiter.take(now).await {
            Ok(Taken::Slot(slot)) => self.clock.sleep_until(slot.at()).await,
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
                self.rest(failure, self.clock.now()).await;
                None
            }
        }
    }

    /// Stops calls for a while after a failure, so that not every send waits for registers that do not respond.
    async fn rest(&self, failure: CallFailure, now: Timestamp) {
        self.cache().rests_until = Some(later(now, self.settings.retry));
        if let CallFailure::Throttled { reset: Some(reset) } = failure
            && let Err(error) = self.limiter.pause(now, reset).await
        {
            tracing::warn!(event = "openData.failed", error = %error, "look-ups could not be paused");
        }
    }

    /// Returns the client. It is built when first needed, so that the process starts quickly.
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

    /// Returns the current time, and the time until which an entry found now is valid.
    fn good_until(&self) -> (Timestamp, Timestamp) {
        self.found_until(true)
    }

    /// Does the same for a single entry. A missing entry is cached for a short time only, because the user who reads
    /// about it may register it at once.
    fn found_until(&self, found: bool) -> (Timestamp, Timestamp) {
        let now = self.clock.now();
        (now, later(now, if found { self.settings.keep } else { self.settings.retry }))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_id<T>(all: Vec<T>, id: impl Fn(&T) -> Uuid) -> Whole<T> {
    all.into_iter().map(|one| (id(&one), Arc::new(one))).collect::<HashMap<_, _>>()
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
