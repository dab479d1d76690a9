//! The cache of register entries. The registers are public, so the entries are not secret and all organisers share
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use stafett_domain::OrganisationNumber;
use stafett_domain::register::{Known, KnownUnit, Mentions, NationalTest, Programme, SchoolUnit};
use uuid::Uuid;

/// A whole register, or the part of it that belongs to one organiser, by Skolverket's ids.
pub(super) type Whole<T> = HashMap<Uuid, Arc<T>>;

/// A cached value, valid until `until`.
pub(super) struct Entry<T> {
    pub(super) until: Timestamp,
    pub(super) value: T,
}

/// Single entries. `None` means that the register does not have the id.
pub(super) type Single<T> = HashMap<Uuid, Entry<Option<Arc<T>>>>;

#[derive(Default)]
pub(super) struct Cache {
    pub(super) own_units: HashMap<OrganisationNumber, Entry<Whole<SchoolUnit>>>,
    pub(super) programmes: Option<Entry<Whole<Programme>>>,
    pub(super) tests: Option<Entry<Whole<NationalTest>>>,
    pub(super) other_units: Single<SchoolUnit>,
    pub(super) other_programmes: Single<Programme>,
    pub(super) other_tests: Single<NationalTest>,
    /// After a failed call, no calls are made until this time.
    pub(super) rests_until: Option<Timestamp>,
}

/// An id that is not in the whole register and needs its own look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlisted {
    SchoolUnit(Uuid),
    Programme(Uuid),
    Test(Uuid),
}

/// The whole registers to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) own_units: bool,
    pub(super) programmes: bool,
    pub(super) tests: bool,
}

impl Cache {
    /// Returns the whole registers that are needed and not cached.
    pub(super) fn wanted(
        &self,
        organisation: &OrganisationNumber,
        mentions: &Mentions,
        now: Timestamp,
    ) -> Wanted {
        Wanted {
            own_units: mentions.school_units().next().is_some() && self.own(organisation, now).is_none(),
            programmes: mentions.programmes().next().is_some()
                && good(self.programmes.as_ref(), now).is_none(),
            tests: mentions.tests().next().is_some() && good(self.tests.as_ref(), now).is_none(),
        }
    }

    /// Returns the ids that are not in a whole register and were not looked up yet. A cached register may be older than
    /// the entry, and a school unit may belong to another organiser.
    pub(super) fn unlisted(
        &self,
        organisation: &OrganisationNumber,
        mentions: &Mentions,
        now: Timestamp,
    ) -> Vec<Unlisted> {
        let mut unlisted = Vec::new();
        if let Some(own) = self.own(organisation, now) {
            let ids = mentions.school_units().filter(|id| cached(own, &self.other_units, id, now).is_none());
            unlisted.extend(ids.map(Unlisted::SchoolUnit));
        }
        if let Some(programmes) = good(self.programmes.as_ref(), now) {
            let ids = mentions
                .programmes()
                .filter(|id| cached(programmes, &self.other_programmes, id, now).is_none());
            unlisted.extend(ids.map(Unlisted::Programme));
        }
        if let Some(tests) = good(self.tests.as_ref(), now) {
            let ids = mentions.tests().filter(|id| cached(tests, &self.other_tests, id, now).is_none());
            unlisted.extend(ids.map(Unlisted::Test));
        }
        unlisted
    }

    /// Returns the cached answers for all entries that the send refers to.
    pub(super) fn known(
        &self,
        organisation: &OrganisationNumber,
        mentions: &Mentions,
        now: Timestamp,
    ) -> Known {
        let nothing = HashMap::new();
        let own = self.own(organisation, now).unwrap_or(&nothing);
        let school_unit = |id| {
            let known = match cached(own, &self.other_units, &id, now)? {
                Some(unit) if own.contains_key(&id) || !unit.is_of_another(organisation) => {
                    KnownUnit::Own(unit)
                }
                Some(unit) => KnownUnit::Others(unit),
                None => KnownUnit::Nowhere,
            };
            Some((id, known))
        };
        let (no_programmes, no_tests) = (HashMap::new(), HashMap::new());
        let programmes = good(self.programmes.as_ref(), now).unwrap_or(&no_programmes);
        let tests = good(self.tests.as_ref(), now).unwrap_or(&no_tests);
        Known {
            school_units: mentions.school_units().filter_map(school_unit).collect(),
            programmes: mentions
                .programmes()
                .filter_map(|id| Some((id, cached(programmes, &self.other_programmes, &id, now)?)))
                .collect(),
            tests: mentions
                .tests()
                .filter_map(|id| Some((id, cached(tests, &self.other_tests, &id, now)?)))
                .collect(),
        }
    }

    fn own(&self, organisation: &OrganisationNumber, now: Timestamp) -> Option<&Whole<SchoolUnit>> {
        good(self.own_units.get(organisation), now)
    }
}

/// Caches a single entry, and removes the entries that have expired.
pub(super) fn put<T>(single: &mut Single<T>, id: Uuid, value: Option<T>, until: Timestamp, now: Timestamp) {
    single.retain(|_, entry| now < entry.until);
    single.insert(id, Entry { until, value: value.map(Arc::new) });
}

fn good<T>(entry: Option<&Entry<T>>, now: Timestamp) -> Option<&T> {
    entry.filter(|entry| now < entry.until).map(|entry| &entry.value)
}

/// Returns the cached answer: the entry exists, it does not exist, or `None` if nothing is cached.
fn cached<T>(whole: &Whole<T>, single: &Single<T>, id: &Uuid, now: Timestamp) -> Option<Option<Arc<T>>> {
    match whole.get(id) {
        Some(found) => Some(Some(Arc::clone(found))),
        None => good(single.get(id), now).cloned(),
    }
}
