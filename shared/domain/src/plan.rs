//! How a send is cut into calls.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::composition::Composition;
use crate::finding::{FindingCode, RecordFindings};
use crate::id::RecordId;
use crate::personal::Personal;
use crate::record::{Activity, Person, Record};
use crate::skolverket_id::{SchoolUnitCode, TestCode};
use crate::stage::StageName;
use crate::submission::{Entry, Submission};
use crate::vocabulary::DutyRole;

/// The most bytes of a call's body. Skolverket takes 200 KB and does not say whether a KB is 1000 or 1024 bytes
/// (skolverket/README, behaviour 1): this is below both, with room for the unforeseen.
pub const MAX_BODY_BYTES: usize = 195_000;

/// What the row of somebody who goes to school shows as the role.
pub(crate) const STUDENT_ROLE: &str = "Elev";

const HEAD: &str = r#"{"data":["#;
const TAIL: &str = "]}";

/// The length of a body whose records, commas included, take this many bytes.
pub(crate) fn framed_len(records: usize) -> usize {
    HEAD.len() + records + TAIL.len()
}

/// All calls of a send, before anything is sent.
#[derive(Debug)]
pub struct Plan {
    stages: [Vec<PlannedBatch>; 4],
    /// The test activities, in the order given.
    pub activities: Vec<ActivitySummary>,
    composition: Composition,
}

/// One bulk call.
pub struct PlannedBatch {
    /// Compact `{"data":[…]}` in UTF-8, at most [`MAX_BODY_BYTES`].
    pub body: String,
    /// The records in it, in order.
    pub ids: Vec<RecordId>,
    /// One for each record, in the same order.
    pub facts: Vec<Facts>,
}

/// What a record's row shows that does not stand in the record itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Of a person: `Elev`, or the roles of its duties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Of a duty: the person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal>,
    /// Of a person or a duty: the person's identity is protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Of an activity: the test's code, where the sender gave it. An id does not tell its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_code: Option<TestCode>,
    /// Of an activity: the school unit's code, where the sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub school_unit_code: Option<SchoolUnitCode>,
    /// What was found about the record and did not keep it from being accepted, in the order of the codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingCode>,
}

impl Facts {
    /// What is known of an activity beside what is sent of it: the codes, which are ids there.
    pub(crate) fn of_activity(activity: &Activity) -> Self {
        Self {
            test_code: activity.parent_activity.code.clone(),
            school_unit_code: activity.organisation.code.clone(),
            ..Self::default()
        }
    }

    /// What a person's row shows as long as no duty of the person is known.
    pub(crate) fn of_person(person: &Person) -> Self {
        let enrolled = person.enrolments.as_ref().is_some_and(|enrolments| !enrolments.is_empty());
        let role = enrolled.then(|| STUDENT_ROLE.to_owned());
        Self { role, protected: person.is_protected(), ..Self::default() }
    }
}

/// A test activity in the list that the admin sees.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivitySummary {
    /// The activity.
    pub id: RecordId,
    /// Its name for people.
    pub display_name: String,
    /// Known where the sender gave the code.
    pub test_code: Option<TestCode>,
    /// Skolverket's id of the national test activity; none in what was stored before it was kept.
    #[serde(default)]
    pub test_activity_id: Option<Uuid>,
    /// Where.
    pub school_unit: SchoolUnitSummary,
    /// How many groups.
    pub groups: usize,
    /// How many different students in them; none where a group is not in the send, so that nobody knows.
    pub students: Option<usize>,
    /// How many duties teach in it.
    pub teachers: usize,
    /// How many findings it has, and what it is made of: its groups, their members, its duties, and their persons. None
    /// in what was stored before they were counted.
    #[serde(default)]
    pub finding_count: Option<u32>,
}

/// A school unit in the list that the admin sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolUnitSummary {
    /// Skolverket's id.
    pub id: Uuid,
    /// Known where the sender gave the code.
    pub code: Option<SchoolUnitCode>,
    /// As in Skolverket's register of school units; none where it is not known.
    pub name: Option<String>,
}

impl Plan {
    /// Cuts a send into calls: each stage's records in the order given, as many to a call as fit.
    pub fn of(submission: &Submission) -> Self {
        let people = People::of(submission);
        let users = parts(&submission.persons, |person| people.facts_of_person(person));
        let duties = parts(&submission.duties, |duty| people.facts_of_duty(duty.person.id));
        let groups = parts(&submission.groups, |_| Facts::default());
        let activities = parts(&submission.activities, Facts::of_activity);
        let stages = [cut(users), cut(duties), cut(groups), cut(activities)];
        let composition = composition(submission);
        let activities = submission.activities.iter().map(Entry::record);
        let activities = activities
            .map(|activity| {
                summary(activity, &Facts::of_activity(activity), composition.students(activity.id))
            })
            .collect();
        Self { stages, activities, composition }
    }

    /// Marks its records with what was found about them, and counts it for its activities.
    pub fn mark(&mut self, findings: &RecordFindings) {
        self.stages.iter_mut().flatten().for_each(|batch| batch.mark(findings));
        self.composition.count_findings(&mut self.activities, findings);
    }

    /// The activities, and all calls by the stage's index.
    pub fn into_parts(self) -> (Vec<ActivitySummary>, [Vec<PlannedBatch>; 4]) {
        (self.activities, self.stages)
    }

    /// A stage's calls, in order. A stage may have none.
    pub fn batches(&self, stage: StageName) -> &[PlannedBatch] {
        self.stages.get(stage.index()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A record on its way into a batch.
pub struct Part<'a> {
    /// Its JSON as it goes to Skolverket.
    pub wire: &'a str,
    /// Its id.
    pub id: RecordId,
    /// What its row shows beside.
    pub facts: Facts,
}

fn parts<'a, T: Record>(
    entries: &'a [Entry<T>],
    facts: impl Fn(&T) -> Facts + 'a,
) -> impl Iterator<Item = Part<'a>> {
    entries.iter().map(move |entry| Part {
        wire: entry.wire(),
        id: entry.record().id(),
        facts: facts(entry.record()),
    })
}

/// Cuts records into calls, in the order given, as many to a call as fit.
pub fn cut<'a>(parts: impl Iterator<Item = Part<'a>>) -> Vec<PlannedBatch> {
    cut_at(MAX_BODY_BYTES, parts)
}

fn cut_at<'a>(limit: usize, parts: impl Iterator<Item = Part<'a>>) -> Vec<PlannedBatch> {
    let mut cutter = Cutter::default();
    for part in parts {
        cutter.add(limit, part);
    }
    cutter.finish()
}

/// Cuts records into calls as they come.
#[derive(Default)]
pub(crate) struct Cutter(Vec<PlannedBatch>);

impl Cutter {
    /// Adds a record: to the last call if it fits there, within `limit` bytes, else to a new one.
    pub(crate) fn add(&mut self, limit: usize, part: Part<'_>) {
        match self.0.last_mut() {
            Some(batch) if batch.body.len() + ",".len() + part.wire.len() + TAIL.len() <= limit => {
                batch.body.push(',');
                batch.add(part);
            }
            _ => {
                let mut batch = PlannedBatch { body: HEAD.to_owned(), ids: Vec::new(), facts: Vec::new() };
                batch.add(part);
                self.0.push(batch);
            }
        }
    }

    /// All calls.
    pub(crate) fn finish(mut self) -> Vec<PlannedBatch> {
        for batch in &mut self.0 {
            batch.body.push_str(TAIL);
        }
        self.0
    }
}

impl PlannedBatch {
    /// Marks its records with what was found about them.
    pub(crate) fn mark(&mut self, findings: &RecordFindings) {
        for (id, facts) in self.ids.iter().zip(&mut self.facts) {
            facts.findings = findings.of(*id).to_vec();
        }
    }

    fn add(&mut self, part: Part<'_>) {
        self.body.push_str(part.wire);
        self.ids.push(part.id);
        self.facts.push(part.facts);
    }
}

impl fmt::Debug for PlannedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlannedBatch({} records, {} bytes)", self.ids.len(), self.body.len())
    }
}

impl fmt::Debug for ActivitySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivitySummary({})", self.id)
    }
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

fn composition(submission: &Submission) -> Composition {
    let mut composition = Composition::default();
    for activity in submission.activities.iter().map(Entry::record) {
        composition.activity(activity.id, activity.groups(), activity.duties());
    }
    for group in submission.groups.iter().map(Entry::record) {
        composition.group(group.id, group.members());
    }
    for duty in submission.duties.iter().map(Entry::record) {
        composition.duty(duty.id, duty.person.id);
    }
    composition
}

/// `facts`: those of the activity. `students`: how many different ones are in its groups, where that is known.
pub(crate) fn summary(activity: &Activity, facts: &Facts, students: Option<usize>) -> ActivitySummary {
    let groups: HashSet<RecordId> = activity.groups().collect();
    let teachers: HashSet<RecordId> = activity.duties().collect();
    ActivitySummary {
        id: activity.id,
        display_name: activity.display_name.clone(),
        test_code: facts.test_code.clone(),
        test_activity_id: Some(activity.parent_activity.id),
        school_unit: SchoolUnitSummary {
            id: activity.organisation.id,
            code: facts.school_unit_code.clone(),
            name: None,
        },
        groups: groups.len(),
        students,
        teachers: teachers.len(),
        finding_count: None,
    }
}

#[cfg(test)]
mod tests;
