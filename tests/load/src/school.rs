//! A school: its people, classes, teaching groups and test activities, each record made when it is asked for.

use serde_json::{Value, json};

use crate::person::{civic_number, local_part, names};
use crate::random::{Kind, id};

/// Ids of a class's students leave room for this many.
const PLACES: u32 = 32;
/// School years of compulsory school; the tests of one are taken by all classes of it.
const SCHOOL_YEARS: u32 = 9;
/// Children born in this year less their school year.
const YEAR_BEFORE_SCHOOL: u32 = 2020;
/// Staff are born in so many years, from this one on.
const STAFF_BORN: (u32, u32) = (1960, 40);
const SUBJECTS: [&str; 4] = ["MAT", "SVE", "ENG", "BIO"];
/// Teachers of an activity, where the school has so many.
const TEACHERS: u32 = 2;
/// The first two of a school's staff do not teach.
const LEADERS: [&str; 2] = ["Rektor", "Skoladministratör"];

/// How large a school is, and from which number on its things are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct School {
    /// Distinguishes the ids of one preset's or organiser's records from those of others.
    pub(crate) series: u32,
    pub(crate) unit: u32,
    pub(crate) students: u32,
    pub(crate) staff: u32,
    pub(crate) classes: u32,
    /// Test activities, each with a teaching group of its own that holds one class.
    pub(crate) tests: u32,
    pub(crate) first_staff: u32,
    pub(crate) first_class: u32,
    pub(crate) first_test: u32,
    /// The largest class that any school with this numbering has.
    pub(crate) largest_class: u32,
}

/// The share of the `at`th of so many who divide a whole as evenly as it goes.
pub(crate) fn share(whole: u32, among: u32, at: u32) -> u32 {
    whole / among + u32::from(at < whole % among)
}

impl School {
    pub(crate) fn persons(&self) -> impl Iterator<Item = Value> + use<> {
        let school = *self;
        let places = move |class| (0..school.size_of(class)).map(move |place| (class, place));
        let students = (0..school.classes).flat_map(places);
        let students = students.map(move |(class, place)| school.student(class, place));
        students.chain((0..school.staff).map(move |number| school.member_of_staff(number)))
    }

    pub(crate) fn duties(&self) -> impl Iterator<Item = Value> + use<> {
        let school = *self;
        (0..school.staff).map(move |number| school.duty(number))
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = Value> + use<> {
        let school = *self;
        let classes = (0..school.classes).map(move |class| school.class(class));
        classes.chain((0..school.tests).map(move |test| school.teaching_group(test)))
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = Value> + use<> {
        let school = *self;
        (0..school.tests).map(move |test| school.activity(test))
    }

    fn size_of(&self, class: u32) -> u32 {
        share(self.students, self.classes, class)
    }

    fn school_year(&self, class: u32) -> u32 {
        (self.first_class + class) % SCHOOL_YEARS + 1
    }

    fn student_number(&self, class: u32, place: u32) -> u32 {
        (self.first_class + class) * PLACES + place
    }

    fn unit_code(&self) -> Value {
        // The series from 99 on are nobody's.
        json!({"schoolUnitCode": format!("99{:06}", self.unit)})
    }

    fn id(&self, kind: Kind, number: u32) -> String {
        id(self.series, kind, number)
    }

    fn student(&self, class: u32, place: u32) -> Value {
        let number = self.student_number(class, place);
        let (given_name, family_name) = names(self.series, Kind::Student, number);
        let school_year = self.school_year(class);
        // Classes of the same school year are `SCHOOL_YEARS` apart.
        let among_those_born = (self.first_class + class) / SCHOOL_YEARS * self.largest_class + place;
        let eppn = format!("{}@edu.example.se", local_part(self.series, Kind::Student, number));
        json!({
            "id": self.id(Kind::Student, number), "givenName": given_name, "familyName": family_name,
            "eduPersonPrincipalNames": [eppn], "securityMarking": "Ingen",
            "civicNo": {
                "value": civic_number(YEAR_BEFORE_SCHOOL - school_year, among_those_born), "nationality": "SE",
            },
            "enrolments": [{
                "enroledAt": self.unit_code(), "schoolYear": school_year, "schoolType": "GR",
            }],
        })
    }

    fn member_of_staff(&self, number: u32) -> Value {
        let number = self.first_staff + number;
        let (given_name, family_name) = names(self.series, Kind::Staff, number);
        let local_part = local_part(self.series, Kind::Staff, number);
        let (first_year, years) = STAFF_BORN;
        json!({
            "id": self.id(Kind::Staff, number), "givenName": given_name, "familyName": family_name,
            "eduPersonPrincipalNames": [format!("{local_part}@edu.example.se")], "securityMarking": "Ingen",
            "civicNo": {"value": civic_number(first_year + number % years, number / years), "nationality": "SE"},
            "emails": [{"value": format!("{local_part}@example.se"), "type": "Skola personal"}],
        })
    }

    fn duty(&self, number: u32) -> Value {
        let role = usize::try_from(number).ok().and_then(|at| LEADERS.get(at).copied()).unwrap_or("Lärare");
        let number = self.first_staff + number;
        json!({
            "id": self.id(Kind::Duty, number), "person": {"id": self.id(Kind::Staff, number)},
            "dutyAt": self.unit_code(), "dutyRole": role,
        })
    }

    fn class(&self, class: u32) -> Value {
        let name = format!("{}{}", self.school_year(class), letter(class / SCHOOL_YEARS));
        self.group(self.id(Kind::Class, self.first_class + class), &name, "Klass", class)
    }

    fn teaching_group(&self, test: u32) -> Value {
        let class = test % self.classes;
        let name =
            format!("{}{} {}", self.school_year(class), letter(class / SCHOOL_YEARS), self.subject(test));
        self.group(self.id(Kind::TeachingGroup, self.first_test + test), &name, "Undervisning", class)
    }

    fn group(&self, id: String, name: &str, group_type: &str, class: u32) -> Value {
        let member =
            |place| json!({"person": {"id": self.id(Kind::Student, self.student_number(class, place))}});
        let members: Vec<_> = (0..self.size_of(class)).map(member).collect();
        json!({
            "id": id, "displayName": name, "groupType": group_type, "schoolType": "GR",
            "organisation": self.unit_code(), "groupMemberships": members,
        })
    }

    fn activity(&self, test: u32) -> Value {
        let teachers = self.staff.saturating_sub(LEADERS.len() as u32);
        let teacher = |number| {
            let number = LEADERS.len() as u32 + (test + number) % teachers;
            json!({"duty": {"id": self.id(Kind::Duty, self.first_staff + number)}})
        };
        let (subject, school_year) = (self.subject(test), self.school_year(test % self.classes));
        json!({
            "id": self.id(Kind::Activity, self.first_test + test), "displayName": format!("Prov {subject}"),
            "activityType": "Undervisning",
            "groups": [{"id": self.id(Kind::TeachingGroup, self.first_test + test)}],
            "teachers": (0..TEACHERS.min(teachers)).map(teacher).collect::<Vec<_>>(),
            "organisation": self.unit_code(),
            "parentActivity": {"testCode": format!("GRGR{subject}01_{school_year}")},
        })
    }

    fn subject(&self, test: u32) -> &'static str {
        let at = usize::try_from(test / self.classes).unwrap_or_default() % SUBJECTS.len();
        SUBJECTS.get(at).copied().unwrap_or_default()
    }
}

/// A, B, C …
fn letter(number: u32) -> char {
    char::from(b'A' + u8::try_from(number % 26).unwrap_or_default())
}
