//! The effect of a refused record on the records that refer to it, under `onRecordErrors: continue`.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::{IfRefused, Relation};

/// How a record is sent after records of earlier stages were refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// Sent unchanged.
    Unchanged,
    /// Sent without the references to refused records.
    Without {
        /// The record as sent.
        record: Value,
        /// The references that were removed.
        left_out: Vec<RecordId>,
    },
    /// Not sent, because it depends on a refused record.
    Skipped {
        /// The refused record.
        because: RecordId,
    },
}

/// Whether a refused record can change or skip records of this kind.
pub fn depends(kind: RecordKind) -> bool {
    Relation::of(kind).any(|relation| relation.if_refused != IfRefused::Unchanged)
}

/// Prepares a record for sending. `refused`: records of earlier stages that were not accepted.
pub fn prepare(kind: RecordKind, record: &Value, refused: &HashSet<RecordId>) -> Prepared {
    let mut prepared = Cow::Borrowed(record);
    let mut left_out = Vec::new();
    for relation in Relation::of(kind) {
        let mut refused_here = relation.ids(record).filter(|id| refused.contains(id)).peekable();
        let Some(because) = refused_here.peek().copied() else { continue };
        match relation.if_refused {
            IfRefused::Unchanged => {}
            IfRefused::Skipped => return Prepared::Skipped { because },
            IfRefused::LeftOut | IfRefused::LeftOutUnlessLast => {
                left_out.extend(refused_here);
                let is_left = leave_out(prepared.to_mut(), &relation, refused);
                if !is_left && relation.if_refused == IfRefused::LeftOutUnlessLast {
                    return Prepared::Skipped { because };
                }
            }
        }
    }
    match prepared {
        Cow::Borrowed(_) => Prepared::Unchanged,
        Cow::Owned(record) => Prepared::Without { record, left_out },
    }
}

/// Removes the references to refused records from a list. Returns whether any reference is left.
fn leave_out(record: &mut Value, relation: &Relation, refused: &HashSet<RecordId>) -> bool {
    let list = relation.list().and_then(|list| record.get_mut(list));
    let Some(Value::Array(entries)) = list else { return false };
    entries.retain(|entry| {
        let id = relation.id_in(entry).and_then(|id| id.parse().ok());
        id.is_none_or(|id| !refused.contains(&id))
    });
    !entries.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    fn activity(groups: &[u128], duties: &[u128]) -> Value {
        let groups: Vec<_> = groups.iter().map(|number| json!({"id": id(*number)})).collect();
        let teachers: Vec<_> = duties.iter().map(|number| json!({"duty": {"id": id(*number)}})).collect();
        json!({"id": id(1), "groups": groups, "teachers": teachers})
    }

    #[test]
    fn a_refused_persons_duty_is_skipped() {
        let duty = |person| json!({"id": id(1), "person": {"id": id(person)}});
        let refused = HashSet::from([id(7)]);
        assert_eq!(prepare(RecordKind::Duty, &duty(7), &refused), Prepared::Skipped { because: id(7) });
        assert_eq!(prepare(RecordKind::Duty, &duty(8), &refused), Prepared::Unchanged);
    }

    #[test]
    fn a_group_goes_as_it_is() {
        let group = json!({"id": id(1), "groupMemberships": [{"person": {"id": id(7)}}]});
        assert_eq!(prepare(RecordKind::Group, &group, &HashSet::from([id(7)])), Prepared::Unchanged);
    }

    #[test]
    fn an_activity_goes_without_what_was_refused_as_long_as_a_group_is_left() {
        let refused = HashSet::from([id(10), id(20)]);
        let kind = RecordKind::Activity;
        assert_eq!(prepare(kind, &activity(&[11], &[21]), &refused), Prepared::Unchanged);
        assert_eq!(
            prepare(kind, &activity(&[10, 11], &[20, 21]), &refused),
            Prepared::Without { record: activity(&[11], &[21]), left_out: vec![id(10), id(20)] }
        );
        assert_eq!(
            prepare(kind, &activity(&[11], &[20]), &refused),
            Prepared::Without { record: activity(&[11], &[]), left_out: vec![id(20)] }
        );
        assert_eq!(prepare(kind, &activity(&[10], &[21]), &refused), Prepared::Skipped { because: id(10) });
    }
}
