//! The register entries that a send names, collected record by record.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use uuid::Uuid;

use crate::kind::id::RecordId;
use crate::kind::record::{Activity, Duty, Group, Person, Record};
use crate::kind::record_kind::RecordKind;
use crate::kind::skolverket_id::skolverket_id;
use crate::kind::vocabulary::SchoolType;
use crate::rules::finding::MAX_LISTED;

/// Where a record stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The number of its part, of a send that comes in parts.
    pub part: Option<u32>,
    /// Its place in its list.
    pub index: usize,
}

/// The largest number of different entries of a register that are collected: more than any organiser has. What a send
/// names beyond them is not checked.
pub(super) const MOST_THINGS: usize = 20_000;
/// The largest number of places that are collected in all, besides the first one of each entry.
const MOST_PLACES: usize = 50_000;
/// The largest number of records that are collected in all besides these, by eight bytes each: more than a send of a
/// municipality names.
const MOST_RECORDS: usize = 400_000;

/// The entries that are named, and where. Many records name few entries, so only the first places of each entry are
/// collected. They take a few megabytes, whatever the send holds.
#[derive(Debug, Clone, Default)]
pub struct Mentions {
    pub(super) school_units: Things<Uuid>,
    pub(super) offers: Things<Offer>,
    pub(super) programmes: Things<Uuid>,
    pub(super) tests: Things<Uuid>,
    kept: Kept,
}

/// How much is collected of all entries.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    places: usize,
    records: usize,
}

/// Things of a kind, and where each is named.
#[derive(Debug, Clone)]
pub(super) struct Things<T> {
    pub(super) known: BTreeMap<T, Places>,
    /// There were more than are collected.
    pub(super) more: bool,
}

/// A school type, and perhaps a school year, that records claim for a school unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) school_unit: Uuid,
    /// Whether a group names it: domain rule 14 instead of 9.
    pub(super) of_group: bool,
    pub(super) school_type: &'static str,
    pub(super) school_year: Option<u8>,
}

/// Where something is named.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) count: u32,
    pub(super) first: Vec<Place>,
    /// The records of the others, by eight bytes of their ids.
    pub(super) more: Vec<u64>,
}

/// One place. Thousands are collected, so its JSON Pointer is built only when it is reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) record: RecordId,
    part: Option<u32>,
    index: u32,
    within: Within,
}

/// The part of a record that has the attribute.
#[derive(Debug, Clone, Copy)]
enum Within {
    /// An enrolment of a person, or an attribute of it.
    Enrolment(u32, &'static str),
    /// An attribute of a record of this kind, or the record itself.
    Record(RecordKind, &'static str),
}

impl Place {
    fn new(at: At, record: &impl Record, within: Within) -> Self {
        Self { record: record.id(), part: at.part, index: number(at.index), within }
    }

    /// Of a record that is no person.
    fn of<T: Record>(at: At, record: &T, attribute: &'static str) -> Self {
        Self::new(at, record, Within::Record(T::KIND, attribute))
    }

    /// A JSON Pointer to what holds the attribute.
    pub(super) fn pointer(&self) -> String {
        let part = self.part.map(|part| format!("/parts/{part}")).unwrap_or_default();
        let index = self.index;
        match self.within {
            Within::Enrolment(enrolment, attribute) => {
                let persons = RecordKind::Person.list();
                format!("{part}/{persons}/{index}/enrolments/{enrolment}{attribute}")
            }
            Within::Record(kind, attribute) => format!("{part}/{}/{index}{attribute}", kind.list()),
        }
    }
}

/// The place in a list of a body, which is far shorter than that.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl<T> Default for Things<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), more: false }
    }
}

impl<T: Ord> Things<T> {
    /// Notes that an entry is named. `kept`: how much is collected in all.
    fn add(&mut self, thing: T, kept: &mut Kept, place: Place) {
        let full = self.known.len() >= MOST_THINGS;
        let places = match self.known.entry(thing) {
            Entry::Vacant(_) if full => {
                self.more = true;
                return;
            }
            entry => entry.or_default(),
        };
        places.count = places.count.saturating_add(1);
        if places.first.is_empty() || (places.first.len() < MAX_LISTED && kept.places < MOST_PLACES) {
            places.first.push(place);
            kept.places += 1;
        } else if kept.records < MOST_RECORDS {
            places.more.push(place.record.hash64());
            kept.records += 1;
        }
    }

    /// Whether each is one of which `is_known` holds, and none was left out.
    pub(super) fn all(&self, is_known: impl Fn(&T) -> bool) -> bool {
        !self.more && self.known.keys().all(is_known)
    }
}

impl Mentions {
    /// Adds the entries that a person names.
    pub fn person(&mut self, at: At, person: &Person) {
        let enrolments = person.enrolments.iter().flatten().enumerate();
        for (index, enrolment) in enrolments.filter(|(_, enrolment)| enrolment.is_current()) {
            let here = |attribute| Place::new(at, person, Within::Enrolment(number(index), attribute));
            let unit = enrolment.enroled_at.id;
            self.school_units.add(unit, &mut self.kept, here("/enroledAt"));
            let offer = Offer {
                school_unit: unit,
                of_group: false,
                school_type: enrolment.school_type.as_str(),
                school_year: enrolment.school_year,
            };
            self.offers.add(offer, &mut self.kept, here(""));
            if let (SchoolType::Gy, Some(code)) = (enrolment.school_type, enrolment.study_path()) {
                // By its id: whatever was put there, it is no text that could be repeated.
                self.programmes.add(skolverket_id(code), &mut self.kept, here("/educationCode"));
            }
        }
    }

    /// Adds the entries that a duty names.
    pub fn duty(&mut self, at: At, duty: &Duty) {
        self.school_units.add(duty.duty_at.id, &mut self.kept, Place::of(at, duty, "/dutyAt"));
    }

    /// Adds the entries that a group names.
    pub fn group(&mut self, at: At, group: &Group) {
        let unit = group.organisation.id;
        self.school_units.add(unit, &mut self.kept, Place::of(at, group, "/organisation"));
        let offer = Offer {
            school_unit: unit,
            of_group: true,
            school_type: group.school_type.as_str(),
            school_year: None,
        };
        self.offers.add(offer, &mut self.kept, Place::of(at, group, ""));
    }

    /// Adds the entries that an activity names.
    pub fn activity(&mut self, at: At, activity: &Activity) {
        let unit = activity.organisation.id;
        self.school_units.add(unit, &mut self.kept, Place::of(at, activity, "/organisation"));
        let test = activity.parent_activity.id;
        self.tests.add(test, &mut self.kept, Place::of(at, activity, "/parentActivity"));
    }

    /// The school units that are named, each once.
    pub fn school_units(&self) -> impl Iterator<Item = Uuid> {
        self.school_units.known.keys().copied()
    }

    /// The study paths that are named, each once.
    pub fn programmes(&self) -> impl Iterator<Item = Uuid> {
        self.programmes.known.keys().copied()
    }

    /// The national tests that are named, each once.
    pub fn tests(&self) -> impl Iterator<Item = Uuid> {
        self.tests.known.keys().copied()
    }
}
