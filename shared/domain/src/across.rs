//! A send that came in parts, seen as a whole: ids and references over all of it (domain rules 1 and 2), the rules over
//! several records, and what its rows show that stands in other parts. It goes through the send once, batch by batch and stage by stage, and keeps
//! eight bytes of an id: as much as tells records of one send apart.

use std::collections::HashMap;

use crate::finding::{Finding, FindingCode, Findings, Kind};
use crate::id::RecordId;
use crate::links;
use crate::personal::Personal;
use crate::plan::{ActivitySummary, Facts, summary};
use crate::record::{Activity, Duty, Group, Person, Record};
use crate::rules::{Place, Together, short};
use crate::stage::StageName;
use crate::submission::{Read, References};
use crate::vocabulary::DutyRole;

/// Where a batch's records came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The part's number, from 1.
    pub part: u32,
    /// The place of the batch's first record in its list of that part.
    pub first: usize,
}

/// What is known of a send by now. Call in this order: [`Across::roles`] for every batch of duties, then
/// [`Across::persons`] and [`Across::duties`], [`Across::ahead`] for every batch of activities, then [`Across::groups`]
/// and [`Across::activities`] for every batch of each.
pub struct Across {
    external: bool,
    together: Together,
    findings: Findings,
    roles: HashMap<u64, Vec<DutyRole>>,
    /// Of those with duties: the name, and whether the identity is protected.
    staff: HashMap<u64, (Personal, bool)>,
    /// Each activity, and its groups.
    summaries: Vec<(ActivitySummary, Vec<u64>)>,
    /// The members of the groups of activities; none of a group that has not come.
    members: HashMap<u64, Option<Vec<u64>>>,
}

impl Across {
    /// Nothing is known yet.
    pub fn new(references: References) -> Self {
        let external = references == References::External;
        Self {
            external,
            together: Together::new(!external),
            findings: Findings::default(),
            roles: HashMap::new(),
            staff: HashMap::new(),
            summaries: Vec::new(),
            members: HashMap::new(),
        }
    }

    /// Notes who has which roles.
    pub fn roles(&mut self, duties: &[Duty]) {
        for duty in duties {
            self.together.staff(duty);
            let roles = self.roles.entry(short(duty.person.id)).or_default();
            if !roles.contains(&duty.duty_role) {
                roles.push(duty.duty_role);
            }
        }
    }

    /// Takes a batch of persons; says whether their facts have changed.
    pub fn persons(&mut self, origin: Origin, persons: &[Person], facts: &mut [Facts]) -> bool {
        let mut changed = false;
        for (index, (person, facts)) in persons.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, person);
            self.together.person(place, person, &mut self.findings);
            let id = short(person.id);
            let Some(roles) = self.roles.get(&id) else { continue };
            let role = Some(DutyRole::list(roles));
            changed |= facts.role != role;
            facts.role = role;
            self.staff.insert(id, (person.full_name(), person.is_protected()));
        }
        changed
    }

    /// Takes a batch of duties; says whether their facts have changed.
    pub fn duties(&mut self, origin: Origin, duties: &[Duty], facts: &mut [Facts]) -> bool {
        let mut changed = false;
        for (index, (duty, facts)) in duties.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, duty);
            self.together.duty(place, duty);
            self.reference((place, duty.id), StageName::Users, duty.person.id, || "/person/id".to_owned());
            if let Some((name, protected)) = self.staff.get(&short(duty.person.id)) {
                changed |= facts.name.as_ref() != Some(name) || facts.protected != *protected;
                (facts.name, facts.protected) = (Some(name.clone()), *protected);
            }
        }
        changed
    }

    /// Sums a batch of activities up, and notes of which school year the tests are: before the groups, to know whose
    /// members are to be counted.
    pub fn ahead(&mut self, activities: &[Activity], facts: &[Facts]) {
        for (activity, facts) in activities.iter().zip(facts) {
            self.together.test(activity, facts.test_code.as_ref());
            let groups: Vec<_> = activity.groups.iter().map(|group| short(group.id)).collect();
            self.members.extend(groups.iter().map(|group| (*group, None)));
            self.summaries.push((summary(activity, facts, None), groups));
        }
    }

    /// Takes a batch of groups.
    pub fn groups(&mut self, origin: Origin, groups: &[Group]) {
        for (index, group) in groups.iter().enumerate() {
            let place = self.own_id(origin, index, group);
            self.together.group(place, group, &mut self.findings);
            for (at, member) in group.members().enumerate() {
                self.reference((place, group.id), StageName::Users, member, || {
                    format!("/groupMemberships/{at}/person/id")
                });
            }
            if let Some(members) = self.members.get_mut(&short(group.id)) {
                members.get_or_insert_default().extend(group.members().map(short));
            }
        }
    }

    /// Takes a batch of activities.
    pub fn activities(&mut self, origin: Origin, activities: &[Activity]) {
        for (index, activity) in activities.iter().enumerate() {
            let place = self.own_id(origin, index, activity);
            self.together.activity(place, activity, &mut self.findings);
            let from = (place, activity.id);
            for (at, group) in activity.groups.iter().enumerate() {
                self.reference(from, StageName::Groups, group.id, || format!("/groups/{at}/id"));
            }
            for (at, teacher) in activity.teachers.iter().flatten().enumerate() {
                self.reference(from, StageName::Duties, teacher.duty.id, || {
                    format!("/teachers/{at}/duty/id")
                });
            }
        }
    }

    /// The activities, in order, and what is wrong or worth a warning. Pointers are into the parts:
    /// `/parts/3/persons/7/id`.
    pub fn finish(mut self) -> Read<Vec<ActivitySummary>> {
        self.together.finish(&mut self.findings);
        let counted = self.summaries.into_iter().map(|(activity, groups)| {
            let members: Option<Vec<&Vec<u64>>> =
                groups.iter().map(|group| self.members.get(group)?.as_ref()).collect();
            let students = members.map(|members| {
                let mut students: Vec<u64> = members.into_iter().flatten().copied().collect();
                students.sort_unstable();
                students.dedup();
                students.len()
            });
            ActivitySummary { students, ..activity }
        });
        Read { content: counted.collect(), findings: self.findings }
    }

    /// Says of a send without activities that it is one.
    pub fn no_activities(&mut self) {
        let kind = Kind::form(FindingCode::WrongCount, None);
        self.findings.add(kind, || {
            Finding::new(kind, "/activities".to_owned(), None)
                .told("Must have at least 1 entry; add one.", "Ska ha minst 1 post; lägg till en.")
        });
    }

    /// Looks at a record's own id; gives its place.
    fn own_id<T: Record>(&mut self, origin: Origin, index: usize, record: &T) -> Place {
        let place = Place::in_part(origin.part, T::STAGE, origin.first + index);
        if self.together.stage_of(record.id()).is_some() {
            links::duplicate_id(&mut self.findings, || (place.pointer("/id"), Some(record.id())));
        }
        place
    }

    fn reference(
        &mut self,
        (from, within): (Place, RecordId),
        to: StageName,
        id: RecordId,
        at: impl FnOnce() -> String,
    ) {
        let at = || (from.pointer(&at()), Some(within));
        match self.together.stage_of(id) {
            Some(stage) if stage == to => {}
            Some(_) => links::of_another_kind(&mut self.findings, to, at),
            None => links::missing(&mut self.findings, to, self.external, at),
        }
    }
}

#[cfg(test)]
mod tests;
