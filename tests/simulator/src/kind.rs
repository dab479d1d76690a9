use std::fmt;

/// The four kinds of record, in the order in which they build on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Students and staff (SS 12000 Person).
    Persons,
    /// Who works where, in which role (Duty).
    Duties,
    /// Classes and teaching groups (Group).
    Groups,
    /// Groups and teachers tied to a test (Activity).
    Activities,
}

impl Kind {
    /// All four, in order.
    pub const ALL: [Kind; 4] = [Kind::Persons, Kind::Duties, Kind::Groups, Kind::Activities];

    /// The path segment: `persons`, `duties`, `groups` or `activities`.
    pub fn segment(self) -> &'static str {
        match self {
            Kind::Persons => "persons",
            Kind::Duties => "duties",
            Kind::Groups => "groups",
            Kind::Activities => "activities",
        }
    }

    /// The kind of that path segment.
    pub fn from_segment(segment: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.segment() == segment)
    }

    /// `resourceType` of a LogEntry (Code_ObjectType).
    pub(crate) fn object_type(self) -> &'static str {
        match self {
            Kind::Persons => "Person",
            Kind::Duties => "Duty",
            Kind::Groups => "Group",
            Kind::Activities => "Activity",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.segment())
    }
}
