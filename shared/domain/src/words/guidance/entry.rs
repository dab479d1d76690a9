//! A row of the catalogue of messages.

use crate::words::guidance::Guidance;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// An attribute of a record: the last part of its name, or more of it where that says too little.
    Attribute(&'static str),
    /// A parameter of the call.
    Parameter(&'static str),
    /// All else that bears the id.
    Any,
}

/// A row of the catalogue: messages with one of these ids, about one of these things.
pub(super) struct Entry {
    pub(super) ids: &'static [&'static str],
    pub(super) about: &'static [About],
    pub(super) guidance: Guidance,
}
