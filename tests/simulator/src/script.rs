use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;

use crate::fault::Times;
use crate::{Kind, ScriptedOutcome};

/// A test's instructions for records and for jobs to come.
#[derive(Default)]
pub(crate) struct Script {
    outcomes: HashMap<Uuid, ScriptedOutcome>,
    temporary: HashMap<Uuid, Times>,
    left_out: HashMap<Uuid, Times>,
    /// Changes of records' entries in answers, by places.
    changed: HashMap<Uuid, Vec<(String, Value)>>,
    /// Entries that come beside a record's own.
    added: HashMap<Uuid, Vec<Value>>,
    /// How many of the next jobs never complete.
    stuck: HashMap<Kind, u32>,
    /// How many of the next jobs are not found.
    lost: HashMap<Kind, u32>,
}

impl Script {
    pub(crate) fn set_outcome(&mut self, record: Uuid, outcome: ScriptedOutcome) {
        self.outcomes.insert(record, outcome);
    }

    pub(crate) fn set_temporary(&mut self, record: Uuid, times: u32) {
        self.temporary.insert(record, Times(times));
    }

    /// Its outcome is again what its content gives it.
    pub(crate) fn clear_outcome(&mut self, record: Uuid) {
        self.outcomes.remove(&record);
        self.temporary.remove(&record);
    }

    pub(crate) fn leave_out(&mut self, record: Uuid, times: u32) {
        self.left_out.insert(record, Times(times));
    }

    /// How often the record is still to have a TemporaryError, or to be left out of an answer.
    pub(crate) fn left(&self, record: Uuid) -> u32 {
        [&self.temporary, &self.left_out]
            .into_iter()
            .filter_map(|times| times.get(&record))
            .map(|times| times.left())
            .sum()
    }

    pub(crate) fn stick_next(&mut self, kind: Kind) {
        *self.stuck.entry(kind).or_default() += 1;
    }

    pub(crate) fn lose_next(&mut self, kind: Kind) {
        *self.lost.entry(kind).or_default() += 1;
    }

    /// Forgets what is to happen to jobs; the outcomes of records stay.
    pub(crate) fn clear_jobs(&mut self) {
        self.left_out.clear();
        self.stuck.clear();
        self.lost.clear();
    }

    /// The outcome of a record that is being processed, if it is not its content's.
    pub(crate) fn outcome(&mut self, record: Uuid) -> Option<ScriptedOutcome> {
        if self.temporary.get_mut(&record).is_some_and(Times::take) {
            return Some(ScriptedOutcome::temporary_error());
        }
        self.outcomes.get(&record).cloned()
    }

    /// Which of its records an answer leaves out.
    pub(crate) fn left_out(&mut self, records: impl Iterator<Item = Uuid>) -> HashSet<Uuid> {
        if self.left_out.is_empty() {
            return HashSet::new();
        }
        records.filter(|record| self.left_out.get_mut(record).is_some_and(Times::take)).collect()
    }

    pub(crate) fn change_entry(&mut self, record: Uuid, place: String, value: Value) {
        self.changed.entry(record).or_default().push((place, value));
    }

    pub(crate) fn add_entry(&mut self, record: Uuid, entry: Value) {
        self.added.entry(record).or_default().push(entry);
    }

    /// Whether the record's entry lost the id that says whose it is.
    pub(crate) fn is_unnamed(&self, record: &Uuid) -> bool {
        let id = |value: &Value| value.as_str().and_then(|id| id.parse::<Uuid>().ok());
        let mut changes = self.changed.get(record).into_iter().flatten();
        changes.any(|(place, value)| place.is_empty() || (place == "/id" && id(value) != Some(*record)))
    }

    /// An answer with outcomes as the caller is to see it.
    pub(crate) fn change(&self, answer: &mut Value) {
        if self.changed.is_empty() && self.added.is_empty() {
            return;
        }
        let Some(Value::Array(entries)) = answer.get_mut("responses") else { return };
        let mut added = Vec::new();
        for entry in entries.iter_mut() {
            let Some(record) = entry["id"].as_str().and_then(|id| id.parse::<Uuid>().ok()) else { continue };
            added.extend(self.added.get(&record).into_iter().flatten().cloned());
            for (place, value) in self.changed.get(&record).into_iter().flatten() {
                put(entry, place, value.clone());
            }
        }
        entries.extend(added);
    }

    pub(crate) fn sticks(&mut self, kind: Kind) -> bool {
        take_one(&mut self.stuck, kind)
    }

    pub(crate) fn loses(&mut self, kind: Kind) -> bool {
        take_one(&mut self.lost, kind)
    }
}

/// A value in a place of an entry that is there, or is a member of what is.
fn put(entry: &mut Value, place: &str, value: Value) {
    if let Some(there) = entry.pointer_mut(place) {
        *there = value;
    } else if let Some((parent, name)) = place.rsplit_once('/')
        && let Some(Value::Object(members)) = entry.pointer_mut(parent)
    {
        members.insert(name.to_owned(), value);
    }
}

fn take_one(of: &mut HashMap<Kind, u32>, kind: Kind) -> bool {
    match of.get_mut(&kind) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_temporary_error_comes_before_the_scripted_outcome() {
        let (mut script, record) = (Script::default(), Uuid::new_v4());
        script.set_outcome(record, ScriptedOutcome::warning());
        script.set_temporary(record, 2);
        for _ in 0..2 {
            assert_eq!(script.outcome(record), Some(ScriptedOutcome::temporary_error()));
        }
        assert_eq!(script.outcome(record), Some(ScriptedOutcome::warning()));
        script.set_temporary(record, u32::MAX);
        script.clear_outcome(record);
        assert_eq!(script.outcome(record), None);
    }

    #[test]
    fn each_mark_takes_one_job_of_its_kind() {
        let mut script = Script::default();
        script.stick_next(Kind::Groups);
        script.stick_next(Kind::Groups);
        assert!(!script.sticks(Kind::Persons) && !script.loses(Kind::Groups));
        assert_eq!([(); 3].map(|()| script.sticks(Kind::Groups)), [true, true, false]);
        script.lose_next(Kind::Duties);
        script.clear_jobs();
        assert!(!script.loses(Kind::Duties));
    }

    #[test]
    fn a_record_is_left_out_so_many_times() {
        let (mut script, record, other) = (Script::default(), Uuid::new_v4(), Uuid::new_v4());
        script.leave_out(record, 1);
        assert_eq!(script.left(record), 1);
        assert_eq!(script.left_out([record, other].into_iter()), HashSet::from([record]));
        assert_eq!(script.left(record), 0);
        assert!(script.left_out([record, other].into_iter()).is_empty());
    }

    #[test]
    fn an_entry_is_changed_in_places_and_gets_others_beside_it() {
        let (mut script, record, other) = (Script::default(), Uuid::new_v4(), Uuid::new_v4());
        script.change_entry(record, "/response/status".to_owned(), "Rejected".into());
        script.change_entry(record, "/response/new".to_owned(), 1.into());
        script.add_entry(record, json!({"id": null}));
        let entry = |id: Uuid| json!({"id": id, "response": {"status": "Success"}});
        let mut answer = json!({"responses": [entry(record), entry(other)]});
        script.change(&mut answer);
        let changed = json!({"id": record, "response": {"status": "Rejected", "new": 1}});
        assert_eq!(answer, json!({"responses": [changed, entry(other), {"id": null}]}));
        script.change_entry(record, "/id".to_owned(), record.to_string().to_uppercase().into());
        assert!(!script.is_unnamed(&record), "it is the same in any letter case");
        script.change_entry(record, "/id".to_owned(), Value::Null);
        assert!(script.is_unnamed(&record) && !script.is_unnamed(&other));
    }
}
