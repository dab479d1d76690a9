//! A value for each kind of record.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

use crate::kind::record_kind::RecordKind;

/// A value for each kind of record. In JSON it is an object with the kinds' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct PerKind<T> {
    #[serde(rename = "users")]
    person: T,
    #[serde(rename = "duties")]
    duty: T,
    #[serde(rename = "groups")]
    group: T,
    #[serde(rename = "activities")]
    activity: T,
}

impl<T> PerKind<T> {
    /// What `value` gives for each kind, in the order of [`RecordKind::ALL`].
    pub fn from_fn(mut value: impl FnMut(RecordKind) -> T) -> Self {
        Self {
            person: value(RecordKind::Person),
            duty: value(RecordKind::Duty),
            group: value(RecordKind::Group),
            activity: value(RecordKind::Activity),
        }
    }

    /// The same kinds with other values.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> PerKind<U> {
        PerKind {
            person: change(self.person),
            duty: change(self.duty),
            group: change(self.group),
            activity: change(self.activity),
        }
    }

    /// The same kinds with references to the values.
    pub fn as_ref(&self) -> PerKind<&T> {
        PerKind { person: &self.person, duty: &self.duty, group: &self.group, activity: &self.activity }
    }

    /// The same kinds with references to the values, which may change.
    pub fn as_mut(&mut self) -> PerKind<&mut T> {
        PerKind {
            person: &mut self.person,
            duty: &mut self.duty,
            group: &mut self.group,
            activity: &mut self.activity,
        }
    }

    /// Each kind with its value, in the order of [`RecordKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (RecordKind, &T)> {
        self.as_ref().into_iter()
    }

    /// The values, in the order of [`RecordKind::ALL`].
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().map(|(_, value)| value)
    }

    /// The values, which may change, in the order of [`RecordKind::ALL`].
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.as_mut().into_iter().map(|(_, value)| value)
    }
}

impl<T> Index<RecordKind> for PerKind<T> {
    type Output = T;

    fn index(&self, kind: RecordKind) -> &T {
        match kind {
            RecordKind::Person => &self.person,
            RecordKind::Duty => &self.duty,
            RecordKind::Group => &self.group,
            RecordKind::Activity => &self.activity,
        }
    }
}

impl<T> IndexMut<RecordKind> for PerKind<T> {
    fn index_mut(&mut self, kind: RecordKind) -> &mut T {
        match kind {
            RecordKind::Person => &mut self.person,
            RecordKind::Duty => &mut self.duty,
            RecordKind::Group => &mut self.group,
            RecordKind::Activity => &mut self.activity,
        }
    }
}

impl<T> IntoIterator for PerKind<T> {
    type Item = (RecordKind, T);
    type IntoIter = std::array::IntoIter<(RecordKind, T), 4>;

    fn into_iter(self) -> Self::IntoIter {
        let Self { person, duty, group, activity } = self;
        [
            (RecordKind::Person, person),
            (RecordKind::Duty, duty),
            (RecordKind::Group, group),
            (RecordKind::Activity, activity),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_value() {
        let mut codes = PerKind::from_fn(RecordKind::code);
        for kind in RecordKind::ALL {
            assert_eq!(codes[kind], kind.code());
            codes[kind] *= 10;
        }
        let kinds: Vec<_> = codes.into_iter().collect();
        assert_eq!(kinds, RecordKind::ALL.map(|kind| (kind, kind.code() * 10)));
        assert!(codes.map(|code| code / 10).iter().all(|(kind, code)| kind.code() == *code));
        codes.values_mut().for_each(|code| *code += 1);
        assert!(codes.values().eq(&RecordKind::ALL.map(|kind| kind.code() * 10 + 1)));
    }

    #[test]
    fn it_is_stored_by_name() {
        let named = PerKind::from_fn(RecordKind::as_str);
        let stored = serde_json::to_value(named).unwrap();
        assert_eq!(stored.as_object().unwrap().len(), RecordKind::ALL.len());
        assert!(RecordKind::ALL.iter().all(|kind| stored[kind.as_str()] == kind.as_str()));
        let read: PerKind<String> = serde_json::from_value(stored).unwrap();
        assert!(RecordKind::ALL.iter().all(|kind| read[*kind] == kind.as_str()));
    }
}
