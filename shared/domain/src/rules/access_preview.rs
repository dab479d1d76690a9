//! Who will see whose results (domain rule 16): each duty of a send with the groups of its activities, or with the school
//! unit that it leads. Covers the records of the send only; records that Skolverket has from before are not known here.
//!
//! Every duty may be in every activity. Memory grows with the send, not with the send times its duties, and a duty shows
//! at most fifty groups and activities.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::finding_code::FindingCode;
use crate::kind::id::RecordId;
use crate::kind::skolverket_id::TestCode;
use crate::kind::vocabulary::DutyRole;
use crate::state::facts::Facts;
use crate::state::row::{Access, RowError, shown_name};

/// Most groups, and most activities, that a duty shows; the others are only counted.
const SHOWN: usize = 50;
/// Most bytes of a name, as encoded in JSON, so that no name makes a response too large.
const LONGEST_NAME: usize = 100;

/// What the holder of one duty sees.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    pub duty_id: RecordId,
    /// The person who holds the duty.
    pub person_id: Option<RecordId>,
    /// The person's name, as rows show it.
    pub name: Option<String>,
    /// The person's identity is protected.
    pub protected: bool,
    /// The name is left out because of what the caller may see.
    pub masked: bool,
    /// The role, as the sender wrote it.
    pub role: Option<String>,
    /// Skolverket's id of the school unit.
    pub school_unit_id: Option<Uuid>,
    /// A principal or school administrator, who sees all results of the school unit.
    pub sees_school_unit: bool,
    /// The first fifty groups of its activities, each once.
    #[schemars(length(max = 50))]
    pub groups: Vec<GroupSeen>,
    /// How many groups there are.
    pub group_count: usize,
    /// How many different students are in all its groups.
    pub students: usize,
    /// Its first fifty activities.
    #[schemars(length(max = 50))]
    pub activities: Vec<ActivitySeen>,
    /// How many activities there are.
    pub activity_count: usize,
}

/// A group whose students' results are seen.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupSeen {
    /// The group.
    pub id: RecordId,
    /// Its display name. `None` if the group is not in the send.
    pub display_name: Option<String>,
    /// How many students. `None` if the group is not in the send.
    pub students: Option<usize>,
}

/// An activity that a duty teaches in.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivitySeen {
    /// The activity.
    pub id: RecordId,
    /// Its display name.
    pub display_name: Option<String>,
    /// The test's code, if the sender gave it.
    pub test_code: Option<TestCode>,
    /// How many teachers.
    pub teachers: usize,
    /// How many groups.
    pub groups: usize,
    /// Set if the activity has several teachers and several groups.
    pub warning: Option<Warning>,
    /// Set if the duty is at another school unit than the activity.
    pub school_unit_warning: Option<Warning>,
}

/// The finding that a validation reports for the same activity. It is shown with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning(pub FindingCode);

/// Builds the viewers of one page of duties. Call order: `duties` for those of the page; `activities` for every activity of
/// the send; `groups` for at least the `wanted` groups; then `finish`. Bodies are the stored bodies of bulk calls.
pub struct Preview {
    access: Access,
    viewers: Vec<Viewer>,
    /// The index of each duty in `viewers`.
    places: HashMap<RecordId, usize>,
    /// For each viewer, the indexes of its activities in `activities`.
    taught: Vec<Vec<u32>>,
    /// The activities of viewers.
    activities: Vec<Met>,
    /// A number for each group of these activities.
    groups: Numbered,
    /// Name and members of each group, by its number, once they have been read.
    known: Vec<Option<Known>>,
    /// A number for each student of these groups.
    students: Numbered,
}

/// An activity, and the numbers of its groups, each once.
struct Met {
    seen: ActivitySeen,
    school_unit: Option<Uuid>,
    groups: Vec<u32>,
}

/// A group that has been read.
struct Known {
    name: Option<String>,
    /// The students' numbers, each once.
    members: Vec<u32>,
}

/// Numbers ids from 0, in the order in which they come.
#[derive(Default)]
struct Numbered(HashMap<RecordId, u32>);

impl Numbered {
    fn number(&mut self, id: RecordId) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(id).or_insert(next)
    }
}

/// Which numbers the current viewer has met. Stores the last viewer for each number, so it need not be cleared between
/// viewers.
struct MetBy(Vec<u32>);

impl MetBy {
    fn of(numbered: &Numbered) -> Self {
        Self(vec![0; numbered.0.len()])
    }

    /// Whether the viewer with this number, from 1, meets it for the first time.
    fn is_new(&mut self, number: u32, viewer: u32) -> bool {
        self.0.get_mut(number as usize).is_some_and(|last| std::mem::replace(last, viewer) != viewer)
    }
}

/// Cuts a name after [`LONGEST_NAME`] bytes.
fn cut(mut name: String) -> String {
    let in_json = |letter: char| match letter {
        '"' | '\\' => 2,
        '\0'..='\x1f' => 6,
        _ => letter.len_utf8(),
    };
    let mut bytes = 0;
    let end = name.char_indices().find(|(_, letter)| {
        bytes += in_json(*letter);
        bytes > LONGEST_NAME
    });
    if let Some((end, _)) = end {
        name.truncate(end);
        name.push('…');
    }
    // What was cut off must not stay in memory.
    name.shrink_to_fit();
    name
}

#[derive(Deserialize)]
struct Data<T> {
    data: Vec<T>,
}

// Only the fields that are needed of stored records: the history is stored for more than a year, and must stay readable
// when the record types have changed.

#[derive(Deserialize)]
struct Ref {
    id: RecordId,
}

#[derive(Deserialize)]
struct UnitRef {
    id: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Duty {
    id: RecordId,
    person: Option<Ref>,
    duty_at: Option<UnitRef>,
    duty_role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    id: RecordId,
    display_name: Option<String>,
    organisation: Option<UnitRef>,
    #[serde(default)]
    groups: Vec<Ref>,
    #[serde(default)]
    teachers: Vec<Teacher>,
}

#[derive(Deserialize)]
struct Teacher {
    duty: Option<Ref>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: RecordId,
    display_name: Option<String>,
    #[serde(default)]
    group_memberships: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    person: Option<Ref>,
}

fn read<'b, T: Deserialize<'b>>(body: &'b str) -> Result<Vec<T>, RowError> {
    serde_json::from_str::<Data<T>>(body).map(|body| body.data).map_err(|_| RowError::NotABatch)
}

/// The records of a body, each with its facts.
fn with_facts<'b, 'f, T: Deserialize<'b>>(
    body: &'b str,
    facts: &'f [Facts],
) -> Result<impl Iterator<Item = (T, &'f Facts)>, RowError> {
    let records: Vec<T> = read(body)?;
    if records.len() != facts.len() {
        return Err(RowError::FactsDiffer { records: records.len(), facts: facts.len() });
    }
    Ok(records.into_iter().zip(facts))
}

impl Preview {
    /// Starts without duties. `access`: what the caller may see.
    pub fn new(access: Access) -> Self {
        Self {
            access,
            viewers: Vec::new(),
            places: HashMap::new(),
            taught: Vec::new(),
            activities: Vec::new(),
            groups: Numbered::default(),
            known: Vec::new(),
            students: Numbered::default(),
        }
    }

    /// Adds at most `most` duties of a body, from index `first` on. Returns how many it added.
    ///
    /// # Errors
    /// [`RowError`] if the body is not a batch, or the facts belong to another one.
    pub fn duties(
        &mut self,
        body: &str,
        facts: &[Facts],
        first: usize,
        most: usize,
    ) -> Result<usize, RowError> {
        let before = self.viewers.len();
        for (duty, facts) in with_facts::<Duty>(body, facts)?.skip(first).take(most) {
            let name = facts.name.as_ref().map(|name| cut(name.expose().to_owned()));
            let (name, masked) = match self.access {
                Access::Personal => (name, false),
                Access::Masked => shown_name(name, facts.protected),
            };
            let leads = [DutyRole::Rektor, DutyRole::Skoladministrator].map(DutyRole::as_str);
            self.places.insert(duty.id, self.viewers.len());
            self.taught.push(Vec::new());
            self.viewers.push(Viewer {
                duty_id: duty.id,
                person_id: duty.person.map(|person| person.id),
                name,
                protected: facts.protected,
                masked,
                sees_school_unit: duty.duty_role.as_deref().is_some_and(|role| leads.contains(&role)),
                role: duty.duty_role,
                school_unit_id: duty.duty_at.map(|unit| unit.id),
                groups: Vec::new(),
                group_count: 0,
                students: 0,
                activities: Vec::new(),
                activity_count: 0,
            });
        }
        Ok(self.viewers.len() - before)
    }

    /// Adds the activities of a body in which a viewer teaches.
    ///
    /// # Errors
    /// As [`Preview::duties`].
    pub fn activities(&mut self, body: &str, facts: &[Facts]) -> Result<(), RowError> {
        for (activity, facts) in with_facts::<Activity>(body, facts)? {
            let teachers: HashSet<RecordId> =
                activity.teachers.iter().filter_map(|teacher| Some(teacher.duty.as_ref()?.id)).collect();
            let taught_by: Vec<usize> =
                teachers.iter().filter_map(|duty| self.places.get(duty)).copied().collect();
            if taught_by.is_empty() {
                continue;
            }
            let mut own = HashSet::new();
            let groups: Vec<u32> = activity
                .groups
                .iter()
                .filter(|group| own.insert(group.id))
                .map(|group| self.groups.number(group.id))
                .collect();
            let seen = ActivitySeen {
                id: activity.id,
                display_name: activity.display_name.map(cut),
                test_code: facts.test_code.clone(),
                teachers: teachers.len(),
                groups: groups.len(),
                warning: (teachers.len() > 1 && groups.len() > 1)
                    .then_some(Warning(FindingCode::SeveralTeachersAndGroups)),
                school_unit_warning: None,
            };
            let school_unit = activity.organisation.map(|unit| unit.id);
            let number = u32::try_from(self.activities.len()).unwrap_or(u32::MAX);
            for place in taught_by {
                if let Some(taught) = self.taught.get_mut(place) {
                    taught.push(number);
                }
            }
            self.activities.push(Met { seen, school_unit, groups });
        }
        self.known.resize_with(self.groups.0.len(), || None);
        Ok(())
    }

    /// The groups that have not been read yet.
    pub fn wanted(&self) -> impl Iterator<Item = RecordId> {
        let known = |number: u32| matches!(self.known.get(number as usize), Some(Some(_)));
        self.groups.0.iter().filter(move |(_, number)| !known(**number)).map(|(id, _)| *id)
    }

    /// Adds the groups of a body that are wanted.
    ///
    /// # Errors
    /// As [`Preview::duties`].
    pub fn groups(&mut self, body: &str) -> Result<(), RowError> {
        for group in read::<Group>(body)? {
            let Some(number) = self.groups.0.get(&group.id) else { continue };
            let Some(known) = self.known.get_mut(*number as usize) else { continue };
            let members =
                group.group_memberships.iter().filter_map(|member| Some(member.person.as_ref()?.id));
            let mut members: Vec<u32> = members.map(|person| self.students.number(person)).collect();
            members.sort_unstable();
            members.dedup();
            members.shrink_to_fit();
            *known = Some(Known { name: group.display_name.map(cut), members });
        }
        Ok(())
    }

    /// The viewers, in the order of the duties.
    pub fn finish(mut self) -> Vec<Viewer> {
        let (mut groups_met, mut students_met) = (MetBy::of(&self.groups), MetBy::of(&self.students));
        let mut ids: Vec<(u32, RecordId)> = self.groups.0.iter().map(|(id, number)| (*number, *id)).collect();
        ids.sort_unstable_by_key(|(number, _)| *number);
        for ((viewer, taught), by) in self.viewers.iter_mut().zip(&self.taught).zip(1..) {
            let met = || taught.iter().filter_map(|number| self.activities.get(*number as usize));
            viewer.activity_count = taught.len();
            let at = viewer.school_unit_id;
            let elsewhere =
                |activity: &Met| at.is_some() && activity.school_unit.is_some_and(|unit| Some(unit) != at);
            let seen = met().take(SHOWN).map(|activity| ActivitySeen {
                school_unit_warning: elsewhere(activity)
                    .then_some(Warning(FindingCode::TeacherOfOtherSchoolUnit)),
                ..activity.seen.clone()
            });
            viewer.activities = seen.collect();
            for group in met().flat_map(|activity| &activity.groups) {
                if !groups_met.is_new(*group, by) {
                    continue;
                }
                viewer.group_count += 1;
                let known = self.known.get(*group as usize).and_then(Option::as_ref);
                if viewer.groups.len() < SHOWN
                    && let Some((_, id)) = ids.get(*group as usize)
                {
                    viewer.groups.push(GroupSeen {
                        id: *id,
                        display_name: known.and_then(|known| known.name.clone()),
                        students: known.map(|known| known.members.len()),
                    });
                }
                let members = known.into_iter().flat_map(|known| &known.members);
                viewer.students += members.filter(|member| students_met.is_new(**member, by)).count();
            }
        }
        self.viewers
    }
}

#[cfg(test)]
mod tests;
