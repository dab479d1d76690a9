//! The body of a send, read and found sound.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, FaultCode, Faults};
use crate::json;
use crate::links;
use crate::plan::{ActivitySummary, Cutter, Facts, MAX_BODY_BYTES, Part, PlannedBatch, framed_len, summary};
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
        let mut submission = Self {
            activities: Vec::new(),
            groups: Vec::new(),
            duties: Vec::new(),
            persons: Vec::new(),
            options: Options::default(),
        };
        let mut attributes =
            read(body, form, true, external, &mut |stage, index, record, faults| match stage {
                StageName::Users => submission.persons.extend(entry(record, index, faults)),
                StageName::Duties => submission.duties.extend(entry(record, index, faults)),
                StageName::Groups => submission.groups.extend(entry(record, index, faults)),
                StageName::Activities => submission.activities.extend(entry(record, index, faults)),
            })?;
        let options = attributes.remove("options");
        submission.options =
            options.and_then(|options| serde_json::from_value(options).ok()).unwrap_or_default();
        Ok((submission, attributes))
    }
}

/// A part of a send that comes in parts: packed into calls as it is read, so that its records are never all there
/// beside it.
pub struct PackedPart {
    /// Its number, from 1.
    pub part: u32,
    /// Its calls, by the stage's index. Facts are what a record tells by itself.
    pub stages: [Vec<PlannedBatch>; 4],
    /// Its first activities, without the number of their students.
    pub activities: Vec<ActivitySummary>,
    /// How many activities it holds.
    pub activity_count: u32,
}

impl PackedPart {
    /// Reads a part: `{part, activities?, groups?, duties?, persons?}`. What its records refer to may be in other
    /// parts. Of its activities the first `shown` are summed up.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse(body: &[u8], shown: usize) -> Result<Self, Rejection> {
        let mut cutters: [Cutter; 4] = Default::default();
        let (mut activities, mut activity_count) = (Vec::new(), 0);
        let attributes = read(body, table::PART, false, |_| true, &mut |stage, index, record, faults| {
            let [persons, duties, groups, of_activities] = &mut cutters;
            match stage {
                StageName::Users => pack(persons, entry(record, index, faults), Facts::of_person),
                StageName::Duties => pack::<Duty>(duties, entry(record, index, faults), |_| Facts::default()),
                StageName::Groups => {
                    pack::<Group>(groups, entry(record, index, faults), |_| Facts::default());
                }
                StageName::Activities => {
                    let entry = entry::<Activity>(record, index, faults);
                    if let Some(entry) = entry.as_ref().filter(|_| activities.len() < shown) {
                        activities.push(summary(&entry.record, &HashMap::new()));
                    }
                    activity_count += 1;
                    pack(of_activities, entry, |_| Facts::default());
                }
            }
        })?;
        let stages = cutters.map(Cutter::finish);
        Ok(Self { part: number(&attributes, "part"), stages, activities, activity_count })
    }
}

fn pack<T: Record>(cutter: &mut Cutter, entry: Option<Entry<T>>, facts: impl FnOnce(&T) -> Facts) {
    if let Some(Entry { record, wire }) = entry {
        cutter.add(MAX_BODY_BYTES, Part { wire: &wire, id: record.id(), facts: facts(&record) });
    }
}

/// Reads a body of this form, record by record; gives its other attributes. `linked`: references are held against
/// the records.
fn read(
    body: &[u8],
    form: &'static [Attribute],
    linked: bool,
    external: impl FnOnce(&Map<String, Value>) -> bool,
    take: &mut dyn FnMut(StageName, usize, Value, &mut Faults),
) -> Result<Map<String, Value>, Rejection> {
    let mut walk = Walk::new(linked);
    let frame = json::read(body, &mut walk, &mut |stage, index, record, walk| {
        walk.record(stage, index, &record);
        take(stage, index, record, &mut walk.faults);
    });
    let frame = frame.map_err(|detail| Rejection::NotReadable { detail })?;
    walk.frame(&frame, form);
    links::check(&mut walk, frame.lengths, external(&frame.attributes));
    if walk.faults.total > 0 { Err(Rejection::Faults(walk.faults)) } else { Ok(frame.attributes) }
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

/// A record and its JSON. A faulty one is left out, its faults are known; the size of a sound one is looked at all the
/// same.
fn entry<T: Record>(record: Value, index: usize, faults: &mut Faults) -> Option<Entry<T>> {
    let entry = serde_json::from_value::<T>(record)
        .and_then(|record| serde_json::to_string(&record).map(|wire| Entry { record, wire }));
    let pointer = || format!("/{}/{index}", list_of(T::STAGE));
    match entry {
        Ok(entry) if framed_len(entry.wire.len()) > MAX_BODY_BYTES => {
            faults.add(|| too_large(pointer()));
            None
        }
        Ok(entry) => Some(entry),
        // The table lets nothing through that the types refuse. If it did, the record must not get lost.
        Err(_) if faults.total == 0 => {
            faults.add(|| {
                Fault::new(
                    FaultCode::WrongType,
                    pointer(),
                    None,
                    "This record cannot be read. Compare it with the description of the interface.",
                    "Posten kan inte läsas. Jämför den med beskrivningen av gränssnittet.",
                )
            });
            None
        }
        Err(_) => None,
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
