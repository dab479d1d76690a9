//! What a send says of things that are in Skolverket's registers, gathered record by record.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::finding::MAX_LISTED;
use crate::id::RecordId;
use crate::record::{Activity, Duty, Group, Person, Record};
use crate::skolverket_id::skolverket_id;
use crate::submission::{Submission, list_of};
use crate::vocabulary::SchoolType;

/// Where a record stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The number of its part, of a send that comes in parts.
    pub part: Option<u32>,
    /// Its place in its list.
    pub index: usize,
}

/// What is named, and where. Many records name few things: of each thing the first places are kept.
#[derive(Debug, Clone, Default)]
pub struct Mentions {
    pub(super) school_units: BTreeMap<Uuid, Places>,
    pub(super) offers: BTreeMap<Offer, Places>,
    pub(super) programmes: BTreeMap<Uuid, Places>,
    pub(super) tests: BTreeMap<Uuid, Places>,
}

/// A school type, and perhaps a school year, that a school unit is said to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) school_unit: Uuid,
    /// Whether a group says so: domain rule 14 instead of 9.
    pub(super) of_group: bool,
    pub(super) school_type: &'static str,
    pub(super) school_year: Option<u8>,
}

/// Where something is named.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) count: u32,
    pub(super) first: Vec<Place>,
}

/// One place.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) record: RecordId,
    /// A JSON Pointer to what holds the attribute.
    pub(super) pointer: String,
}

impl Places {
    fn add(&mut self, place: impl FnOnce() -> Place) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_LISTED {
            self.first.push(place());
        }
    }
}

fn place<T: Record>(at: At, record: &T, rest: &str) -> Place {
    let part = at.part.map(|part| format!("/parts/{part}")).unwrap_or_default();
    Place { record: record.id(), pointer: format!("{part}/{}/{}{rest}", list_of(T::STAGE), at.index) }
}

impl Mentions {
    /// All that a send says.
    pub fn of(submission: &Submission) -> Self {
        let mut mentions = Self::default();
        let at = |index| At { part: None, index };
        submission.persons.iter().for_each(|entry| mentions.person(at(entry.index()), entry.record()));
        submission.duties.iter().for_each(|entry| mentions.duty(at(entry.index()), entry.record()));
        submission.groups.iter().for_each(|entry| mentions.group(at(entry.index()), entry.record()));
        submission.activities.iter().for_each(|entry| mentions.activity(at(entry.index()), entry.record()));
        mentions
    }

    /// Adds what a person says.
    pub fn person(&mut self, at: At, person: &Person) {
        for (index, enrolment) in person.enrolments.iter().flatten().enumerate() {
            let within = format!("/enrolments/{index}");
            let unit = enrolment.enroled_at.id;
            let here = |rest: &str| place(at, person, &format!("{within}{rest}"));
            self.school_units.entry(unit).or_default().add(|| here("/enroledAt"));
            let offer = Offer {
                school_unit: unit,
                of_group: false,
                school_type: enrolment.school_type.as_str(),
                school_year: enrolment.school_year,
            };
            self.offers.entry(offer).or_default().add(|| here(""));
            if let (SchoolType::Gy, Some(code)) = (enrolment.school_type, &enrolment.education_code) {
                // By its id: whatever was put there, it is no text that could be repeated.
                self.programmes.entry(skolverket_id(code)).or_default().add(|| here("/educationCode"));
            }
        }
    }

    /// Adds what a duty says.
    pub fn duty(&mut self, at: At, duty: &Duty) {
        self.school_units.entry(duty.duty_at.id).or_default().add(|| place(at, duty, "/dutyAt"));
    }

    /// Adds what a group says.
    pub fn group(&mut self, at: At, group: &Group) {
        let unit = group.organisation.id;
        self.school_units.entry(unit).or_default().add(|| place(at, group, "/organisation"));
        let offer = Offer {
            school_unit: unit,
            of_group: true,
            school_type: group.school_type.as_str(),
            school_year: None,
        };
        self.offers.entry(offer).or_default().add(|| place(at, group, ""));
    }

    /// Adds what an activity says.
    pub fn activity(&mut self, at: At, activity: &Activity) {
        let unit = activity.organisation.id;
        self.school_units.entry(unit).or_default().add(|| place(at, activity, "/organisation"));
        let test = activity.parent_activity.id;
        self.tests.entry(test).or_default().add(|| place(at, activity, "/parentActivity"));
    }

    /// The school units that are named, each once.
    pub fn school_units(&self) -> impl Iterator<Item = Uuid> {
        self.school_units.keys().copied()
    }

    /// The study paths that are named, each once.
    pub fn programmes(&self) -> impl Iterator<Item = Uuid> {
        self.programmes.keys().copied()
    }

    /// The national tests that are named, each once.
    pub fn tests(&self) -> impl Iterator<Item = Uuid> {
        self.tests.keys().copied()
    }
}
