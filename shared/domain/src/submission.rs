//! The body of a send, read and found sound.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::environment::Environment;
use crate::finding::{Finding, FindingCode, Findings, Kind, Validation};
use crate::json;
use crate::links;
use crate::plan::{Cutter, Facts, MAX_BODY_BYTES, Part, PlannedBatch, framed_len};
use crate::reason::Text;
use crate::record::{Activity, Duty, Group, Person, Record};
use crate::rules::{self, Conditions, Place};
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
    /// Its place in its list of the body.
    index: usize,
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
    /// Where the send goes. A sender who names none leaves it to the organiser's settings; a stored send has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What becomes of a send with errors that Skolverket might yet take.
    #[serde(default)]
    pub validation: Validation,
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
    /// Readable and wrong (HTTP 422): everything that keeps it from being accepted.
    Faults(Findings),
}

/// What was read of a body.
#[derive(Debug)]
pub struct Read<T> {
    /// What can be used of it: records that cannot be read are not in it.
    pub content: T,
    /// All that is wrong with it, or worth a warning.
    pub findings: Findings,
}

impl<T> Read<T> {
    /// The whole content with what is to be said of it; or what keeps it from being accepted.
    ///
    /// # Errors
    /// [`Rejection::Faults`]
    pub fn accepted(self, validation: Validation) -> Result<(T, Findings), Rejection> {
        if self.findings.refuse(validation) {
            return Err(Rejection::Faults(self.findings.refusing(validation)));
        }
        Ok((self.content, self.findings))
    }
}

impl<T> Entry<T> {
    /// The record as it was given: [`Entry::wire`] names nobody twice.
    pub fn record(&self) -> &T {
        &self.record
    }

    /// Its place in its list of the body, from 0.
    pub(crate) fn index(&self) -> usize {
        self.index
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
    /// Looks at its form, its ids and references, that each record fits a call, and at all rules. All that is wrong
    /// is told at once.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object.
    pub fn read(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let external = |attributes: &Map<String, Value>| {
            attributes.get("options").and_then(|options| options.get("references")).and_then(Value::as_str)
                == Some("external")
        };
        let (mut read, _) = Self::of(body, table::SUBMISSION, conditions, external)?;
        let whole = read.content.options.references == References::Internal
            && !read.findings.counts().iter().any(|count| count.kind.code.is_binding());
        rules::together(&read.content, whole, &mut read.findings);
        Ok(read)
    }

    /// Reads corrected records of an earlier send: `{activities?, groups?, duties?, persons?}`. What they refer to is
    /// there or at Skolverket already.
    ///
    /// # Errors
    /// As [`Submission::read`].
    pub fn read_corrections(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let (mut read, _) = Self::of(body, table::CORRECTIONS, conditions, |_| true)?;
        rules::together(&read.content, false, &mut read.findings);
        Ok(read)
    }

    /// Reads what opens a send for parts: `{upload, options?}`.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object, [`Rejection::Faults`] if it is a faulty one.
    pub fn parse_upload(body: &[u8]) -> Result<Options, Rejection> {
        Ok(options(&mut frame(body, table::UPLOAD)?))
    }

    /// Reads what submits a send that came in parts, `{parts}`: how many there are.
    ///
    /// # Errors
    /// As [`Submission::parse_upload`].
    pub fn parse_submit(body: &[u8]) -> Result<u32, Rejection> {
        Ok(number(&frame(body, table::SUBMIT)?, "parts"))
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
            read(body, form, true, external, &mut |found, findings| match found.stage {
                StageName::Users => submission.persons.extend(person(found, conditions, findings)),
                StageName::Duties => submission.duties.extend(entry(found, findings)),
                StageName::Groups => submission.groups.extend(group(found, findings)),
                StageName::Activities => submission.activities.extend(activity(found, findings)),
            })?;
        submission.options = options(&mut attributes);
        Ok((Read { content: submission, findings }, attributes))
    }
}

/// A part of a send that comes in parts: packed into calls as it is read, so that its records are never all there
/// beside it.
pub struct PackedPart {
    /// Its number, from 1.
    pub part: u32,
    /// Its calls, by the stage's index. Facts are what a record tells by itself.
    pub stages: [Vec<PlannedBatch>; 4],
}

impl PackedPart {
    /// Reads a part: `{part, activities?, groups?, duties?, persons?}`. What its records refer to may be in other
    /// parts: rules over several records are looked at when all parts are there.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object.
    pub fn read(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let mut cutters: [Cutter; 4] = Default::default();
        let (attributes, findings) = read(body, table::PART, false, |_| true, &mut |found, findings| {
            let [persons, duties, groups, activities] = &mut cutters;
            match found.stage {
                StageName::Users => pack(persons, person(found, conditions, findings), Facts::of_person),
                StageName::Duties => pack::<Duty>(duties, entry(found, findings), |_| Facts::default()),
                StageName::Groups => pack(groups, group(found, findings), |_| Facts::default()),
                StageName::Activities => pack(activities, activity(found, findings), Facts::of_activity),
            }
        })?;
        let mut stages = cutters.map(Cutter::finish);
        stages.iter_mut().flatten().for_each(|batch| batch.mark(findings.records()));
        let content = Self { part: number(&attributes, "part"), stages };
        Ok(Read { content, findings })
    }
}

impl fmt::Debug for PackedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedPart({})", self.part)
    }
}

fn pack<T: Record>(cutter: &mut Cutter, entry: Option<Entry<T>>, facts: impl FnOnce(&T) -> Facts) {
    if let Some(Entry { record, wire, .. }) = entry {
        cutter.add(MAX_BODY_BYTES, Part { wire: &wire, id: record.id(), facts: facts(&record) });
    }
}

/// A record as it was found in a body.
struct Found {
    stage: StageName,
    /// Its place in its list.
    index: usize,
    /// Whether its form is right.
    sound: bool,
    record: Value,
}

/// Reads a body of this form, record by record; gives its other attributes. `linked`: references are held against
/// the records.
fn read(
    body: &[u8],
    form: &'static [Attribute],
    linked: bool,
    external: impl FnOnce(&Map<String, Value>) -> bool,
    take: &mut dyn FnMut(Found, &mut Findings),
) -> Result<(Map<String, Value>, Findings), Rejection> {
    let mut walk = Walk::new(linked);
    let frame = json::read(body, &mut walk, &mut |stage, index, record, walk| {
        let sound = walk.record(stage, index, &record);
        take(Found { stage, index, sound, record }, &mut walk.findings);
    });
    let frame = frame.map_err(|detail| Rejection::NotReadable { detail })?;
    walk.frame(&frame, form);
    walk.tell_not_taken();
    links::check(&mut walk, frame.lengths, external(&frame.attributes));
    Ok((frame.attributes, walk.findings))
}

/// Reads a body without records that has to be right.
fn frame(body: &[u8], form: &'static [Attribute]) -> Result<Map<String, Value>, Rejection> {
    let (content, findings) = read(body, form, true, |_| true, &mut |_, _| {})?;
    Ok(Read { content, findings }.accepted(Validation::Strict)?.0)
}

/// The options of a body, whose form was looked at.
fn options(attributes: &mut Map<String, Value>) -> Options {
    attributes.remove("options").and_then(|options| serde_json::from_value(options).ok()).unwrap_or_default()
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

/// A person, held against its own rules.
fn person(found: Found, conditions: Conditions, findings: &mut Findings) -> Option<Entry<Person>> {
    let place = Place::of(StageName::Users, found.index);
    let entry = entry::<Person>(found, findings)?;
    rules::person(place, &entry.record, conditions, findings);
    Some(entry)
}

/// An activity, held against its own rules.
fn activity(found: Found, findings: &mut Findings) -> Option<Entry<Activity>> {
    let place = Place::of(StageName::Activities, found.index);
    let entry = entry::<Activity>(found, findings)?;
    rules::activity(place, &entry.record, findings);
    Some(entry)
}

/// A group, held against its own rules.
fn group(found: Found, findings: &mut Findings) -> Option<Entry<Group>> {
    let place = Place::of(StageName::Groups, found.index);
    let entry = entry::<Group>(found, findings)?;
    rules::group(place, &entry.record, findings);
    Some(entry)
}

/// A record and its JSON. One that cannot be read is left out, its faults are known; the size of one that can is
/// looked at all the same.
fn entry<T: Record>(found: Found, findings: &mut Findings) -> Option<Entry<T>> {
    let Found { stage, index, sound, record } = found;
    let entry = serde_json::from_value::<T>(record).and_then(|record| {
        let once = record.named_once();
        let wire = serde_json::to_string(once.as_ref().unwrap_or(&record))?;
        Ok(Entry { record, wire, index })
    });
    let pointer = || Place::of(stage, index).pointer("");
    match entry {
        Ok(entry) if framed_len(entry.wire.len()) > MAX_BODY_BYTES => {
            let kind = Kind::form(FindingCode::TooLarge, None);
            findings.add(kind, Some(entry.record.id()), || too_large(Finding::new(kind, pointer())));
            None
        }
        Ok(entry) => Some(entry),
        // The table lets nothing through that the types refuse. If it did, the record must not get lost.
        Err(_) if sound => {
            let kind = Kind::form(FindingCode::WrongType, None);
            findings.add(kind, None, || {
                Finding::new(kind, pointer()).told(
                    "This record cannot be read. Compare it with the description of the interface.",
                    "Posten kan inte läsas. Jämför den med beskrivningen av gränssnittet.",
                )
            });
            None
        }
        Err(_) => None,
    }
}

fn too_large(found: Finding) -> Finding {
    found.told(
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
mod left_out;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod references;
#[cfg(test)]
mod tests;
