use serde_json::Value;
use uuid::Uuid;

use crate::{Kind, shape};

/// A record's reference to one of an earlier stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Of what is referred to.
    pub(crate) kind: Kind,
    pub(crate) id: Uuid,
    /// The attribute that refers.
    pub(crate) attribute: &'static str,
}

/// A record's references to the four kinds; malformed references are found by the schema. School units and
/// national test activities are Skolverket's own and not looked up.
pub(crate) fn references(kind: Kind, record: &Value) -> Vec<Reference> {
    let items = |list: &'static str| record[list].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let reference = |kind, object: &Value, attribute| {
        shape::id(&object["id"]).map(|id| Reference { kind, id, attribute })
    };
    match kind {
        Kind::Persons => Vec::new(),
        Kind::Duties => reference(Kind::Persons, &record["person"], "person").into_iter().collect(),
        Kind::Groups => items("groupMemberships")
            .filter_map(|member| reference(Kind::Persons, &member["person"], "groupMemberships"))
            .collect(),
        Kind::Activities => {
            let groups = items("groups").filter_map(|group| reference(Kind::Groups, group, "groups"));
            let duties =
                items("teachers").filter_map(|teacher| reference(Kind::Duties, &teacher["duty"], "teachers"));
            groups.chain(duties).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::sample;

    #[test]
    fn each_kind_refers_to_those_before_it() {
        let ids: [Uuid; 3] = std::array::from_fn(|_| Uuid::new_v4());
        let of = |kind, attribute| move |id: &Uuid| Reference { kind, id: *id, attribute };
        assert_eq!(references(Kind::Persons, &sample::person(ids[0])), []);
        assert_eq!(
            references(Kind::Duties, &sample::duty(Uuid::new_v4(), ids[0])),
            [of(Kind::Persons, "person")(&ids[0])]
        );
        assert_eq!(
            references(Kind::Groups, &sample::group(Uuid::new_v4(), &ids)),
            ids.iter().map(of(Kind::Persons, "groupMemberships")).collect::<Vec<_>>()
        );
        assert_eq!(
            references(Kind::Activities, &sample::activity(Uuid::new_v4(), &ids[..1], &ids[1..2])),
            [of(Kind::Groups, "groups")(&ids[0]), of(Kind::Duties, "teachers")(&ids[1])]
        );
        assert_eq!(references(Kind::Activities, &serde_json::json!({"groups": 1, "teachers": [{}]})), []);
    }
}
