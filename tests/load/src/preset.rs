//! The sizes that are measured.

use crate::school::{School, share};
use crate::send::Send;

/// The organiser of the presets that have one: the example organiser.
const ORGANISER: &str = "5567044268";
/// Organisers of a morning, and how many classes each of them may have.
const ORGANISERS: u32 = 300;
const CLASSES_AN_ORGANISER: u32 = 5;

/// A size that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Preset {
    /// One activity, 30 students, 5 staff.
    Class,
    /// 5 schools, 2,000 students: as much as goes into one request.
    Small,
    /// 115 schools, 60,000 students, 7,500 staff: about 93,000 records, uploaded in parts.
    Big,
    /// 300 organisers, one send each, of one class to twenty activities.
    Morning,
}

/// What all schools of a send share.
struct Whole {
    series: u32,
    schools: u32,
    students: u32,
    staff: u32,
    classes: u32,
    tests: u32,
}

impl Preset {
    /// As it is named on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Small => "small",
            Self::Big => "big",
            Self::Morning => "morning",
        }
    }

    /// Its sends, in the order in which they are made.
    pub fn sends(self) -> Box<dyn Iterator<Item = Send> + std::marker::Send> {
        let one = |whole: Whole| -> Box<dyn Iterator<Item = Send> + std::marker::Send> {
            Box::new(std::iter::once(Send::new(ORGANISER.to_owned(), whole.divided())))
        };
        match self {
            Self::Class => one(Whole { series: 1, schools: 1, students: 30, staff: 5, classes: 1, tests: 1 }),
            Self::Small => {
                one(Whole { series: 2, schools: 5, students: 2_000, staff: 250, classes: 87, tests: 261 })
            }
            // Classes of 23, three tests a class.
            Self::Big => one(Whole {
                series: 3,
                schools: 115,
                students: 60_000,
                staff: 7_500,
                classes: 2_600,
                tests: 7_800,
            }),
            Self::Morning => Box::new((0..ORGANISERS).map(|number| {
                // No organiser's: numbers of companies do not begin so.
                Send::new(format!("99{number:08}"), vec![of_a_morning(number)])
            })),
        }
    }
}

impl Whole {
    /// The schools, as equal as they can be.
    fn divided(&self) -> Vec<School> {
        let mut schools: Vec<School> = Vec::new();
        for at in 0..self.schools {
            let of = |whole| share(whole, self.schools, at);
            let before = schools.last();
            schools.push(School {
                series: self.series,
                unit: self.series * 1_000 + at,
                students: of(self.students),
                staff: of(self.staff),
                classes: of(self.classes),
                tests: of(self.tests),
                first_staff: before.map_or(0, |school| school.first_staff + school.staff),
                first_class: before.map_or(0, |school| school.first_class + school.classes),
                first_test: before.map_or(0, |school| school.first_test + school.tests),
                largest_class: 0,
            });
        }
        let largest = schools.iter().map(|school| school.students.div_ceil(school.classes)).max();
        for school in &mut schools {
            school.largest_class = largest.unwrap_or_default();
        }
        schools
    }
}

/// One to twenty activities, every size as often as every other; 20 to 28 students a class.
fn of_a_morning(number: u32) -> School {
    let tests = 1 + number * 7 % 20;
    let classes = tests.div_ceil(4);
    School {
        series: 4,
        unit: 4_000 + number,
        students: classes * (20 + number % 9),
        staff: 3 + classes + tests / 2,
        classes,
        tests,
        first_staff: number * 20,
        first_class: number * CLASSES_AN_ORGANISER,
        first_test: number * 20,
        largest_class: 28,
    }
}
