//! The way of a send: its stages, in the order in which they run.

use serde::{Deserialize, Serialize};

use crate::kind::record_kind::RecordKind;
use crate::kind::vocabulary::vocabulary;

vocabulary!(
    /// What a stage does with its records at Skolverket.
    Operation {
        /// They are sent; what is there already is updated.
        Put = "put",
    }
);

/// A leg of the relay: it carries one kind of record with one operation. A send has a job for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stage {
    /// What it carries. No other stage of the send carries it, so that its job bears its name.
    pub kind: RecordKind,
    /// What it does.
    pub operation: Operation,
}

/// The stages of a send in their order: each starts only when the one before it has handed over. There is at least one,
/// and no kind comes twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Stage>", into = "Vec<Stage>")]
pub struct Route {
    first: Stage,
    rest: Vec<Stage>,
}

/// Stages that are no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// There are none.
    #[error("a route has no stage")]
    Empty,
    /// A kind is carried twice.
    #[error("a route carries {0} twice")]
    Twice(RecordKind),
}

impl Route {
    /// The route of a send that puts records: each kind after those that its records refer to, as Skolverket's interface
    /// demands (shared/README, Skolverket 6).
    pub fn of_puts() -> Self {
        let [first, rest @ ..] = RecordKind::ALL.map(|kind| Stage { kind, operation: Operation::Put });
        Self { first, rest: rest.into() }
    }

    /// Its first stage.
    pub fn first(&self) -> Stage {
        self.first
    }

    /// Its stages.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// What its stages carry.
    pub fn kinds(&self) -> impl Iterator<Item = RecordKind> {
        self.stages().map(|stage| stage.kind)
    }

    /// Where in it the stage stands that carries this kind, from 0.
    pub fn position(&self, kind: RecordKind) -> Option<usize> {
        self.kinds().position(|other| other == kind)
    }

    /// The stage that starts when the one that carries this kind has handed over; none after the last.
    pub fn next(&self, kind: RecordKind) -> Option<Stage> {
        self.stages().skip_while(|stage| stage.kind != kind).nth(1)
    }

    /// The stage that hands over to the one that carries this kind; none before the first.
    pub fn before(&self, kind: RecordKind) -> Option<Stage> {
        self.stages().take_while(|stage| stage.kind != kind).last()
    }
}

impl TryFrom<Vec<Stage>> for Route {
    type Error = InvalidRoute;

    fn try_from(stages: Vec<Stage>) -> Result<Self, InvalidRoute> {
        let [first, rest @ ..] = stages.as_slice() else { return Err(InvalidRoute::Empty) };
        let twice = |(at, stage): (usize, &Stage)| {
            stages.iter().take(at).any(|before| before.kind == stage.kind).then_some(stage.kind)
        };
        match stages.iter().enumerate().find_map(twice) {
            Some(kind) => Err(InvalidRoute::Twice(kind)),
            None => Ok(Self { first: *first, rest: rest.to_vec() }),
        }
    }
}

impl From<Route> for Vec<Stage> {
    fn from(route: Route) -> Self {
        route.stages().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(kinds: &[RecordKind]) -> Result<Route, InvalidRoute> {
        let stages: Vec<_> =
            kinds.iter().map(|kind| Stage { kind: *kind, operation: Operation::Put }).collect();
        stages.try_into()
    }

    #[test]
    fn records_are_put_in_the_order_that_skolverket_demands() {
        let names: Vec<_> = Route::of_puts().kinds().map(RecordKind::as_str).collect();
        assert_eq!(names, ["users", "duties", "groups", "activities"]);
    }

    #[test]
    fn what_comes_next_is_the_routes_to_say() {
        use RecordKind::{Activity, Duty, Group, Person};
        for (kinds, of, before, next) in [
            (&[Person, Duty, Group, Activity], Person, None, Some(Duty)),
            (&[Person, Duty, Group, Activity], Group, Some(Duty), Some(Activity)),
            (&[Person, Duty, Group, Activity], Activity, Some(Group), None),
            (&[Activity, Group, Duty, Person], Group, Some(Activity), Some(Duty)),
            (&[Activity, Group, Duty, Person], Person, Some(Duty), None),
        ] {
            let route = route(kinds).unwrap();
            assert_eq!(route.first().kind, kinds[0]);
            assert_eq!(route.before(of).map(|stage| stage.kind), before, "before {of} in {route:?}");
            assert_eq!(route.next(of).map(|stage| stage.kind), next, "after {of} in {route:?}");
            assert_eq!(
                kinds.iter().map(|kind| route.position(*kind)).collect::<Vec<_>>(),
                [0, 1, 2, 3].map(Some)
            );
        }
        let one = route(&[Group]).unwrap();
        assert_eq!((one.next(Group), one.next(Person), one.position(Person)), (None, None, None));
    }

    #[test]
    fn a_route_has_a_stage_and_no_kind_twice() {
        assert_eq!(route(&[]), Err(InvalidRoute::Empty));
        let twice = route(&[RecordKind::Person, RecordKind::Group, RecordKind::Person]);
        assert_eq!(twice, Err(InvalidRoute::Twice(RecordKind::Person)));
        let stored = json!([{"kind": "groups", "operation": "put"}, {"kind": "groups", "operation": "put"}]);
        assert!(serde_json::from_value::<Route>(stored).is_err());
    }

    #[test]
    fn it_is_stored_as_a_list() {
        let route = route(&[RecordKind::Person, RecordKind::Activity]).unwrap();
        let stored =
            json!([{"kind": "users", "operation": "put"}, {"kind": "activities", "operation": "put"}]);
        assert_eq!(serde_json::to_value(&route).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Route>(stored).unwrap(), route);
    }
}
