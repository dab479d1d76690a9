//! What a record that was not accepted means for those that refer to it, where the sender chose to go on (design §3).

use std::collections::HashSet;

use serde_json::Value;

use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;

/// What becomes of a record that is sent later.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// It goes as it is.
    Unchanged,
    /// It goes without these, which were not accepted.
    Without {
        /// As it goes.
        record: Value,
        /// What it goes without.
        left_out: Vec<RecordId>,
    },
    /// It is not sent, because of this record that it depends on.
    Skipped {
        /// Not accepted.
        because: RecordId,
    },
}

/// Whether records of a kind may depend on refused ones so that they are changed or skipped. Groups go unchanged:
/// Skolverket takes them with a warning for the missing member (skolverket/README, behaviour 6).
pub fn depends(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::Duty | RecordKind::Activity)
}

/// Prepares a record of `kind` where these records, which are sent before it, were not accepted.
pub fn prepare(kind: RecordKind, record: &Value, refused: &HashSet<RecordId>) -> Prepared {
    let refused_at = |pointer: &str, value: &Value| {
        let id = value.pointer(pointer).and_then(Value::as_str)?.parse().ok()?;
        refused.contains(&id).then_some(id)
    };
    match kind {
        RecordKind::Person | RecordKind::Group => Prepared::Unchanged,
        RecordKind::Duty => match refused_at("/person/id", record) {
            Some(because) => Prepared::Skipped { because },
            None => Prepared::Unchanged,
        },
        RecordKind::Activity => {
            let mut record = record.clone();
            let mut left_out = Vec::new();
            for (list, pointer) in [("groups", "/id"), ("teachers", "/duty/id")] {
                if let Some(Value::Array(entries)) = record.get_mut(list) {
                    entries.retain(|entry| match refused_at(pointer, entry) {
                        Some(id) => {
                            left_out.push(id);
                            false
                        }
                        None => true,
                    });
                }
            }
            let has_groups =
                record.get("groups").and_then(Value::as_array).is_some_and(|groups| !groups.is_empty());
            match left_out.first() {
                None => Prepared::Unchanged,
                Some(because) if !has_groups => Prepared::Skipped { because: *because },
                Some(_) => Prepared::Without { record, left_out },
            }
        }
    }
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
