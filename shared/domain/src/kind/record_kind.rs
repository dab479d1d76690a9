//! The kinds of record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::vocabulary::in_words;

/// What a record is. In messages, addresses, queues, metrics and logs it has the name of the job that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Stage", description = "A job of a send, by the records that it carries.")]
pub enum RecordKind {
    /// Användare: SS 12000 Person.
    #[serde(rename = "users")]
    Person,
    /// Tjänstgöringar: SS 12000 Duty.
    #[serde(rename = "duties")]
    Duty,
    /// Grupper: SS 12000 Group.
    #[serde(rename = "groups")]
    Group,
    /// Aktiviteter: SS 12000 Activity.
    #[serde(rename = "activities")]
    Activity,
}

impl RecordKind {
    /// All kinds, each after those that its records may refer to.
    pub const ALL: [Self; 4] = [Self::Person, Self::Duty, Self::Group, Self::Activity];

    /// The names of their jobs, in that order.
    pub const WORDS: &[&str] = &["users", "duties", "groups", "activities"];

    /// The number that stands for it in keys and packed items. It never changes.
    pub fn code(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::Duty => 2,
            Self::Group => 3,
            Self::Activity => 4,
        }
    }

    /// The kind that a number stands for.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name of its job in messages, addresses, queues, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "users",
            Self::Duty => "duties",
            Self::Group => "groups",
            Self::Activity => "activities",
        }
    }

    /// The attribute of a body that holds its records.
    pub fn list(self) -> &'static str {
        match self {
            Self::Person => "persons",
            Self::Duty => "duties",
            Self::Group => "groups",
            Self::Activity => "activities",
        }
    }

    /// The kind whose records stand in this attribute of a body.
    pub(crate) fn of_list(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.list() == name)
    }
}

in_words!(RecordKind, "stage");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_read_back() {
        assert_eq!(RecordKind::ALL.map(RecordKind::as_str), RecordKind::WORDS);
        for kind in RecordKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(RecordKind::of_code(kind.code()), Some(kind));
            assert_eq!(RecordKind::of_list(kind.list()), Some(kind));
        }
        assert_eq!(RecordKind::of_code(0), None);
        assert!("persons".parse::<RecordKind>().is_err());
    }

    #[test]
    fn stored_codes_do_not_change() {
        assert_eq!(
            RecordKind::ALL.map(|kind| (kind, kind.code())),
            [
                (RecordKind::Person, 1),
                (RecordKind::Duty, 2),
                (RecordKind::Group, 3),
                (RecordKind::Activity, 4),
            ]
        );
    }
}
