//! A send that came in parts, seen as a whole: ids and references over all of it (domain rules 1 and 2), and what its
//! rows show that stands in other parts. It goes through the send once, batch by batch and stage by stage, and keeps
//! eight bytes of an id: as much as tells records of one send apart.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::fault::{Fault, FaultCode, Faults};
use crate::id::RecordId;
use crate::links;
use crate::personal::Personal;
use crate::plan::{ActivitySummary, Facts};
use crate::record::{Activity, Duty, Group, Person, Record};
use crate::stage::StageName;
use crate::submission::{References, list_of};
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
/// [`Across::persons`], [`Across::duties`], [`Across::groups`] and [`Across::activities`] for every batch of each.
pub struct Across {
    external: bool,
    kinds: HashMap<u64, StageName>,
    faults: Faults,
    roles: HashMap<u64, Vec<DutyRole>>,
    /// Of those with duties: the name, and whether the identity is protected.
    staff: HashMap<u64, (Personal, bool)>,
    shown: Vec<ActivitySummary>,
    /// The members of the groups of the shown activities.
    members: HashMap<u64, Vec<u64>>,
    shown_groups: HashMap<u64, Vec<u64>>,
}

fn short(id: RecordId) -> u64 {
    u64::from_be_bytes(id.hash8())
}

impl Across {
    /// Nothing is known yet. `shown`: the activities that the send shows, without the number of their students.
    pub fn new(references: References, shown: Vec<ActivitySummary>) -> Self {
        Self {
            external: references == References::External,
            kinds: HashMap::new(),
            faults: Faults::default(),
            roles: HashMap::new(),
            staff: HashMap::new(),
            shown,
            members: HashMap::new(),
            shown_groups: HashMap::new(),
        }
    }

    /// Notes who has which roles.
    pub fn roles(&mut self, duties: &[Duty]) {
        for duty in duties {
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
            self.own_id(origin, index, person);
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
            self.own_id(origin, index, duty);
            self.reference(origin, (StageName::Duties, index), StageName::Users, duty.person.id, || {
                "/person/id".to_owned()
            });
            if let Some((name, protected)) = self.staff.get(&short(duty.person.id)) {
                changed |= facts.name.as_ref() != Some(name) || facts.protected != *protected;
                (facts.name, facts.protected) = (Some(name.clone()), *protected);
            }
        }
        changed
    }

    /// Notes which groups the shown activities have: from the first batches of activities, before the groups.
    pub fn shown_groups(&mut self, activities: &[Activity]) {
        for activity in activities {
            if self.shown.iter().any(|shown| shown.id == activity.id) {
                let groups: Vec<_> = activity.groups.iter().map(|group| short(group.id)).collect();
                self.members.extend(groups.iter().map(|group| (*group, Vec::new())));
                self.shown_groups.insert(short(activity.id), groups);
            }
        }
    }

    /// Takes a batch of groups.
    pub fn groups(&mut self, origin: Origin, groups: &[Group]) {
        for (index, group) in groups.iter().enumerate() {
            self.own_id(origin, index, group);
            for (place, member) in group.members().enumerate() {
                self.reference(origin, (StageName::Groups, index), StageName::Users, member, || {
                    format!("/groupMemberships/{place}/person/id")
                });
            }
            if let Some(members) = self.members.get_mut(&short(group.id)) {
                members.extend(group.members().map(short));
            }
        }
    }

    /// Takes a batch of activities.
    pub fn activities(&mut self, origin: Origin, activities: &[Activity]) {
        for (index, activity) in activities.iter().enumerate() {
            self.own_id(origin, index, activity);
            let from = (StageName::Activities, index);
            for (place, group) in activity.groups.iter().enumerate() {
                self.reference(origin, from, StageName::Groups, group.id, || format!("/groups/{place}/id"));
            }
            for (place, teacher) in activity.teachers.iter().flatten().enumerate() {
                self.reference(origin, from, StageName::Duties, teacher.duty.id, || {
                    format!("/teachers/{place}/duty/id")
                });
            }
        }
    }

    /// The activities that the send shows; or all that is wrong. Pointers are into the parts: `/parts/3/persons/7/id`.
    ///
    /// # Errors
    /// [`Faults`] of ids and references.
    pub fn finish(mut self) -> Result<Vec<ActivitySummary>, Faults> {
        if self.faults.total > 0 {
            return Err(self.faults);
        }
        for activity in &mut self.shown {
            let groups = self.shown_groups.get(&short(activity.id)).into_iter().flatten();
            let mut students: Vec<u64> =
                groups.filter_map(|group| self.members.get(group)).flatten().copied().collect();
            students.sort_unstable();
            students.dedup();
            activity.students = students.len();
        }
        Ok(self.shown)
    }

    /// Says of a send without activities that it is one.
    pub fn no_activities(&mut self) {
        self.faults.add(|| {
            Fault::new(
                FaultCode::WrongCount,
                "/activities".to_owned(),
                None,
                "Must have at least 1 entry; add one.",
                "Ska ha minst 1 post; lägg till en.",
            )
        });
    }

    fn own_id<T: Record>(&mut self, origin: Origin, index: usize, record: &T) {
        match self.kinds.entry(short(record.id())) {
            Entry::Vacant(free) => {
                free.insert(T::STAGE);
            }
            Entry::Occupied(_) => {
                self.faults.add(|| links::duplicate_id(pointer(origin, (T::STAGE, index), "/id")));
            }
        }
    }

    fn reference(
        &mut self,
        origin: Origin,
        from: (StageName, usize),
        to: StageName,
        id: RecordId,
        place: impl FnOnce() -> String,
    ) {
        match self.kinds.get(&short(id)) {
            Some(kind) if *kind == to => {}
            Some(_) => self.faults.add(|| links::of_another_kind(pointer(origin, from, &place()), to)),
            None if self.external => {}
            None => self.faults.add(|| links::missing(pointer(origin, from, &place()), to)),
        }
    }
}

fn pointer(origin: Origin, (stage, index): (StageName, usize), place: &str) -> String {
    format!("/parts/{}/{}/{}{place}", origin.part, list_of(stage), origin.first + index)
}

#[cfg(test)]
mod tests;
