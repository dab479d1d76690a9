//! What a call takes and answers, collected from the types of its handler: each extractor and each answer describes
//! itself, so a handler cannot take or answer something that its description does not have.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::contract::parameter::{Parameter, Place};

/// Makes the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A call, without its prose.
#[derive(Default)]
pub(crate) struct Operation {
    pub(crate) parameters: Vec<Parameter>,
    /// The scope that the token needs; none where no token is needed.
    pub(crate) scope: Option<&'static str>,
    pub(crate) takes_body: bool,
    /// The status of success, and what stands in such an answer.
    pub(crate) status: u16,
    pub(crate) headers: Vec<AnswerHeader>,
    /// By media type.
    pub(crate) contents: Vec<(&'static str, SchemaOf)>,
    /// Whether an answer that the caller has already is 304.
    pub(crate) not_modified: bool,
    /// The statuses of the problems that it may be answered with.
    pub(crate) problems: BTreeSet<u16>,
}

/// A header of an answer.
#[derive(Clone, Copy)]
pub(crate) struct AnswerHeader {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// A JSON type.
    pub(crate) schema: &'static str,
    pub(crate) always: bool,
}

/// What a handler takes from a request.
pub(crate) trait Input {
    fn describe(operation: &mut Operation);
}

/// What a handler answers where it succeeds.
pub(crate) trait Output {
    fn describe(operation: &mut Operation);
}

/// A handler, which is described by the types of its `Arguments` and of its answer.
pub(crate) trait Described<Arguments> {
    fn operation() -> Operation;
}

impl Operation {
    /// Adds the JSON of a type to the answer.
    pub(crate) fn answers_json<T: JsonSchema>(&mut self, status: u16) {
        self.status = status;
        self.contents.push(("application/json", |generator| generator.subschema_for::<T>()));
    }

    /// The names of its parameters in this place.
    pub(crate) fn names(&self, place: Place) -> impl Iterator<Item = &'static str> {
        self.parameters.iter().filter(move |it| it.place == place).map(|it| it.name)
    }

    /// Adds a parameter. One of the same name and place is replaced.
    pub(crate) fn takes(&mut self, parameter: Parameter) {
        let same = |known: &Parameter| known.name == parameter.name && known.place == parameter.place;
        match self.parameters.iter_mut().find(|known| same(known)) {
            Some(known) => *known = parameter,
            None => self.parameters.push(parameter),
        }
    }
}

macro_rules! described {
    ($($argument:ident),*) => {
        impl<Handler, Fut, Answer, Problem, $($argument: Input),*> Described<($($argument,)*)> for Handler
        where
            Handler: Fn($($argument),*) -> Fut,
            Fut: Future<Output = Result<Answer, Problem>>,
            Answer: Output,
        {
            fn operation() -> Operation {
                let mut operation = Operation::default();
                $($argument::describe(&mut operation);)*
                Answer::describe(&mut operation);
                operation
            }
        }
    };
}
described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);

impl<S> Input for State<S> {
    fn describe(_: &mut Operation) {}
}

impl<T> Input for Extension<T> {
    fn describe(_: &mut Operation) {}
}

impl Input for HeaderMap {
    fn describe(_: &mut Operation) {}
}

impl<T: JsonSchema> Output for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers_json::<T>(200);
    }
}
