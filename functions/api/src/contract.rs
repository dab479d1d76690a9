//! The description of this API, as OpenAPI 3.1 for programs and as one page for people.
//!
//! It is generated from the code. Parameters, statuses and media types come from the types of the handlers
//! (`operation.rs`). Schemas with their descriptions and examples come from the serialised types (`schemas.rs`).
//! Request bodies come from the tables that they are checked with, and errors from `Problem`. Only the prose of a route
//! is written by hand, beside the route (`routes.rs`). To add a field to a response, add it to the view.

mod document;
mod example;
pub(crate) mod operation;
mod page;
pub(crate) mod parameter;
mod problems;
mod schemas;

use std::sync::OnceLock;

pub(crate) use document::{BodyExample, Call, Tag};

/// The description of all calls. It is rendered at the first request for it.
pub(crate) struct Description {
    calls: Vec<Call>,
    rendered: OnceLock<Rendered>,
}

/// The description in both formats that the API serves.
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
