//! Which records the test activities of a send are made of: how many students they have, and how many findings.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::kind::id::RecordId;
use crate::rules::record_findings::RecordFindings;
use crate::state::activity_summary::ActivitySummary;

/// The activities of a send with their groups and these groups' members, their duties and these duties' persons, as far
/// as the send has them: eight bytes of each id.
#[derive(Default)]
pub struct ActivityRecords {
    activities: HashMap<u64, Named>,
    /// By group; none of one that an activity names and that has not come.
    members: HashMap<u64, Option<Vec<u64>>>,
    /// By duty.
    persons: HashMap<u64, u64>,
}

/// What one activity names.
struct Named {
    groups: Vec<u64>,
    duties: Vec<u64>,
}

impl fmt::Debug for ActivityRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivityRecords({} activities)", self.activities.len())
    }
}

impl ActivityRecords {
    /// Takes an activity.
    pub(crate) fn activity(
        &mut self,
        id: RecordId,
        groups: impl IntoIterator<Item = RecordId>,
        duties: impl IntoIterator<Item = RecordId>,
    ) {
        let groups: Vec<_> = groups.into_iter().map(RecordId::hash64).collect();
        for group in &groups {
            self.members.entry(*group).or_default();
        }
        self.activities.insert(
            id.hash64(),
            Named { groups, duties: duties.into_iter().map(RecordId::hash64).collect() },
        );
    }

    /// Whether an activity that has come names this group.
    pub(crate) fn names(&self, group: RecordId) -> bool {
        self.members.contains_key(&group.hash64())
    }

    /// Takes a group.
    pub(crate) fn group(&mut self, id: RecordId, members: impl IntoIterator<Item = RecordId>) {
        let known = self.members.entry(id.hash64()).or_default();
        known.get_or_insert_default().extend(members.into_iter().map(RecordId::hash64));
    }

    /// Takes a duty.
    pub(crate) fn duty(&mut self, id: RecordId, person: RecordId) {
        self.persons.insert(id.hash64(), person.hash64());
    }

    /// How many different students the groups of an activity have; none where one of them is not in the send, so that
    /// nobody knows.
    pub(crate) fn students(&self, activity: RecordId) -> Option<usize> {
        let named = self.activities.get(&activity.hash64())?;
        let members: Option<Vec<&Vec<u64>>> =
            named.groups.iter().map(|group| self.members.get(group)?.as_ref()).collect();
        Some(members?.into_iter().flatten().collect::<HashSet<_>>().len())
    }

    /// Counts the findings of each activity: its own, and those of its groups, their members, its duties and their
    /// persons.
    pub fn count_findings(&self, activities: &mut [ActivitySummary], findings: &RecordFindings) {
        for summary in activities {
            let id = summary.id.hash64();
            let named = self.activities.get(&id).into_iter();
            let records: HashSet<u64> = named.flat_map(|named| self.records(named)).chain([id]).collect();
            let count = records.into_iter().map(|record| findings.of_hash(record).len()).sum::<usize>();
            summary.finding_count = Some(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    /// All that an activity is made of.
    fn records<'a>(&'a self, named: &'a Named) -> impl Iterator<Item = u64> + 'a {
        let members = named.groups.iter().filter_map(|group| self.members.get(group)?.as_ref()).flatten();
        let persons = named.duties.iter().filter_map(|duty| self.persons.get(duty));
        named.groups.iter().chain(members).chain(&named.duties).chain(persons).copied()
    }
}
