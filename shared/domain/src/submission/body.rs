//! The body of a send, read and found sound.

use std::fmt;

use serde_json::{Map, Value};

use crate::kind::attribute::{self, Attribute};
use crate::kind::record::{Activity, Duty, Group, Person};
use crate::kind::record_kind::RecordKind;
use crate::rules::conditions::Conditions;
use crate::rules::cross_record::CrossRecordCheck;
use crate::rules::finding::Findings;
use crate::rules::place::Place;
use crate::rules::register::{At, Mentions};
use crate::state::options::{Options, References};
use crate::submission::entry::{self, Entry};
use crate::submission::reader::{self, Read, Rejection};

/// The records of a send, each list in the order given.
#[derive(Clone)]
pub struct Submission {
    /// At least one test activity.
    pub activities: Vec<Entry<Activity>>,
    /// Classes and teaching groups.
    pub groups: Vec<Entry<Group>>,
    /// Who works where.
    pub duties: Vec<Entry<Duty>>,
    /// Students and staff.
    pub persons: Vec<Entry<Person>>,
    pub options: Options,
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = [self.activities.len(), self.groups.len(), self.duties.len(), self.persons.len()];
        let [activities, groups, duties, persons] = lengths;
        write!(f, "Submission({activities} activities, {groups} groups, {duties} duties, {persons} persons)")
    }
}

impl Submission {
    /// Reads the body of `POST /v1/sends`: `{activities, groups, duties, persons, options?}`.
    ///
    /// Checks its form, its ids and references, that each record fits a call, and all rules. All faults
    /// are reported at once.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object.
    pub fn read(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let external = |attributes: &Map<String, Value>| {
            attributes.get("options").and_then(|options| options.get("references")).and_then(Value::as_str)
                == Some("external")
        };
        let (mut read, _) = Self::of(body, attribute::SUBMISSION, conditions, external)?;
        let whole = read.content.options.references == References::Internal
            && !read.findings.counts().iter().any(|count| count.kind.code.is_binding());
        read.content.check_cross_record(whole, &mut read.findings);
        Ok(read)
    }

    /// Reads corrected records of an earlier send: `{activities?, groups?, duties?, persons?}`. What they refer to is
    /// there or at Skolverket already.
    ///
    /// # Errors
    /// As [`Submission::read`].
    pub fn read_corrections(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let (mut read, _) = Self::of(body, attribute::CORRECTIONS, conditions, |_| true)?;
        read.content.check_cross_record(false, &mut read.findings);
        Ok(read)
    }

    /// Reads what opens a send for parts: `{upload, options?}`.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object, [`Rejection::Faults`] if it is a faulty one.
    pub fn parse_upload(body: &[u8]) -> Result<Options, Rejection> {
        Ok(reader::options(&mut reader::frame(body, attribute::UPLOAD)?))
    }

    /// Reads what submits a send that came in parts, `{parts}`: how many there are.
    ///
    /// # Errors
    /// As [`Submission::parse_upload`].
    pub fn parse_submit(body: &[u8]) -> Result<u32, Rejection> {
        Ok(reader::number(&reader::frame(body, attribute::SUBMIT)?, "parts"))
    }

    fn of(
        body: &[u8],
        form: &'static [Attribute],
        conditions: Conditions,
        external: impl FnOnce(&Map<String, Value>) -> bool,
    ) -> Result<(Read<Self>, Map<String, Value>), Rejection> {
        let mut submission = Self {
            activities: Vec::new(),
            groups: Vec::new(),
            duties: Vec::new(),
            persons: Vec::new(),
            options: Options::default(),
        };
        let (mut attributes, findings) =
            reader::read(body, form, true, external, &mut |found, findings| match found.kind {
                RecordKind::Person => submission.persons.extend(entry::person(found, conditions, findings)),
                RecordKind::Duty => submission.duties.extend(entry::entry(found, findings)),
                RecordKind::Group => submission.groups.extend(entry::group(found, findings)),
                RecordKind::Activity => submission.activities.extend(entry::activity(found, findings)),
            })?;
        submission.options = reader::options(&mut attributes);
        Ok((Read { content: submission, findings }, attributes))
    }

    /// Holds its records against the rules over several of them. `whole`: everything is there that a record may depend
    /// on, and could be read; otherwise missing records are not reported.
    fn check_cross_record(&self, whole: bool, findings: &mut Findings) {
        let Self { persons, duties, groups, activities, .. } = self;
        let mut check = CrossRecordCheck::new(whole);
        for duty in duties {
            check.staff(duty.record());
        }
        for activity in activities.iter().map(|entry| entry.record()) {
            check.test(activity, activity.parent_activity.code.as_ref());
        }
        for person in persons {
            check.person(Place::of(RecordKind::Person, person.index()), person.record(), findings);
        }
        for duty in duties {
            check.duty(Place::of(RecordKind::Duty, duty.index()), duty.record(), findings);
        }
        for group in groups {
            check.group(Place::of(RecordKind::Group, group.index()), group.record(), findings);
        }
        for activity in activities {
            check.activity(Place::of(RecordKind::Activity, activity.index()), activity.record(), findings);
        }
        check.finish(findings);
    }
}

impl Mentions {
    /// The register entries that a send names.
    pub fn of(submission: &Submission) -> Self {
        let mut mentions = Self::default();
        let at = |index| At { part: None, index };
        submission.persons.iter().for_each(|entry| mentions.person(at(entry.index()), entry.record()));
        submission.duties.iter().for_each(|entry| mentions.duty(at(entry.index()), entry.record()));
        submission.groups.iter().for_each(|entry| mentions.group(at(entry.index()), entry.record()));
        submission.activities.iter().for_each(|entry| mentions.activity(at(entry.index()), entry.record()));
        mentions
    }
}
