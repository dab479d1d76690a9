//! The findings that keep a send from nothing, by the record that they are about: so that nobody has to look for the
//! pupil. Many records have none; of one that has, eight bytes of its id and its codes are kept.

use std::collections::HashMap;

use serde::Serialize;

use super::{FindingCode, Mender, Severity};
use crate::id::RecordId;
use crate::rules::short;

/// Which records have which findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFindings(HashMap<u64, Vec<FindingCode>>);

/// A finding of a record that was accepted all the same, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordFinding {
    /// What is wrong, or worth a look.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is fixed.
    pub mender: Mender,
    /// English: what it means, and what to do.
    pub en: &'static str,
    /// Swedish: the same.
    pub sv: &'static str,
}

impl RecordFindings {
    /// Adds a finding of a record; the same once more changes nothing.
    pub fn add(&mut self, record: RecordId, code: FindingCode) {
        self.add_short(short(record), code);
    }

    /// The same by as much of the record's id as is kept.
    pub(crate) fn add_short(&mut self, record: u64, code: FindingCode) {
        let codes = self.0.entry(record).or_default();
        if let Err(place) = codes.binary_search(&code) {
            codes.insert(place, code);
        }
    }

    /// Adds those of others.
    pub fn extend(&mut self, others: &Self) {
        for (record, codes) in &others.0 {
            codes.iter().for_each(|code| self.add_short(*record, *code));
        }
    }

    /// Of one record, in the order of the codes.
    pub fn of(&self, record: RecordId) -> &[FindingCode] {
        self.of_short(short(record))
    }

    pub(crate) fn of_short(&self, record: u64) -> &[FindingCode] {
        self.0.get(&record).map(Vec::as_slice).unwrap_or_default()
    }
}

impl FindingCode {
    /// The finding as it stands with an accepted record.
    pub fn of_record(self) -> RecordFinding {
        let (en, sv) = self.text();
        RecordFinding { code: self, severity: self.accepted_kind().severity, mender: self.mender(), en, sv }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_each_finding_once_whatever_their_order() {
        let (one, other) = (RecordId(uuid::Uuid::from_u128(1)), RecordId(uuid::Uuid::from_u128(2)));
        let (mut found, mut more) = (RecordFindings::default(), RecordFindings::default());
        for code in [FindingCode::LongName, FindingCode::EppnForm, FindingCode::LongName] {
            found.add(one, code);
        }
        more.add(one, FindingCode::Nationality);
        more.add(other, FindingCode::EppnForm);
        found.extend(&more);
        assert_eq!(found.of(one), [FindingCode::EppnForm, FindingCode::Nationality, FindingCode::LongName]);
        assert_eq!(found.of(other), [FindingCode::EppnForm]);
        assert_eq!(found.of(RecordId(uuid::Uuid::from_u128(3))), []);
    }

    #[test]
    fn a_reference_that_an_accepted_send_does_not_hold_is_a_warning() {
        assert_eq!(FindingCode::MissingReference.of_record().severity, Severity::Warning);
        assert_eq!(FindingCode::CivicNumberCheckDigit.of_record().severity, Severity::Error);
    }
}
