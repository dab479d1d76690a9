//! A record of a body, and the JSON that goes to Skolverket for it.

use crate::kind::finding_code::FindingCode;
use crate::kind::record::{Activity, Group, Person, Record};
use crate::kind::record_kind::RecordKind;
use crate::rules::conditions::Conditions;
use crate::rules::finding::{Detail, Finding, FindingKind, Findings};
use crate::rules::place::Place;
use crate::rules::{activity, group, person};
use crate::submission::batch::{MAX_BODY_BYTES, framed_len};
use crate::submission::reader::FoundRecord;

/// A record, and the JSON that goes to Skolverket for it.
#[derive(Clone)]
pub struct Entry<T> {
    pub(super) record: T,
    pub(super) wire: String,
    /// Its place in its list of the body.
    index: usize,
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

/// A person, held against its own rules.
pub(super) fn person(
    found: FoundRecord,
    conditions: Conditions,
    findings: &mut Findings,
) -> Option<Entry<Person>> {
    let place = Place::of(RecordKind::Person, found.index);
    let entry = entry::<Person>(found, findings)?;
    person::person(place, &entry.record, conditions, findings);
    Some(entry)
}

/// An activity, held against its own rules.
pub(super) fn activity(found: FoundRecord, findings: &mut Findings) -> Option<Entry<Activity>> {
    let place = Place::of(RecordKind::Activity, found.index);
    let entry = entry::<Activity>(found, findings)?;
    activity::activity(place, &entry.record, findings);
    Some(entry)
}

/// A group, held against its own rules.
pub(super) fn group(found: FoundRecord, findings: &mut Findings) -> Option<Entry<Group>> {
    let place = Place::of(RecordKind::Group, found.index);
    let entry = entry::<Group>(found, findings)?;
    group::group(place, &entry.record, findings);
    Some(entry)
}

/// A record and its JSON. One that cannot be read is left out, its faults are known; the size of one that can is
/// looked at all the same.
pub(super) fn entry<T: Record>(found: FoundRecord, findings: &mut Findings) -> Option<Entry<T>> {
    let FoundRecord { kind, index, sound, record } = found;
    let entry = serde_json::from_value::<T>(record).and_then(|record| {
        let once = record.named_once();
        let wire = serde_json::to_string(once.as_ref().unwrap_or(&record))?;
        Ok(Entry { record, wire, index })
    });
    let pointer = || Place::of(kind, index).pointer("");
    match entry {
        Ok(entry) if framed_len(entry.wire.len()) > MAX_BODY_BYTES => {
            let kind = FindingKind::form(FindingCode::TooLarge, None);
            let detail = Detail::TooLarge { most: MAX_BODY_BYTES };
            findings.add(kind, Some(entry.record.id()), || Finding::new(kind, pointer()).with(detail));
            None
        }
        Ok(entry) => Some(entry),
        // The table lets nothing through that the types refuse. If it did, the record must not get lost.
        Err(_) if sound => {
            let kind = FindingKind::form(FindingCode::WrongType, None);
            findings.add(kind, None, || Finding::new(kind, pointer()).with(Detail::Unreadable));
            None
        }
        Err(_) => None,
    }
}
