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
        let external = |tree: &Map<String, Value>| {
            tree.get("options").and_then(|options| options.get("references")).and_then(Value::as_str)
                == Some("external")
        };
        Self::read(body, table::SUBMISSION, external)
    }

    /// Reads corrected records of an earlier send: `{activities?, groups?, duties?, persons?}`. What they refer to is
    /// there or at Skolverket already.
    ///
    /// # Errors
    /// As [`Submission::parse`].
    pub fn parse_corrections(body: &[u8]) -> Result<Self, Rejection> {
        Self::read(body, table::CORRECTIONS, |_| true)
    }

    fn read(
        body: &[u8],
        form: &'static [Attribute],
        external: impl FnOnce(&Map<String, Value>) -> bool,
    ) -> Result<Self, Rejection> {
        let mut faults = Faults::default();
        let mut tree = json::read(body, &mut faults).map_err(|detail| Rejection::NotReadable { detail })?;
        let mut walk = Walk::over(&tree, form, faults);
        let lengths =
            StageName::ORDER.map(|stage| tree.get(list_of(stage)).and_then(Value::as_array).map(Vec::len));
        links::check(&mut walk, lengths, external(&tree));

        let mut faults = walk.faults;
        let submission = Self {
            activities: entries(&mut tree, &mut faults),
            groups: entries(&mut tree, &mut faults),
            duties: entries(&mut tree, &mut faults),
            persons: entries(&mut tree, &mut faults),
            options: tree
                .remove("options")
                .and_then(|options| serde_json::from_value(options).ok())
                .unwrap_or_default(),
        };
        if faults.total == 0 { Ok(submission) } else { Err(Rejection::Faults(faults)) }
    }
}

/// The attribute of a body that holds a stage's records.
fn list_of(stage: StageName) -> &'static str {
    match stage {
        StageName::Users => "persons",
        StageName::Duties => "duties",
        StageName::Groups => "groups",
        StageName::Activities => "activities",
    }
}

/// Takes a list out of the tree. Faulty records are left out, their faults are known; the sizes of the sound
/// ones are looked at all the same.
fn entries<T: Record>(tree: &mut Map<String, Value>, faults: &mut Faults) -> Vec<Entry<T>> {
    let list = list_of(T::STAGE);
    let Some(Value::Array(values)) = tree.remove(list) else { return Vec::new() };
    let mut entries = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let entry = serde_json::from_value::<T>(value)
            .and_then(|record| serde_json::to_string(&record).map(|wire| Entry { record, wire }));
        match entry {
            Ok(entry) if framed_len(entry.wire.len()) > MAX_BODY_BYTES => {
                faults.add(|| too_large(format!("/{list}/{index}")));
            }
            Ok(entry) => entries.push(entry),
            // The table lets nothing through that the types refuse. If it did, the record must not get lost.
            Err(_) if faults.total == 0 => faults.add(|| {
                Fault::new(
                    FaultCode::WrongType,
                    format!("/{list}/{index}"),
                    None,
                    "This record cannot be read. Compare it with the description of the interface.",
                    "Posten kan inte läsas. Jämför den med beskrivningen av gränssnittet.",
                )
            }),
            Err(_) => {}
        }
    }
    entries
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
