//! The body of a send, read and found sound.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, FaultCode, Faults};
use crate::json;
use crate::links;
use crate::plan::{MAX_BODY_BYTES, framed_len};
use crate::reason::Text;
use crate::record::{Activity, Duty, Group, Person, Record};
use crate::shape::Walk;
use crate::stage::StageName;
use crate::table::{self, Attribute};

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
    /// What the sender chose.
    pub options: Options,
}

/// A record, and the JSON that goes to Skolverket for it.
#[derive(Clone)]
pub struct Entry<T> {
    record: T,
    wire: String,
}

/// What the sender may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// What becomes of the stages after one with refused records.
    #[serde(default)]
    pub on_record_errors: OnRecordErrors,
    /// Where the records are that others refer to.
    #[serde(default)]
    pub references: References,
}

/// Where the records are that others refer to (domain rule 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum References {
    /// All in the same send.
    #[default]
    Internal,
    /// Also at Skolverket already, from an earlier send.
    External,
}

/// What becomes of the stages after one in which Skolverket refused records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnRecordErrors {
    /// They do not start.
    #[default]
    Stop,
    /// They go without what depends on refused records.
    Continue,
}

/// Why a body is not a submission. Neither form holds a value of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Not a JSON object at all (HTTP 400).
    NotReadable {
        /// What is wrong, with line and column (both from 1, columns in bytes), and what to do.
        detail: Text,
    },
    /// Readable and wrong (HTTP 422): everything that is wrong with it.
    Faults(Faults),
}

impl<T> Entry<T> {
    /// The record.
    pub fn record(&self) -> &T {
        &self.record
    }

    /// Compact JSON as it goes to Skolverket: codes are ids here.
    pub fn wire(&self) -> &str {
        &self.wire
    }
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
    /// Checks structure, ids and references (domain rules 1–3, and what is required or closed in 4–15), and that
    /// each record fits a call. All that is wrong is told at once.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object, [`Rejection::Faults`] if it is a faulty one.
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let external = |attributes: &Map<String, Value>| {
            attributes.get("options").and_then(|options| options.get("references")).and_then(Value::as_str)
                == Some("external")
        };
        Self::read(body, table::SUBMISSION, external).map(|(submission, _)| submission)
    }

    /// Reads corrected records of an earlier send: `{activities?, groups?, duties?, persons?}`. What they refer to is
    /// there or at Skolverket already.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse_corrections(body: &[u8]) -> Result<Self, Rejection> {
        Self::read(body, table::CORRECTIONS, |_| true).map(|(submission, _)| submission)
    }

    /// Reads a part of a send: `{part, activities?, groups?, duties?, persons?}`, and its number, from 1. What its
    /// records refer to may be in other parts.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse_part(body: &[u8]) -> Result<(u32, Self), Rejection> {
        let (submission, attributes) = Self::read(body, table::PART, |_| true)?;
        Ok((number(&attributes, "part"), submission))
    }

    /// Reads what opens a send for parts: `{upload, options?}`.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse_upload(body: &[u8]) -> Result<Options, Rejection> {
        Self::read(body, table::UPLOAD, |_| true).map(|(submission, _)| submission.options)
    }

    /// Reads what submits a send that came in parts, `{parts}`: how many there are.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse_submit(body: &[u8]) -> Result<u32, Rejection> {
        Self::read(body, table::SUBMIT, |_| true).map(|(_, attributes)| number(&attributes, "parts"))
    }

    fn read(
        body: &[u8],
        form: &'static [Attribute],
        external: impl FnOnce(&Map<String, Value>) -> bool,
    ) -> Result<(Self, Map<String, Value>), Rejection> {
        let mut walk = Walk::default();
        let mut submission = Self {
            activities: Vec::new(),
            groups: Vec::new(),
            duties: Vec::new(),
            persons: Vec::new(),
            options: Options::default(),
        };
        let frame = json::read(body, &mut walk, &mut |stage, index, record, walk| {
            walk.record(stage, index, &record);
            let faults = &mut walk.faults;
            match stage {
                StageName::Users => take(&mut submission.persons, record, index, faults),
                StageName::Duties => take(&mut submission.duties, record, index, faults),
                StageName::Groups => take(&mut submission.groups, record, index, faults),
                StageName::Activities => take(&mut submission.activities, record, index, faults),
            }
        });
        let mut frame = frame.map_err(|detail| Rejection::NotReadable { detail })?;
        walk.frame(&frame, form);
        links::check(&mut walk, frame.lengths, external(&frame.attributes));
        if walk.faults.total > 0 {
            return Err(Rejection::Faults(walk.faults));
        }
        let options = frame.attributes.remove("options");
        submission.options =
            options.and_then(|options| serde_json::from_value(options).ok()).unwrap_or_default();
        Ok((submission, frame.attributes))
    }
}

/// A number whose form was looked at.
fn number(attributes: &Map<String, Value>, name: &str) -> u32 {
    let number = attributes.get(name).and_then(Value::as_u64);
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

/// The attribute of a body that holds a stage's records.
pub(crate) fn list_of(stage: StageName) -> &'static str {
    match stage {
        StageName::Users => "persons",
        StageName::Duties => "duties",
        StageName::Groups => "groups",
        StageName::Activities => "activities",
    }
}

/// Takes a record into its list. A faulty one is left out, its faults are known; the size of a sound one is looked at
/// all the same.
fn take<T: Record>(entries: &mut Vec<Entry<T>>, record: Value, index: usize, faults: &mut Faults) {
    let entry = serde_json::from_value::<T>(record)
        .and_then(|record| serde_json::to_string(&record).map(|wire| Entry { record, wire }));
    let pointer = || format!("/{}/{index}", list_of(T::STAGE));
    match entry {
        Ok(entry) if framed_len(entry.wire.len()) > MAX_BODY_BYTES => faults.add(|| too_large(pointer())),
        Ok(entry) => entries.push(entry),
        // The table lets nothing through that the types refuse. If it did, the record must not get lost.
        Err(_) if faults.total == 0 => faults.add(|| {
            Fault::new(
                FaultCode::WrongType,
                pointer(),
                None,
                "This record cannot be read. Compare it with the description of the interface.",
                "Posten kan inte läsas. Jämför den med beskrivningen av gränssnittet.",
            )
        }),
        Err(_) => {}
    }
}

fn too_large(pointer: String) -> Fault {
    Fault::new(
        FaultCode::TooLarge,
        pointer,
        None,
        format!(
            "The record is larger than the {MAX_BODY_BYTES} bytes that one call to Skolverket takes. Divide it, or \
             shorten its texts and lists."
        ),
        format!(
            "Posten är större än de {MAX_BODY_BYTES} byte som ett anrop till Skolverket rymmer. Dela den, eller korta \
             dess texter och listor."
        ),
    )
}

#[cfg(test)]
mod privacy;
#[cfg(test)]
mod tests;
