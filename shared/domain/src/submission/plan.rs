//! The plan of a send: all its batches, and its activities.

use std::collections::HashMap;

use crate::kind::id::RecordId;
use crate::kind::per_kind::PerKind;
use crate::kind::record::{Person, Record};
use crate::kind::record_kind::RecordKind;
use crate::kind::vocabulary::DutyRole;
use crate::rules::record_findings::RecordFindings;
use crate::state::activity_summary::ActivitySummary;
use crate::state::facts::Facts;
use crate::submission::activity_records::ActivityRecords;
use crate::submission::batch::{BatchRecord, PlannedBatch, cut};
use crate::submission::body::Submission;
use crate::submission::entry::Entry;

/// All calls of a send, before anything is sent.
#[derive(Debug)]
pub struct Plan {
    batches: PerKind<Vec<PlannedBatch>>,
    /// The test activities, in the order given.
    pub activities: Vec<ActivitySummary>,
    records: ActivityRecords,
}

impl Plan {
    /// Cuts a send into calls: each kind's records in the order given, as many to a call as fit.
    pub fn of(submission: &Submission) -> Self {
        let people = People::of(submission);
        let batches = PerKind::from_fn(|kind| match kind {
            RecordKind::Person => {
                cut(batch_records(&submission.persons, |person| people.facts_of_person(person)))
            }
            RecordKind::Duty => {
                cut(batch_records(&submission.duties, |duty| people.facts_of_duty(duty.person.id)))
            }
            RecordKind::Group => cut(batch_records(&submission.groups, |_| Facts::default())),
            RecordKind::Activity => cut(batch_records(&submission.activities, Facts::of_activity)),
        });
        let records = activity_records(submission);
        let activities = submission.activities.iter().map(Entry::record);
        let activities = activities
            .map(|activity| {
                ActivitySummary::of(activity, &Facts::of_activity(activity), records.students(activity.id))
            })
            .collect();
        Self { batches, activities, records }
    }

    /// Adds the findings to the facts of its records, and counts them for its activities.
    pub fn add_findings(&mut self, findings: &RecordFindings) {
        self.batches.values_mut().flatten().for_each(|batch| batch.add_findings(findings));
        self.records.count_findings(&mut self.activities, findings);
    }

    /// The activities, and all calls.
    pub fn into_parts(self) -> (Vec<ActivitySummary>, PerKind<Vec<PlannedBatch>>) {
        (self.activities, self.batches)
    }

    /// The calls of a kind, in order. There may be none.
    pub fn batches(&self, kind: RecordKind) -> &[PlannedBatch] {
        &self.batches[kind]
    }
}

fn batch_records<'a, T: Record>(
    entries: &'a [Entry<T>],
    facts: impl Fn(&T) -> Facts + 'a,
) -> impl Iterator<Item = BatchRecord<'a>> {
    entries.iter().map(move |entry| BatchRecord {
        wire: entry.wire(),
        id: entry.record().id(),
        facts: facts(entry.record()),
    })
}

/// Persons and their roles, looked up by id.
struct People<'a> {
    persons: HashMap<RecordId, &'a Person>,
    roles: HashMap<RecordId, Vec<DutyRole>>,
}

impl<'a> People<'a> {
    fn of(submission: &'a Submission) -> Self {
        let persons = submission.persons.iter().map(|entry| (entry.record().id, entry.record())).collect();
        let mut roles: HashMap<RecordId, Vec<DutyRole>> = HashMap::new();
        for duty in submission.duties.iter().map(Entry::record) {
            let roles = roles.entry(duty.person.id).or_default();
            if !roles.contains(&duty.duty_role) {
                roles.push(duty.duty_role);
            }
        }
        Self { persons, roles }
    }

    fn facts_of_person(&self, person: &Person) -> Facts {
        let alone = Facts::of_person(person);
        match self.roles.get(&person.id) {
            Some(roles) => Facts { role: Some(DutyRole::list(roles)), ..alone },
            None => alone,
        }
    }

    fn facts_of_duty(&self, person: RecordId) -> Facts {
        let person = self.persons.get(&person);
        Facts {
            name: person.map(|person| person.full_name()),
            protected: person.is_some_and(|person| person.is_protected()),
            ..Facts::default()
        }
    }
}

fn activity_records(submission: &Submission) -> ActivityRecords {
    let mut records = ActivityRecords::default();
    for activity in submission.activities.iter().map(Entry::record) {
        records.activity(activity.id, activity.groups(), activity.duties());
    }
    for group in submission.groups.iter().map(Entry::record) {
        records.group(group.id, group.members());
    }
    for duty in submission.duties.iter().map(Entry::record) {
        records.duty(duty.id, duty.person.id);
    }
    records
}

#[cfg(test)]
mod tests;
