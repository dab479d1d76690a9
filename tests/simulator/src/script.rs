use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::fault::Times;
use crate::{Kind, ScriptedOutcome};

/// What a test has set down for records and jobs to come.
#[derive(Default)]
pub(crate) struct Script {
    outcomes: HashMap<Uuid, ScriptedOutcome>,
    temporary: HashMap<Uuid, Times>,
    left_out: HashMap<Uuid, Times>,
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

    pub(crate) fn sticks(&mut self, kind: Kind) -> bool {
        take_one(&mut self.stuck, kind)
    }

    pub(crate) fn loses(&mut self, kind: Kind) -> bool {
        take_one(&mut self.lost, kind)
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
        assert_eq!(script.left_out([record, other].into_iter()), HashSet::from([record]));
        assert!(script.left_out([record, other].into_iter()).is_empty());
    }
}
