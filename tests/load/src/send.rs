//! A generated send, whole or in parts. Neither stays in memory after its use.

use std::iter::Peekable;

use serde_json::Value;

use crate::school::School;

/// The most bytes of a request's or part's body.
pub const LARGEST_PART: usize = 4_000_000;

/// The lists of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// Students and staff.
    Persons,
    /// Who works where.
    Duties,
    /// Classes and teaching groups.
    Groups,
    /// Test activities.
    Activities,
}

impl List {
    /// All, in the order in which Skolverket takes them.
    pub const ALL: [Self; 4] = [Self::Persons, Self::Duties, Self::Groups, Self::Activities];

    /// The attribute of a body that holds it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Persons => "persons",
            Self::Duties => "duties",
            Self::Groups => "groups",
            Self::Activities => "activities",
        }
    }
}

/// One press of the button. Small whatever its size: records are made when they are asked for.
#[derive(Debug, Clone)]
pub struct Send {
    organisation: String,
    schools: Vec<School>,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// `{part, persons?, duties?, groups?, activities?}`, at most [`LARGEST_PART`] bytes.
    pub body: String,
}

type Records = Box<dyn Iterator<Item = (List, Value)> + std::marker::Send>;

/// The parts of a send, made one after another.
pub struct Parts {
    records: Peekable<Box<dyn Iterator<Item = (List, String)> + std::marker::Send>>,
    made: u32,
}

impl Send {
    pub(crate) fn new(organisation: String, schools: Vec<School>) -> Self {
        Self { organisation, schools }
    }

    /// Whose it is: 10 digits.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// How many records a list has.
    pub fn count(&self, list: List) -> u32 {
        let of = |school: &School| match list {
            List::Persons => school.students + school.staff,
            List::Duties => school.staff,
            List::Groups => school.classes + school.tests,
            List::Activities => school.tests,
        };
        self.schools.iter().map(of).sum()
    }

    /// How many records it has.
    pub fn records(&self) -> u32 {
        List::ALL.into_iter().map(|list| self.count(list)).sum()
    }

    /// One list's records, in order.
    pub fn list(&self, list: List) -> impl Iterator<Item = Value> + std::marker::Send + use<> {
        let schools = self.schools.clone().into_iter();
        schools.flat_map(move |school| -> Box<dyn Iterator<Item = Value> + std::marker::Send> {
            match list {
                List::Persons => Box::new(school.persons()),
                List::Duties => Box::new(school.duties()),
                List::Groups => Box::new(school.groups()),
                List::Activities => Box::new(school.activities()),
            }
        })
    }

    /// Whether it is too large for one request.
    pub fn is_large(&self) -> bool {
        self.parts().take(2).count() > 1
    }

    /// The body of `POST /v1/sends`.
    pub fn body(&self) -> String {
        let mut body = Bodies::default();
        for (list, record) in self.all() {
            body.push(list, &record.to_string());
        }
        body.framed(None, true)
    }

    /// The parts of an upload.
    pub fn parts(&self) -> Parts {
        let texts = self.all().map(|(list, record)| (list, record.to_string()));
        let records: Box<dyn Iterator<Item = (List, String)> + std::marker::Send> = Box::new(texts);
        Parts { records: records.peekable(), made: 0 }
    }

    fn all(&self) -> Records {
        let lists = List::ALL.map(|list| self.list(list).map(move |record| (list, record)));
        Box::new(lists.into_iter().flatten())
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        self.records.peek()?;
        let number = self.made + 1;
        let mut body = Bodies::default();
        while let Some((list, record)) = self.records.next_if(|(_, record)| body.has_room_for(record)) {
            body.push(list, &record);
        }
        // A record that fits no part at all would be the same one for ever.
        if body.is_empty() {
            return None;
        }
        self.made = number;
        Some(Part { number, body: body.framed(Some(number), false) })
    }
}

/// The four lists of a body, as text.
#[derive(Default)]
struct Bodies([String; 4]);

impl Bodies {
    /// Brackets, names and commas around the lists, and the part's number.
    const FRAME: usize = 100;

    fn has_room_for(&self, record: &str) -> bool {
        let so_far: usize = self.0.iter().map(String::len).sum();
        Self::FRAME + so_far + record.len() < LARGEST_PART
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }

    fn push(&mut self, list: List, record: &str) {
        let [persons, duties, groups, activities] = &mut self.0;
        let text = match list {
            List::Persons => persons,
            List::Duties => duties,
            List::Groups => groups,
            List::Activities => activities,
        };
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(record);
    }

    fn framed(self, part: Option<u32>, with_empty: bool) -> String {
        let lists = List::ALL.into_iter().zip(self.0).filter(|(_, text)| with_empty || !text.is_empty());
        let lists = lists.map(|(list, text)| format!("\"{}\":[{text}]", list.name()));
        let number = part.map(|number| format!("\"part\":{number}"));
        format!("{{{}}}", number.into_iter().chain(lists).collect::<Vec<_>>().join(","))
    }
}
