//! The findings that do not refuse a send, by the record that they are about, so that nobody has to search for the
//! student. Most records have none. For the others, eight bytes of the id and the codes are stored.

use std::collections::HashMap;

use crate::kind::finding_code::FindingCode;
use crate::kind::id::RecordId;

/// Which records have which findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFindings(HashMap<u64, Vec<FindingCode>>);

impl RecordFindings {
    /// Adds a finding of a record; the same once more changes nothing.
    pub fn add(&mut self, record: RecordId, code: FindingCode) {
        self.add_hash(record.hash64(), code);
    }

    /// The same by the part of the record's id that is stored.
    pub(crate) fn add_hash(&mut self, record: u64, code: FindingCode) {
        let codes = self.0.entry(record).or_default();
        if let Err(place) = codes.binary_search(&code) {
            codes.insert(place, code);
        }
    }

    /// Adds those of others.
    pub fn extend(&mut self, others: &Self) {
        for (record, codes) in &others.0 {
            codes.iter().for_each(|code| self.add_hash(*record, *code));
        }
    }

    /// Of one record, in the order of the codes.
    pub fn of(&self, record: RecordId) -> &[FindingCode] {
        self.of_hash(record.hash64())
    }

    pub(crate) fn of_hash(&self, record: u64) -> &[FindingCode] {
        self.0.get(&record).map(Vec::as_slice).unwrap_or_default()
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
}
