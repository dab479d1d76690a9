//! The rules over several records (5, 8, 12–14, 16). It goes through a send once, stage by stage, and keeps sixteen
//! bytes of a record: a send of 60,000 students is looked at in a function's memory.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use uuid::Uuid;

use super::{Place, eppn};
use crate::finding::{FindingCode, Findings};
use crate::id::RecordId;
use crate::record::{Activity, Duty, Enrolment, Group, Person};
use crate::reference::SchoolUnitRef;
use crate::skolverket_id::TestCode;
use crate::stage::StageName;
use crate::vocabulary::{DutyRole, EmailType, GroupType, SchoolType};

/// What is kept of a record.
#[derive(Debug, Clone, Copy)]
struct Known {
    stage: StageName,
    /// Of a student: is a member of a class. Of a group: is one that teaches.
    marked: bool,
    /// Of a student with one school unit: for which school types, a bit each.
    school_types: u8,
    /// Of a student: the number of the school unit, [`NOWHERE`] or [`AT_SEVERAL`].
    enrolled: u16,
    /// Of a student: in which school years, a bit each.
    school_years: u16,
}

/// A student goes to school nowhere that is known.
const NOWHERE: u16 = u16::MAX;
/// A student goes to school at several units; they are kept apart.
const AT_SEVERAL: u16 = NOWHERE - 1;

/// A school unit of the send.
struct SchoolUnit {
    /// Somebody is principal or school administrator there.
    led: bool,
    /// The first record of those that are at it, students excepted.
    first: Option<(Place, &'static str, RecordId)>,
}

/// What is known of a send by now. Call in this order: [`Together::staff`] for every duty and [`Together::test`] for
/// every activity, then [`Together::person`], [`Together::duty`], [`Together::group`] and [`Together::activity`] for
/// every one, then [`Together::finish`].
pub(crate) struct Together {
    whole: bool,
    known: HashMap<u64, Known>,
    /// Persons with a duty.
    staff: HashSet<u64>,
    /// EPPNs, as hashes.
    eppns: HashSet<u64>,
    /// The numbers of the school units.
    numbers: HashMap<Uuid, u16>,
    units: Vec<SchoolUnit>,
    /// Of students at several school units: which, and for which school types.
    several: HashMap<u64, Vec<(u16, u8)>>,
    /// Groups that are to take a test: of which school years, a bit each.
    tested: HashMap<u64, u16>,
}

/// As much of an id as tells records of one send apart.
pub(crate) fn short(id: RecordId) -> u64 {
    u64::from_be_bytes(id.hash8())
}

fn bit(school_type: SchoolType) -> u8 {
    1 << (school_type as u8)
}

fn year_bit(year: u8) -> u16 {
    1_u16.checked_shl(u32::from(year)).unwrap_or_default()
}

impl Together {
    /// Nothing is known yet. `whole`: everything is there that a record may depend on.
    pub(crate) fn new(whole: bool) -> Self {
        Self {
            whole,
            known: HashMap::new(),
            staff: HashSet::new(),
            eppns: HashSet::new(),
            numbers: HashMap::new(),
            units: Vec::new(),
            several: HashMap::new(),
            tested: HashMap::new(),
        }
    }

    /// The kind of the record with this id, of those that were taken.
    pub(crate) fn stage_of(&self, id: RecordId) -> Option<StageName> {
        self.known.get(&short(id)).map(|known| known.stage)
    }

    /// Notes that a person is staff.
    pub(crate) fn staff(&mut self, duty: &Duty) {
        self.staff.insert(short(duty.person.id));
    }

    /// Notes of which school year the test is that an activity's groups are to take.
    pub(crate) fn test(&mut self, activity: &Activity, code: Option<&TestCode>) {
        let Some(year) = code.and_then(TestCode::school_year) else { return };
        for group in &activity.groups {
            *self.tested.entry(short(group.id)).or_default() |= year_bit(year);
        }
    }

    /// Takes a person.
    pub(crate) fn person(&mut self, place: Place, person: &Person, findings: &mut Findings) {
        let id = short(person.id);
        // Somebody given twice shares everything with himself; the id says it.
        if self.known.contains_key(&id) {
            return;
        }
        let at = |within: &str| (place.pointer(within), Some(person.id));
        if let Some(eppn) =
            person.edu_person_principal_names.first().filter(|eppn| eppn::has_form(eppn.expose()))
        {
            let mut hasher = DefaultHasher::new();
            eppn::compared(eppn.expose()).hash(&mut hasher);
            if !self.eppns.insert(hasher.finish()) {
                findings.broken(FindingCode::EppnShared, || at("/eduPersonPrincipalNames/0"));
            }
        }
        let enrolments = person.enrolments.as_deref().unwrap_or_default();
        if self.staff.contains(&id) {
            if enrolments.iter().any(Enrolment::is_current) {
                findings.broken(FindingCode::StudentAndStaff, || at("/enrolments"));
            }
            let of_staff = |email: &crate::record::Email| email.kind == Some(EmailType::SkolaPersonal);
            if !person.emails.iter().flatten().any(of_staff) {
                findings.broken(FindingCode::StaffEmailMissing, || at("/emails"));
            }
        } else if self.whole && enrolments.is_empty() {
            findings.broken(FindingCode::NoEnrolmentNoDuty, || at(""));
        }
        let known = self.enrolled(id, enrolments);
        self.insert(person.id, known);
    }

    fn enrolled(&mut self, id: u64, enrolments: &[Enrolment]) -> Known {
        let mut units: Vec<(u16, u8)> = Vec::new();
        let mut school_years = 0;
        for enrolment in enrolments.iter().filter(|enrolment| enrolment.is_current()) {
            school_years |= enrolment.school_year.map_or(0, year_bit);
            let Some(number) = self.number(&enrolment.enroled_at) else { continue };
            let types = bit(enrolment.school_type);
            match units.iter_mut().find(|(known, _)| *known == number) {
                Some((_, known)) => *known |= types,
                None => units.push((number, types)),
            }
        }
        let (enrolled, school_types) = match units[..] {
            [] => (NOWHERE, 0),
            [(number, types)] => (number, types),
            _ => {
                self.several.insert(id, units);
                (AT_SEVERAL, 0)
            }
        };
        Known { stage: StageName::Users, marked: false, school_types, enrolled, school_years }
    }

    /// Takes a duty.
    pub(crate) fn duty(&mut self, place: Place, duty: &Duty) {
        self.insert(duty.id, Known::of(StageName::Duties, false));
        let leads = matches!(duty.duty_role, DutyRole::Rektor | DutyRole::Skoladministrator);
        self.at_unit(&duty.duty_at, leads, (place, "/dutyAt", duty.id));
    }

    /// Takes a group.
    pub(crate) fn group(&mut self, place: Place, group: &Group, findings: &mut Findings) {
        let teaches = group.group_type == GroupType::Undervisning;
        self.insert(group.id, Known::of(StageName::Groups, teaches));
        let unit = self.at_unit(&group.organisation, false, (place, "/organisation", group.id));
        let tested = self.tested.get(&short(group.id)).copied().unwrap_or_default();
        let mut seen = HashSet::new();
        for (index, member) in group.members().enumerate() {
            let id = short(member);
            let Some(known) = self.known.get_mut(&id).filter(|known| known.stage == StageName::Users) else {
                continue;
            };
            let at = || (place.pointer(&format!("/groupMemberships/{index}/person/id")), Some(member));
            // Somebody who stands twice in a class is not in two.
            if seen.insert(id) && !teaches {
                if known.marked {
                    findings.broken(FindingCode::StudentInTwoClasses, at);
                }
                known.marked = true;
            }
            if tested & !known.school_years != 0 && known.school_years != 0 {
                findings.broken(FindingCode::MemberOfOtherSchoolYear, at);
            }
            let types = match known.enrolled {
                NOWHERE => continue,
                AT_SEVERAL => {
                    let mut units = self.several.get(&id).into_iter().flatten();
                    units.find(|(number, _)| Some(*number) == unit).map(|(_, types)| *types)
                }
                number => (Some(number) == unit).then_some(known.school_types),
            };
            match types {
                None => findings.broken(FindingCode::MemberOfOtherSchoolUnit, at),
                Some(types) if types & bit(group.school_type) == 0 => {
                    findings.broken(FindingCode::MemberOfOtherSchoolType, at);
                }
                Some(_) => {}
            }
        }
    }

    /// Takes an activity.
    pub(crate) fn activity(&mut self, place: Place, activity: &Activity, findings: &mut Findings) {
        self.insert(activity.id, Known::of(StageName::Activities, false));
        self.at_unit(&activity.organisation, false, (place, "/organisation", activity.id));
        for (index, group) in activity.groups.iter().enumerate() {
            let known = self.known.get(&short(group.id));
            if known.is_some_and(|known| known.stage == StageName::Groups && !known.marked) {
                let at = || (place.pointer(&format!("/groups/{index}/id")), Some(activity.id));
                findings.broken(FindingCode::GroupNotTeaching, at);
            }
        }
        let groups: HashSet<RecordId> = activity.groups.iter().map(|group| group.id).collect();
        let teachers: HashSet<RecordId> =
            activity.teachers.iter().flatten().map(|teacher| teacher.duty.id).collect();
        if groups.len() > 1 && teachers.len() > 1 {
            let at = || (place.pointer("/teachers"), Some(activity.id));
            findings.broken(FindingCode::SeveralTeachersAndGroups, at);
        }
    }

    /// Tells what can only be told at the end.
    pub(crate) fn finish(self, findings: &mut Findings) {
        if !self.whole {
            return;
        }
        for unit in self.units.iter().filter(|unit| !unit.led) {
            if let Some((place, within, id)) = unit.first {
                let at = || (place.pointer(within), Some(id));
                findings.broken(FindingCode::SchoolUnitWithoutLeader, at);
            }
        }
    }

    fn insert(&mut self, id: RecordId, known: Known) {
        self.known.entry(short(id)).or_insert(known);
    }

    /// Notes a record at a school unit; gives the unit's number.
    fn at_unit(
        &mut self,
        unit: &SchoolUnitRef,
        led: bool,
        first: (Place, &'static str, RecordId),
    ) -> Option<u16> {
        let number = self.number(unit)?;
        let unit = self.units.get_mut(usize::from(number))?;
        unit.led |= led;
        unit.first.get_or_insert(first);
        Some(number)
    }

    /// The number of a school unit; none where there are more than a country has.
    fn number(&mut self, unit: &SchoolUnitRef) -> Option<u16> {
        match self.numbers.entry(unit.id) {
            Entry::Occupied(number) => Some(*number.get()),
            Entry::Vacant(free) => {
                let number = u16::try_from(self.units.len()).ok().filter(|number| *number < AT_SEVERAL)?;
                self.units.push(SchoolUnit { led: false, first: None });
                Some(*free.insert(number))
            }
        }
    }
}

impl Known {
    fn of(stage: StageName, marked: bool) -> Self {
        Self { stage, marked, school_types: 0, enrolled: NOWHERE, school_years: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A send of 93,000 records is looked at in 64 MB, with everything else that a function holds.
    #[test]
    fn little_is_kept_of_a_record() {
        assert!(size_of::<(u64, Known)>() <= 16);
    }
}
