//! A handler for each route: it reads the request, makes one call to the intake or the history, and returns a view.

pub(crate) mod access;
pub(crate) mod activities;
pub(crate) mod attempts;
pub(crate) mod jobs;
pub(crate) mod organiser;
pub(crate) mod records;
pub(crate) mod sends;
pub(crate) mod service;
pub(crate) mod uploads;
pub(crate) mod validations;
