//! A send that came in parts, seen as a whole: ids and references over all of it (domain rules 1 and 2), the rules over
//! several records, and what its rows show that stands in other parts. It goes through the send once, batch by batch and
//! kind by kind, and keeps eight bytes of an id: enough to distinguish the records of one send.

use std::collections::HashMap;

use crate::kind::finding_code::FindingCode;
use crate::kind::personal::Personal;
use crate::kind::record::{Activity, Duty, Group, Person, Record};
use crate::kind::relation::Relation;
use crate::kind::vocabulary::DutyRole;
use crate::rules::cross_record::CrossRecordCheck;
use crate::rules::finding::{Detail, Finding, FindingKind, Findings};
use crate::rules::place::Place;
use crate::rules::record_findings::RecordFindings;
use crate::state::activity_summary::ActivitySummary;
use crate::state::facts::Facts;
use crate::state::options::References;
use crate::submission::activity_records::ActivityRecords;
use crate::submission::reader::Read;
use crate::submission::reference_check;

/// Where a batch's records came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The part's number, from 1.
    pub part: u32,
    /// The place of the batch's first record in its list of that part.
    pub first: usize,
}

/// The check of an upload, as far as it was read. Call in this order: [`UploadCheck::roles`] for every batch of duties, then
/// [`UploadCheck::persons`] and [`UploadCheck::duties`], then [`UploadCheck::summarize`] for every batch of activities,
/// then [`UploadCheck::groups`] and [`UploadCheck::activities`] for every batch of each.
pub struct UploadCheck {
    external: bool,
    cross_record: CrossRecordCheck,
    findings: Findings,
    roles: HashMap<u64, Vec<DutyRole>>,
    /// Of those with duties: the name, and whether the identity is protected.
    staff: HashMap<u64, (Personal, bool)>,
    summaries: Vec<ActivitySummary>,
    activity_records: ActivityRecords,
    /// The findings that the parts had.
    found_before: RecordFindings,
}

/// An upload that was checked as a whole.
#[derive(Debug)]
pub struct CheckedUpload {
    /// Its activities, in order.
    pub activities: Vec<ActivitySummary>,
    /// Which records each activity is made of.
    pub activity_records: ActivityRecords,
    /// The findings that the parts had; the records' facts have them already.
    pub found_before: RecordFindings,
}

impl UploadCheck {
    /// Nothing is known yet.
    pub fn new(references: References) -> Self {
        let external = references == References::External;
        Self {
            external,
            cross_record: CrossRecordCheck::new(!external),
            findings: Findings::default(),
            roles: HashMap::new(),
            staff: HashMap::new(),
            summaries: Vec::new(),
            activity_records: ActivityRecords::default(),
            found_before: RecordFindings::default(),
        }
    }

    /// Notes who has which roles.
    pub fn roles(&mut self, duties: &[Duty]) {
        for duty in duties {
            self.cross_record.staff(duty);
            let roles = self.roles.entry(duty.person.id.hash64()).or_default();
            if !roles.contains(&duty.duty_role) {
                roles.push(duty.duty_role);
            }
        }
    }

    /// Takes a batch of persons. Returns whether their facts have changed.
    pub fn persons(&mut self, origin: Origin, persons: &[Person], facts: &mut [Facts]) -> bool {
        let mut changed = false;
        for (index, (person, facts)) in persons.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, person, facts);
            self.cross_record.person(place, person, &mut self.findings);
            let id = person.id.hash64();
            let Some(roles) = self.roles.get(&id) else { continue };
            let role = Some(DutyRole::list(roles));
            changed |= facts.role != role;
            facts.role = role;
            self.staff.insert(id, (person.full_name(), person.is_protected()));
        }
        changed
    }

    /// Takes a batch of duties. Returns whether their facts have changed.
    pub fn duties(&mut self, origin: Origin, duties: &[Duty], facts: &mut [Facts]) -> bool {
        let mut changed = false;
        for (index, (duty, facts)) in duties.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, duty, facts);
            self.cross_record.duty(place, duty, &mut self.findings);
            self.activity_records.duty(duty.id, duty.person.id);
            self.references(place, duty);
            if let Some((name, protected)) = self.staff.get(&duty.person.id.hash64()) {
                changed |= facts.name.as_ref() != Some(name) || facts.protected != *protected;
                (facts.name, facts.protected) = (Some(name.clone()), *protected);
            }
        }
        changed
    }

    /// Sums a batch of activities up, and notes of which school year the tests are: before the groups, to know whose
    /// members are to be counted.
    pub fn summarize(&mut self, activities: &[Activity], facts: &[Facts]) {
        for (activity, facts) in activities.iter().zip(facts) {
            self.cross_record.test(activity, facts.test_code.as_ref());
            self.activity_records.activity(activity.id, activity.groups(), activity.duties());
            self.summaries.push(ActivitySummary::of(activity, facts, None));
        }
    }

    /// Takes a batch of groups.
    pub fn groups(&mut self, origin: Origin, groups: &[Group], facts: &[Facts]) {
        for (index, (group, facts)) in groups.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, group, facts);
            self.cross_record.group(place, group, &mut self.findings);
            self.references(place, group);
            if self.activity_records.names(group.id) {
                self.activity_records.group(group.id, group.members());
            }
        }
    }

    /// Takes a batch of activities.
    pub fn activities(&mut self, origin: Origin, activities: &[Activity], facts: &[Facts]) {
        for (index, (activity, facts)) in activities.iter().zip(facts).enumerate() {
            let place = self.own_id(origin, index, activity, facts);
            self.cross_record.activity(place, activity, &mut self.findings);
            self.references(place, activity);
        }
    }

    /// The send, and what is wrong or worth a warning beyond what was found in its parts. Pointers are into the parts:
    /// `/parts/3/persons/7/id`.
    pub fn finish(mut self) -> Read<CheckedUpload> {
        self.cross_record.finish(&mut self.findings);
        let Self { mut summaries, activity_records, found_before, findings, .. } = self;
        for activity in &mut summaries {
            activity.students = activity_records.students(activity.id);
        }
        Read { content: CheckedUpload { activities: summaries, activity_records, found_before }, findings }
    }

    /// Reports a send without activities.
    pub fn no_activities(&mut self) {
        let kind = FindingKind::form(FindingCode::WrongCount, None);
        self.findings.add(kind, None, || {
            Finding::new(kind, "/activities".to_owned()).with(Detail::Entries { min: 1, max: None })
        });
    }

    /// Checks a record's own id, and notes the findings that its part had; gives its place.
    fn own_id<T: Record>(&mut self, origin: Origin, index: usize, record: &T, facts: &Facts) -> Place {
        let place = Place::in_part(origin.part, T::KIND, origin.first + index);
        let id = record.id();
        if self.cross_record.kind_of(id).is_some() {
            reference_check::duplicate_id(&mut self.findings, Some(id), || place.pointer("/id"));
        }
        facts.findings.iter().for_each(|code| self.found_before.add(id, *code));
        place
    }

    /// Checks the references of a record.
    fn references<T: Record>(&mut self, place: Place, record: &T) {
        let within = Some(record.id());
        for relation in Relation::of(T::KIND) {
            let to = relation.to;
            for (index, id) in record.referred(to).into_iter().enumerate() {
                let at = || place.pointer(&relation.pointer(index));
                match self.cross_record.kind_of(id) {
                    Some(kind) if kind == to => {}
                    Some(_) => reference_check::of_another_kind(&mut self.findings, to, within, at),
                    None => reference_check::missing(&mut self.findings, to, self.external, within, at),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
