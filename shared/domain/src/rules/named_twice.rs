//! That a list names the same record twice (rules 14 and 15): it is sent once, and counted once.

use std::collections::HashSet;

use crate::kind::finding_code::FindingCode;
use crate::kind::record::Record;
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;
use crate::rules::finding::Findings;
use crate::rules::place::Place;

/// Finds the records that this one names twice.
pub(super) fn named_twice<T: Record>(place: Place, record: &T, findings: &mut Findings) {
    for relation in Relation::of(T::KIND) {
        let code = match (relation.from, relation.to) {
            (RecordKind::Group, RecordKind::Person) => FindingCode::MemberNamedTwice,
            (RecordKind::Activity, RecordKind::Group) => FindingCode::GroupNamedTwice,
            (RecordKind::Activity, RecordKind::Duty) => FindingCode::TeacherNamedTwice,
            _ => continue,
        };
        let mut named = HashSet::new();
        for (index, id) in record.referred(relation.to).into_iter().enumerate() {
            if !named.insert(id) {
                findings.broken(code, record.id(), || place.pointer(&relation.pointer(index)));
            }
        }
    }
}
