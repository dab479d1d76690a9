//! The rules over several records (5, 7, 8, 12–16). Reads duties and activities first for the roles and school years, then
//! every kind once. Keeps one 16-byte entry per record, plus hashes of EPPNs, civic numbers and duties, so that 60,000
//! students fit in a function's memory.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use uuid::Uuid;

use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::id::RecordId;
use crate::kind::record::{Activity, Duty, Email, Enrolment, Group, Person};
use crate::kind::record_kind::RecordKind;
use crate::kind::reference::SchoolUnitRef;
use crate::kind::relation::Relation;
use crate::kind::skolverket_id::TestCode;
use crate::kind::vocabulary::{DutyRole, EmailType, GroupType, SchoolType};
use crate::rules::civic_number::CivicNumber;
use crate::rules::eppn;
use crate::rules::finding::Findings;
use crate::rules::place::Place;

/// The facts of a record that the check keeps in memory.
#[derive(Debug, Clone, Copy)]
struct Known {
    kind: RecordKind,
    /// Student: already a member of a class. Group: `groupType` is `Undervisning`.
    marked: bool,
    /// Student: all enrolments are cancelled.
    cancelled: bool,
    /// Student at one school unit: the school types, a bit each.
    school_types: u8,
    /// The index of the school unit, [`NOWHERE`] or, for a student, [`AT_SEVERAL`].
    unit: u16,
    /// Student: the school years, a bit each.
    school_years: u16,
}

/// No known school unit.
const NOWHERE: u16 = u16::MAX;
/// The student is enrolled at several school units; see [`CrossRecordCheck::several`].
const AT_SEVERAL: u16 = NOWHERE - 1;

/// A school unit of the send.
struct SchoolUnit {
    /// It has a principal or a school administrator.
    led: bool,
    /// Its first record other than a student, for the finding.
    first: Option<(Place, &'static str, RecordId)>,
}

/// Checks the rules across the records of a send. Call order: `staff` for every duty; `test` for every activity; then
/// `person`, `duty`, `group` and `activity` for every record of that kind; then `finish`.
pub(crate) struct CrossRecordCheck {
    whole: bool,
    known: HashMap<u64, Known>,
    /// Persons with a duty.
    staff: HashSet<u64>,
    /// EPPNs, as hashes.
    eppns: HashSet<u64>,
    /// Civic numbers, each with whether its person is staff, as hashes.
    civic_numbers: HashSet<u64>,
    /// Duties by person, school unit and role, as hashes.
    duties: HashSet<u64>,
    /// The index of each school unit in `units`.
    numbers: HashMap<Uuid, u16>,
    units: Vec<SchoolUnit>,
    /// Students at several school units: the units' indexes, each with its school types.
    several: HashMap<u64, Vec<(u16, u8)>>,
    /// Groups that take a test: the tests' school years, a bit each.
    tested: HashMap<u64, u16>,
}

fn bit(school_type: SchoolType) -> u8 {
    1 << (school_type as u8)
}

fn year_bit(year: u8) -> u16 {
    1_u16.checked_shl(u32::from(year)).unwrap_or_default()
}

impl CrossRecordCheck {
    /// Starts with no records. `whole`: the send contains every record that its records refer to (`references: internal`).
    pub(crate) fn new(whole: bool) -> Self {
        Self {
            whole,
            known: HashMap::new(),
            staff: HashSet::new(),
            eppns: HashSet::new(),
            civic_numbers: HashSet::new(),
            duties: HashSet::new(),
            numbers: HashMap::new(),
            units: Vec::new(),
            several: HashMap::new(),
            tested: HashMap::new(),
        }
    }

    /// The kind of the record with this id, among those read so far.
    pub(crate) fn kind_of(&self, id: RecordId) -> Option<RecordKind> {
        self.known.get(&id.hash64()).map(|known| known.kind)
    }

    /// Records that the duty's person is staff.
    pub(crate) fn staff(&mut self, duty: &Duty) {
        self.staff.insert(duty.person.id.hash64());
    }

    /// Records the school year of the activity's test for each of its groups.
    pub(crate) fn test(&mut self, activity: &Activity, code: Option<&TestCode>) {
        let Some(year) = code.and_then(TestCode::school_year) else { return };
        for group in &activity.groups {
            *self.tested.entry(group.id.hash64()).or_default() |= year_bit(year);
        }
    }

    /// Checks a person.
    pub(crate) fn person(&mut self, place: Place, person: &Person, findings: &mut Findings) {
        let id = person.id.hash64();
        // A duplicate person is already reported by its id; do not also report a shared EPPN and civic number.
        if self.known.contains_key(&id) {
            return;
        }
        let mut broken = |code, within: &str| findings.broken(code, person.id, || place.pointer(within));
        if let Some(eppn) =
            person.edu_person_principal_names.first().filter(|eppn| eppn::has_form(eppn.expose()))
            && !self.eppns.insert(hashed(&eppn::compared(eppn.expose())))
        {
            broken(FindingCode::EppnShared, "/eduPersonPrincipalNames/0");
        }
        let staff = self.staff.contains(&id);
        let number = person.civic_no.value.expose();
        if CivicNumber::read(number).is_ok() && !self.civic_numbers.insert(hashed(&(number, staff))) {
            broken(FindingCode::CivicNumberShared, "/civicNo/value");
        }
        let enrolments = person.enrolments.as_deref().unwrap_or_default();
        if staff {
            if enrolments.iter().any(Enrolment::is_current) {
                broken(FindingCode::StudentAndStaff, "/enrolments");
            }
            match staff_address(person) {
                StaffAddress::Good => {}
                StaffAddress::Malformed(index) => {
                    broken(FindingCode::StaffEmailForm, &format!("/emails/{index}/value"));
                }
                StaffAddress::Missing => broken(FindingCode::StaffEmailMissing, "/emails"),
            }
        } else if self.whole && enrolments.is_empty() {
            broken(FindingCode::NoEnrolmentNoDuty, "");
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
        let (unit, school_types) = match units[..] {
            [] => (NOWHERE, 0),
            [(number, types)] => (number, types),
            _ => {
                self.several.insert(id, units);
                (AT_SEVERAL, 0)
            }
        };
        let cancelled = !enrolments.is_empty() && !enrolments.iter().any(Enrolment::is_current);
        Known { kind: RecordKind::Person, marked: false, cancelled, school_types, unit, school_years }
    }

    /// Checks a duty.
    pub(crate) fn duty(&mut self, place: Place, duty: &Duty, findings: &mut Findings) {
        let leads = matches!(duty.duty_role, DutyRole::Rektor | DutyRole::Skoladministrator);
        let unit = self.at_unit(&duty.duty_at, leads, (place, "/dutyAt", duty.id));
        // A duplicate duty is already reported by its id.
        let known = self.insert(duty.id, Known::of(RecordKind::Duty, false, unit));
        if !known && !self.duties.insert(hashed(&(duty.person.id, duty.duty_at.id, duty.duty_role))) {
            findings.broken(FindingCode::DutiesAlike, duty.id, || place.pointer(""));
        }
    }

    /// Checks a group.
    pub(crate) fn group(&mut self, place: Place, group: &Group, findings: &mut Findings) {
        let teaches = group.group_type == GroupType::Undervisning;
        let unit = self.at_unit(&group.organisation, false, (place, "/organisation", group.id));
        self.insert(group.id, Known::of(RecordKind::Group, teaches, unit));
        let tested = self.tested.get(&group.id.hash64()).copied().unwrap_or_default();
        let mut seen = HashSet::new();
        for (index, member) in group.members().enumerate() {
            let id = member.hash64();
            // A student listed twice in one class is not in two classes.
            if !seen.insert(id) {
                continue;
            }
            let Some(known) = self.known.get_mut(&id).filter(|known| known.kind == RecordKind::Person) else {
                continue;
            };
            let mut broken = |code| {
                findings.broken(code, member, || place.pointer(&Relation::GROUP_MEMBERS.pointer(index)));
            };
            if !teaches {
                if known.marked {
                    broken(FindingCode::StudentInTwoClasses);
                }
                known.marked = true;
            }
            if tested & !known.school_years != 0 && known.school_years != 0 {
                broken(FindingCode::MemberOfOtherSchoolYear);
            }
            let types = match known.unit {
                NOWHERE if self.staff.contains(&id) => {
                    broken(FindingCode::StaffMember);
                    continue;
                }
                NOWHERE => {
                    if known.cancelled {
                        broken(FindingCode::MemberCancelled);
                    }
                    continue;
                }
                AT_SEVERAL => {
                    let mut units = self.several.get(&id).into_iter().flatten();
                    units.find(|(number, _)| Some(*number) == unit).map(|(_, types)| *types)
                }
                number => (Some(number) == unit).then_some(known.school_types),
            };
            match types {
                None => broken(FindingCode::MemberOfOtherSchoolUnit),
                Some(types) if types & bit(group.school_type) == 0 => {
                    broken(FindingCode::MemberOfOtherSchoolType);
                }
                Some(_) => {}
            }
        }
    }

    /// Checks an activity.
    pub(crate) fn activity(&mut self, place: Place, activity: &Activity, findings: &mut Findings) {
        let unit = self.at_unit(&activity.organisation, false, (place, "/organisation", activity.id));
        self.insert(activity.id, Known::of(RecordKind::Activity, false, unit));
        let mut broken = |code, at: &str| findings.broken(code, activity.id, || place.pointer(at));
        let known = |id: RecordId, kind| self.known.get(&id.hash64()).filter(|known| known.kind == kind);
        let elsewhere = |known: &Known| known.unit != NOWHERE && Some(known.unit) != unit;
        let mut groups = HashSet::new();
        for (index, group) in activity.groups.iter().enumerate() {
            // A group that is named twice is reported once.
            if !groups.insert(group.id) {
                continue;
            }
            let Some(group) = known(group.id, RecordKind::Group) else { continue };
            let at = Relation::ACTIVITY_GROUPS.pointer(index);
            if !group.marked {
                broken(FindingCode::GroupNotTeaching, &at);
            }
            if elsewhere(group) {
                broken(FindingCode::GroupOfOtherSchoolUnit, &at);
            }
        }
        let mut teachers = HashSet::new();
        for (index, teacher) in activity.teachers.iter().flatten().enumerate() {
            let duty = known(teacher.duty.id, RecordKind::Duty);
            if teachers.insert(teacher.duty.id) && duty.is_some_and(elsewhere) {
                broken(FindingCode::TeacherOfOtherSchoolUnit, &Relation::ACTIVITY_TEACHERS.pointer(index));
            }
        }
        if groups.len() > 1 && teachers.len() > 1 {
            broken(FindingCode::SeveralTeachersAndGroups, "/teachers");
        }
    }

    /// Reports the rules that need every record.
    pub(crate) fn finish(self, findings: &mut Findings) {
        if !self.whole {
            return;
        }
        for unit in self.units.iter().filter(|unit| !unit.led) {
            if let Some((place, within, id)) = unit.first {
                findings.broken(FindingCode::SchoolUnitWithoutLeader, id, || place.pointer(within));
            }
        }
    }

    /// Adds a record. Returns whether its id was known.
    fn insert(&mut self, id: RecordId, known: Known) -> bool {
        match self.known.entry(id.hash64()) {
            Entry::Occupied(_) => true,
            Entry::Vacant(free) => {
                free.insert(known);
                false
            }
        }
    }

    /// Records that a record other than a student is at a school unit. Returns the unit's index.
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

    /// The index of the school unit in `units`. `None` above 65,534 units.
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
    /// A record other than a student.
    fn of(kind: RecordKind, marked: bool, unit: Option<u16>) -> Self {
        let unit = unit.unwrap_or(NOWHERE);
        Self { kind, marked, cancelled: false, school_types: 0, unit, school_years: 0 }
    }
}

/// The address that Skolverket requires of staff (rule 8).
enum StaffAddress {
    Good,
    /// There are staff addresses, but none is well formed. Holds the index of the first one.
    Malformed(usize),
    Missing,
}

fn staff_address(person: &Person) -> StaffAddress {
    let emails = person.emails.iter().flatten().enumerate();
    let mut of_staff = emails.filter(|(_, email)| email.kind == Some(EmailType::SkolaPersonal)).peekable();
    let Some((first, _)) = of_staff.peek().copied() else { return StaffAddress::Missing };
    if of_staff.any(|(_, email)| is_address(email)) {
        StaffAddress::Good
    } else {
        StaffAddress::Malformed(first)
    }
}

/// Whether it has a local part, `@` and a domain with a dot, and no white space or invisible characters.
fn is_address(email: &Email) -> bool {
    let address = email.value.expose();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !characters::is_invisible(c);
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let dotted = domain.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
    !local.is_empty() && dotted && address.chars().all(plain)
}

fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of the map stays at 16 bytes, because a send may have 93,000 records.
    #[test]
    fn a_record_takes_little_memory() {
        assert!(size_of::<(u64, Known)>() <= 16);
    }
}
