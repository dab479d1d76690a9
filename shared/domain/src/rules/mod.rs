//! The rules for the data (numbered as in the domain description) beyond the form of a body: what a readable record
//! says, and what records say together. Rules 1–3 and 17, what is required, and what is a closed vocabulary are held by
//! the form (`table.rs`) and by ids and references (`links.rs`); Skolverket's registers are not asked here.

mod activity;
mod civic_number;
mod eppn;
mod group;
mod person;
mod together;

#[cfg(test)]
mod tests;

use crate::finding::Findings;
use crate::stage::StageName;
use crate::submission::{Submission, list_of};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

pub(crate) use activity::activity;
pub(crate) use group::group;
pub(crate) use person::person;
pub(crate) use together::{Together, short};

/// Whether the organiser's settings attest that its routine for protected identities is in place at Skolverket
/// (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedIdentities {
    /// They do: protected persons may be sent.
    Attested,
    /// They do not.
    NotAttested,
}

/// What a body is held against beside the rules themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// Whether protected persons may be sent.
    pub protected: ProtectedIdentities,
    /// The day on which it is looked at: nobody is born after it.
    pub today: Date,
}

impl Conditions {
    /// Those that hold at a time.
    pub fn at(now: Timestamp, protected: ProtectedIdentities) -> Self {
        Self { protected, today: Offset::UTC.to_datetime(now).date() }
    }
}

/// Where a record is in what the sender gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The part's number, where the send came in parts.
    part: Option<u32>,
    stage: StageName,
    index: usize,
}

impl Place {
    /// In a list of a body.
    pub(crate) fn of(stage: StageName, index: usize) -> Self {
        Self { part: None, stage, index }
    }

    /// In a list of a part.
    pub(crate) fn in_part(part: u32, stage: StageName, index: usize) -> Self {
        Self { part: Some(part), stage, index }
    }

    /// The JSON Pointer of the record, and of a place in it (which begins with a slash).
    pub(crate) fn pointer(&self, within: &str) -> String {
        let record = format!("/{}/{}{within}", list_of(self.stage), self.index);
        match self.part {
            Some(part) => format!("/parts/{part}{record}"),
            None => record,
        }
    }
}

/// Holds the records of a body against the rules over several of them. `whole`: everything is there that a record may
/// depend on, and could be read; otherwise nothing is said of what is missing.
pub(crate) fn together(submission: &Submission, whole: bool, findings: &mut Findings) {
    let Submission { persons, duties, groups, activities, .. } = submission;
    let mut together = Together::new(whole);
    for duty in duties {
        together.staff(duty.record());
    }
    for activity in activities.iter().map(|entry| entry.record()) {
        together.test(activity, activity.parent_activity.code.as_ref());
    }
    for person in persons {
        together.person(Place::of(StageName::Users, person.index()), person.record(), findings);
    }
    for duty in duties {
        together.duty(Place::of(StageName::Duties, duty.index()), duty.record(), findings);
    }
    for group in groups {
        together.group(Place::of(StageName::Groups, group.index()), group.record(), findings);
    }
    for activity in activities {
        together.activity(Place::of(StageName::Activities, activity.index()), activity.record(), findings);
    }
    together.finish(findings);
}
