//! The one table of who refers to whom. The form of a body, the check of references, what a refused record means for
//! others, rows, corrections and resuming all read it.

use serde_json::Value;

use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;

/// That records of one kind refer to records of another, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// What refers.
    pub from: RecordKind,
    /// What is referred to.
    pub to: RecordKind,
    /// The attribute of the record that holds a list of references; none where it holds one.
    list: Option<&'static str>,
    /// A JSON Pointer to the id: from the entry of the list or, where there is none, from the record.
    id: &'static str,
    /// What becomes of the record when what it refers to is not accepted.
    pub if_refused: IfRefused,
}

/// What becomes of a record when one that it refers to is not accepted, and the sender chose to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfRefused {
    /// It is not sent.
    Skipped,
    /// It goes as it is: Skolverket takes it with a warning (shared/README, Skolverket 6).
    Unchanged,
    /// It goes without the reference.
    LeftOut,
    /// It goes without the reference; where no other is left in the list, it is not sent.
    LeftOutUnlessLast,
}

impl Relation {
    /// The person who has a duty.
    pub(crate) const DUTY_PERSON: Self = Self {
        from: RecordKind::Duty,
        to: RecordKind::Person,
        list: None,
        id: "/person/id",
        if_refused: IfRefused::Skipped,
    };
    /// The members of a group.
    pub(crate) const GROUP_MEMBERS: Self = Self {
        from: RecordKind::Group,
        to: RecordKind::Person,
        list: Some("groupMemberships"),
        id: "/person/id",
        if_refused: IfRefused::Unchanged,
    };
    /// The groups that take a test.
    pub(crate) const ACTIVITY_GROUPS: Self = Self {
        from: RecordKind::Activity,
        to: RecordKind::Group,
        list: Some("groups"),
        id: "/id",
        if_refused: IfRefused::LeftOutUnlessLast,
    };
    /// The duties of those who give a test.
    pub(crate) const ACTIVITY_TEACHERS: Self = Self {
        from: RecordKind::Activity,
        to: RecordKind::Duty,
        list: Some("teachers"),
        id: "/duty/id",
        if_refused: IfRefused::LeftOut,
    };

    /// All of them. No kind refers to another in two ways.
    pub const ALL: [Self; 4] =
        [Self::DUTY_PERSON, Self::GROUP_MEMBERS, Self::ACTIVITY_GROUPS, Self::ACTIVITY_TEACHERS];

    /// Those of the records of a kind.
    pub fn of(from: RecordKind) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |relation| relation.from == from)
    }

    /// The list of the references, which a record may have; none where it has one reference.
    pub(crate) fn list(&self) -> Option<&'static str> {
        self.list
    }

    /// A JSON Pointer, from the record, to the id in the reference at this place of the list. Where there is no list,
    /// the place does not matter.
    pub(crate) fn pointer(&self, place: usize) -> String {
        match self.list {
            Some(list) => format!("/{list}/{place}{}", self.id),
            None => self.id.to_owned(),
        }
    }

    /// The id in a reference: an entry of the list or, where there is none, the record.
    pub(crate) fn id_in<'v>(&self, holder: &'v Value) -> Option<&'v str> {
        holder.pointer(self.id)?.as_str()
    }

    /// The ids that a record has here, as they are written.
    pub(crate) fn written<'v>(&self, record: &'v Value) -> impl Iterator<Item = &'v str> {
        let (one, many) = match self.list {
            Some(list) => (None, record.get(list).and_then(Value::as_array)),
            None => (Some(record), None),
        };
        let id = self.id;
        let holders = one.into_iter().chain(many.into_iter().flatten());
        holders.filter_map(move |holder| holder.pointer(id)?.as_str())
    }

    /// The records that a record refers to here.
    pub fn ids(&self, record: &Value) -> impl Iterator<Item = RecordId> {
        self.written(record).filter_map(|id| id.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(number: u128) -> RecordId {
        RecordId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn every_kind_comes_after_those_that_it_refers_to() {
        let place = |kind| RecordKind::ALL.into_iter().position(|other| other == kind);
        for Relation { from, to, .. } in Relation::ALL {
            assert!(place(to) < place(from), "{from} refer to {to}");
        }
    }

    #[test]
    fn references_are_read_where_they_stand() {
        let person = |number| json!({"person": {"id": id(number)}});
        let duty = person(1);
        assert_eq!(Relation::DUTY_PERSON.ids(&duty).collect::<Vec<_>>(), [id(1)]);
        assert_eq!(duty.pointer(&Relation::DUTY_PERSON.pointer(0)), Some(&json!(id(1))));

        let group =
            json!({"groupMemberships": [person(1), {"person": {}}, {"person": {"id": "x"}}, person(2)]});
        assert_eq!(Relation::GROUP_MEMBERS.ids(&group).collect::<Vec<_>>(), [id(1), id(2)]);
        assert_eq!(Relation::GROUP_MEMBERS.written(&group).count(), 3);
        assert_eq!(group.pointer(&Relation::GROUP_MEMBERS.pointer(3)), Some(&json!(id(2))));
        assert_eq!(Relation::GROUP_MEMBERS.ids(&json!({})).count(), 0);
    }
}
