//! The description of this API, as OpenAPI 3.1 for programs and as one page for people.
//!
//! Everything is made from what the code has already: parameters, statuses and media types from the types of the handlers
//! (`operation.rs`), schemas, their descriptions and examples from the types that are serialised (`schemas.rs`), bodies of
//! requests from the tables that they are checked with, problems from the problems. Only a route's prose is written by
//! hand, where the route is. A new field of an answer is one edit: the field of its view.

mod document;
mod example;
pub(crate) mod operation;
mod page;
pub(crate) mod parameter;
mod problems;
mod schemas;

use std::sync::OnceLock;

pub(crate) use document::{BodyExample, Call, Tag};

/// The description of the router's calls, made at the first request for it.
pub(crate) struct Description {
    calls: Vec<Call>,
    rendered: OnceLock<Rendered>,
}

/// The description as it is answered.
pub(crate) struct Rendered {
    pub(crate) json: String,
    pub(crate) page: String,
}

impl Description {
    pub(crate) fn of(calls: Vec<Call>) -> Self {
        Self { calls, rendered: OnceLock::new() }
    }

    pub(crate) fn rendered(&self) -> &Rendered {
        self.rendered.get_or_init(|| {
            let document = document::document(&self.calls);
            Rendered { json: document.to_string(), page: page::page(&document) }
        })
    }
}

#[cfg(test)]
mod tests;
