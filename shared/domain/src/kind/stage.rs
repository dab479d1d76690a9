//! The four stages and their order. This is the one place that knows the order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::kind::id::InvalidId;

/// A leg of the relay, and the kind of records that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StageName {
    /// Användare: SS 12000 Person.
    Users,
    /// Tjänstgöringar: SS 12000 Duty.
    Duties,
    /// Grupper: SS 12000 Group.
    Groups,
    /// Aktiviteter: SS 12000 Activity.
    Activities,
}

impl StageName {
    /// All stages, in the order that Skolverket's interface demands (skolverket/README, behaviour 6).
    pub const ORDER: [Self; 4] = [Self::Users, Self::Duties, Self::Groups, Self::Activities];

    /// The first leg.
    pub const FIRST: Self = Self::ORDER[0];

    /// Where in the order this stage stands, from 0.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The leg that starts when this one has succeeded; none after the last.
    pub fn next(self) -> Option<Self> {
        Self::ORDER.get(self.index() + 1).copied()
    }

    /// All that come after this one, in order.
    pub fn following(self) -> &'static [Self] {
        Self::ORDER.get(self.index() + 1..).unwrap_or_default()
    }

    /// The attribute of a body that holds its records.
    pub fn list(self) -> &'static str {
        match self {
            Self::Users => "persons",
            Self::Duties => "duties",
            Self::Groups => "groups",
            Self::Activities => "activities",
        }
    }

    /// The stage whose records stand in this attribute of a body.
    pub(crate) fn of_list(name: &str) -> Option<Self> {
        Self::ORDER.into_iter().find(|stage| stage.list() == name)
    }

    /// The name used in messages, addresses and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Duties => "duties",
            Self::Groups => "groups",
            Self::Activities => "activities",
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StageName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ORDER.into_iter().find(|stage| stage.as_str() == text).ok_or(InvalidId("stage"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_skolverkets() {
        assert_eq!(StageName::ORDER.map(StageName::as_str), ["users", "duties", "groups", "activities"]);
        let walked: Vec<_> = std::iter::successors(Some(StageName::FIRST), |stage| stage.next()).collect();
        assert_eq!(walked, StageName::ORDER);
        for (index, stage) in StageName::ORDER.into_iter().enumerate() {
            assert_eq!(stage.index(), index);
            assert_eq!(stage.following(), &StageName::ORDER[index + 1..]);
            assert_eq!(stage.as_str().parse(), Ok(stage));
        }
    }
}
