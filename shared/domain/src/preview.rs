//! Who will see whose results (domain rule 16): each duty of a send with the groups that it meets in activities, or the
//! school unit that it leads. Of what the send holds; what is at Skolverket from before is not known here.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::finding::FindingCode;
use crate::id::RecordId;
use crate::plan::Facts;
use crate::row::{Access, RowError, shown_name};
use crate::skolverket_id::TestCode;
use crate::vocabulary::DutyRole;

/// What one duty gives to see.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// The duty.
    pub duty_id: RecordId,
    /// Whose it is.
    pub person_id: Option<RecordId>,
    /// The person's name, as rows show it.
    pub name: Option<String>,
    /// In which role.
    pub role: Option<String>,
    /// Skolverket's id of the school unit.
    pub school_unit_id: Option<Uuid>,
    /// Principals and school administrators: everything of the school unit.
    pub sees_school_unit: bool,
    /// The groups of its activities, each once.
    pub groups: Vec<GroupSeen>,
    /// How many different students in these groups.
    pub students: usize,
    /// Its activities.
    pub activities: Vec<ActivitySeen>,
}

/// A group whose students' results are seen.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupSeen {
    /// The group.
    pub id: RecordId,
    /// Its name for people; none where the group is not in the send.
    pub display_name: Option<String>,
    /// How many students; none where the group is not in the send.
    pub students: Option<usize>,
}

/// An activity that a duty teaches in.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivitySeen {
    /// The activity.
    pub id: RecordId,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The test's code, where the sender gave it.
    pub test_code: Option<TestCode>,
    /// How many teachers.
    pub teachers: usize,
    /// How many groups.
    pub groups: usize,
    /// Where several teachers meet several groups.
    pub warning: Option<Warning>,
}

/// What deserves a second look.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The finding that a validation has for it.
    pub code: FindingCode,
    /// English: what it means, and what to do.
    pub en: &'static str,
    /// Swedish: the same.
    pub sv: &'static str,
}

/// What is known by now of a page of duties. Give it those of the page, then every activity of the send, then at least
/// the groups that it wants; bodies are those of calls, as they are stored.
pub struct Preview {
    access: Access,
    viewers: Vec<Viewer>,
    /// The places of the viewers.
    places: HashMap<RecordId, usize>,
    /// The groups that they meet: name and members, once they are known.
    groups: HashMap<RecordId, Option<Known>>,
}

/// What is known of a group.
struct Known {
    name: Option<String>,
    members: Vec<RecordId>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: Vec<T>,
}

// What is read of stored records: history is kept for more than a year, and must stay readable when the types of
// records have changed.

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

/// The records of a body with what is known of each beside.
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
    /// Of no duty yet, for a caller who may see this much.
    pub fn new(access: Access) -> Self {
        Self { access, viewers: Vec::new(), places: HashMap::new(), groups: HashMap::new() }
    }

    /// Takes a body's duties from the `first` on, up to `most`; gives how many it took.
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
            let name = facts.name.as_ref().map(|name| name.expose().to_owned());
            let leads = [DutyRole::Rektor, DutyRole::Skoladministrator].map(DutyRole::as_str);
            self.places.insert(duty.id, self.viewers.len());
            self.viewers.push(Viewer {
                duty_id: duty.id,
                person_id: duty.person.map(|person| person.id),
                name: match self.access {
                    Access::Personal => name,
                    Access::Masked => shown_name(name, facts.protected),
                },
                sees_school_unit: duty.duty_role.as_deref().is_some_and(|role| leads.contains(&role)),
                role: duty.duty_role,
                school_unit_id: duty.duty_at.map(|unit| unit.id),
                groups: Vec::new(),
                students: 0,
                activities: Vec::new(),
            });
        }
        Ok(self.viewers.len() - before)
    }

    /// Takes a body's activities.
    ///
    /// # Errors
    /// As [`Preview::duties`].
    pub fn activities(&mut self, body: &str, facts: &[Facts]) -> Result<(), RowError> {
        for (activity, facts) in with_facts::<Activity>(body, facts)? {
            let teachers: HashSet<RecordId> =
                activity.teachers.iter().filter_map(|teacher| Some(teacher.duty.as_ref()?.id)).collect();
            let mut groups: Vec<RecordId> = Vec::new();
            for group in &activity.groups {
                if !groups.contains(&group.id) {
                    groups.push(group.id);
                }
            }
            let several = FindingCode::SeveralTeachersAndGroups;
            let (en, sv) = several.text();
            let seen = ActivitySeen {
                id: activity.id,
                display_name: activity.display_name,
                test_code: facts.test_code.clone(),
                teachers: teachers.len(),
                groups: groups.len(),
                warning: (teachers.len() > 1 && groups.len() > 1).then_some(Warning {
                    code: several,
                    en,
                    sv,
                }),
            };
            for place in teachers.iter().filter_map(|duty| self.places.get(duty)) {
                let Some(viewer) = self.viewers.get_mut(*place) else { continue };
                viewer.activities.push(seen.clone());
                for group in &groups {
                    self.groups.entry(*group).or_default();
                    if !viewer.groups.iter().any(|known| known.id == *group) {
                        viewer.groups.push(GroupSeen { id: *group, display_name: None, students: None });
                    }
                }
            }
        }
        Ok(())
    }

    /// The groups that are still to be looked up.
    pub fn wanted(&self) -> impl Iterator<Item = RecordId> {
        self.groups.iter().filter(|(_, known)| known.is_none()).map(|(id, _)| *id)
    }

    /// Takes those of a body's groups that are wanted.
    ///
    /// # Errors
    /// As [`Preview::duties`].
    pub fn groups(&mut self, body: &str) -> Result<(), RowError> {
        for group in read::<Group>(body)? {
            let Some(known) = self.groups.get_mut(&group.id) else { continue };
            let members = group.group_memberships.into_iter().filter_map(|member| Some(member.person?.id));
            let mut members: Vec<RecordId> = members.collect();
            members.sort_unstable();
            members.dedup();
            *known = Some(Known { name: group.display_name, members });
        }
        Ok(())
    }

    /// What each duty gives to see, in the order of the duties.
    pub fn finish(mut self) -> Vec<Viewer> {
        for viewer in &mut self.viewers {
            let mut students: HashSet<RecordId> = HashSet::new();
            for group in &mut viewer.groups {
                let Some(Some(Known { name, members })) = self.groups.get(&group.id) else { continue };
                group.display_name.clone_from(name);
                group.students = Some(members.len());
                students.extend(members);
            }
            viewer.students = students.len();
        }
        self.viewers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::Plan;
    use crate::sample::{DUTY, GROUP, STUDENT, TEACHER, UNIT, complete, parse};
    use crate::stage::StageName;

    const OTHER_GROUP: &str = "33333333-0000-4000-8000-000000000002";
    const OTHER_DUTY: &str = "22222222-0000-4000-8000-000000000002";
    const PRINCIPAL: &str = "22222222-0000-4000-8000-000000000003";

    /// Who sees what of a body, `most` duties from the `first` on.
    fn seen(body: &Value, access: Access, first: usize, most: usize) -> Vec<Viewer> {
        let plan = Plan::of(&parse(body).unwrap());
        let batch = |stage| &plan.batches(stage)[0];
        let mut preview = Preview::new(access);
        let duties = batch(StageName::Duties);
        preview.duties(&duties.body, &duties.facts, first, most).unwrap();
        let activities = batch(StageName::Activities);
        preview.activities(&activities.body, &activities.facts).unwrap();
        preview.groups(&batch(StageName::Groups).body).unwrap();
        preview.finish()
    }

    /// Two groups that share a student, two teachers in one activity, and a principal.
    fn shared() -> Value {
        let mut body = complete();
        let mut group = body["groups"][0].clone();
        group["id"] = json!(OTHER_GROUP);
        body["groups"].as_array_mut().unwrap().push(group);
        body["groups"][0]["groupMemberships"]
            .as_array_mut()
            .unwrap()
            .push(json!({"person": {"id": TEACHER}}));
        for (id, role) in [(OTHER_DUTY, "Lärare"), (PRINCIPAL, "Rektor")] {
            let mut duty = body["duties"][0].clone();
            (duty["id"], duty["dutyRole"]) = (json!(id), json!(role));
            body["duties"].as_array_mut().unwrap().push(duty);
        }
        body["activities"][0]["parentActivity"] = json!({"testCode": "GRGRMAT01_6"});
        body["activities"][0]["groups"] = json!([{"id": GROUP}, {"id": OTHER_GROUP}, {"id": GROUP}]);
        body["activities"][0]["teachers"] = json!([{"duty": {"id": DUTY}}, {"duty": {"id": OTHER_DUTY}}]);
        body
    }

    #[test]
    fn a_teacher_sees_the_students_of_all_groups_and_a_principal_the_school_unit() {
        let viewers = seen(&shared(), Access::Personal, 0, 10);
        assert_eq!(viewers.len(), 3);
        for viewer in &viewers[..2] {
            let groups: Vec<_> =
                viewer.groups.iter().map(|group| (group.id.to_string(), group.students)).collect();
            assert_eq!(groups, [(GROUP.to_owned(), Some(2)), (OTHER_GROUP.to_owned(), Some(1))]);
            assert_eq!((viewer.students, viewer.sees_school_unit), (2, false));
            let [activity] = &viewer.activities[..] else { panic!() };
            assert_eq!((activity.teachers, activity.groups), (2, 2));
            assert_eq!(activity.test_code.as_ref().unwrap().as_str(), "GRGRMAT01_6");
            assert!(activity.warning.as_ref().unwrap().en.contains("every student in all"));
        }
        let principal = &viewers[2];
        assert!(principal.sees_school_unit && principal.groups.is_empty() && principal.students == 0);
        assert_eq!(principal.school_unit_id.unwrap().to_string(), UNIT);
    }

    #[test]
    fn one_teacher_or_one_group_is_no_ground_for_a_warning() {
        for list in ["groups", "teachers"] {
            let mut body = shared();
            body["activities"][0][list].as_array_mut().unwrap().truncate(1);
            let viewers = seen(&body, Access::Personal, 0, 1);
            assert!(viewers[0].activities[0].warning.is_none(), "{list}");
        }
    }

    #[test]
    fn a_page_is_as_many_duties_as_are_asked_for() {
        let page = |first, most| {
            let viewers = seen(&shared(), Access::Personal, first, most);
            viewers.iter().map(|viewer| viewer.duty_id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(page(0, 2), [DUTY, OTHER_DUTY]);
        assert_eq!(page(2, 2), [PRINCIPAL]);
    }

    #[test]
    fn names_are_shown_as_rows_show_them() {
        // The sample's teacher is protected.
        let name = |access| seen(&complete(), access, 0, 1)[0].name.clone().unwrap();
        assert_eq!(name(Access::Personal), "Siv Rönnhed");
        assert_eq!(name(Access::Masked), crate::mask::HIDDEN);
    }

    #[test]
    fn a_group_that_is_not_in_the_send_is_named_by_its_id() {
        let mut body = complete();
        body["options"]["references"] = json!("external");
        let gone = body["groups"].as_array_mut().unwrap().pop().unwrap();
        let mut other = gone.clone();
        other["id"] = json!(OTHER_GROUP);
        other["groupMemberships"] = json!([{"person": {"id": STUDENT}}]);
        body["groups"] = json!([other]);
        let viewers = seen(&body, Access::Personal, 0, 1);
        let [group] = &viewers[0].groups[..] else { panic!() };
        assert_eq!((group.id.to_string().as_str(), group.students, viewers[0].students), (GROUP, None, 0));
    }
}
