//! What is done for each route: what the request says, one call of the intake or the history, and a view of what came of
//! it.

pub(crate) mod access;
pub(crate) mod activities;
pub(crate) mod attempts;
pub(crate) mod jobs;
pub(crate) mod organiser;
pub(crate) mod records;
pub(crate) mod sends;
pub(crate) mod uploads;
pub(crate) mod validations;
