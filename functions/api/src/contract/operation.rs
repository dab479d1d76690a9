//! The inputs and outputs of a call, collected from the types of its handler. Each extractor and each response type
//! describes itself, so a handler cannot take or return anything that its description lacks.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::contract::parameter::{Parameter, Place};

/// Makes the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The part of a call's description that comes from the types of its handler.
#[derive(Default)]
pub(crate) struct Operation {
    pub(crate) parameters: Vec<Parameter>,
    /// The scope that the token needs; `None` if the call needs no token.
    pub(crate) scope: Option<&'static str>,
    pub(crate) takes_body: bool,
    /// The status of the successful response.
    pub(crate) status: u16,
    pub(crate) headers: Vec<AnswerHeader>,
    /// The schemas of the successful response, by media type.
    pub(crate) contents: Vec<(&'static str, SchemaOf)>,
    /// Whether the call returns 304 if the caller already has the response.
    pub(crate) not_modified: bool,
    /// The statuses of the problems that the call may return.
    pub(crate) problems: BTreeSet<u16>,
}

/// A response header.
#[derive(Clone, Copy)]
pub(crate) struct AnswerHeader {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// A JSON type.
    pub(crate) schema: &'static str,
    pub(crate) always: bool,
}

/// An argument of a handler.
pub(crate) trait Input {
    fn describe(operation: &mut Operation);
}

/// The successful response of a handler.
pub(crate) trait Output {
    fn describe(operation: &mut Operation);
}

/// A handler. The types of its `Arguments` and of its response describe it.
pub(crate) trait Described<Arguments> {
    fn operation() -> Operation;
}

impl Operation {
    /// Sets the status of the response, and adds this type as its JSON.
    pub(crate) fn answers_json<T: JsonSchema>(&mut self, status: u16) {
        self.status = status;
        self.contents.push(("application/json", |generator| generator.subschema_for::<T>()));
    }

    /// The names of its parameters in this place.
    pub(crate) fn names(&self, place: Place) -> impl Iterator<Item = &'static str> {
        self.parameters.iter().filter(move |it| it.place == place).map(|it| it.name)
    }

    /// Adds a parameter, or replaces the one with the same name and place.
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
