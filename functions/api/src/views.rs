//! The JSON and CSV of answers: sends, jobs, rows and calls as callers see them. Times are UTC, RFC 3339.

pub(crate) mod activity;
pub(crate) mod attempt;
pub(crate) mod causes;
pub(crate) mod csv_page;
pub(crate) mod findings;
pub(crate) mod job;
pub(crate) mod message;
pub(crate) mod organiser;
pub(crate) mod record;
pub(crate) mod requester;
pub(crate) mod send;
pub(crate) mod upload;
pub(crate) mod validation;
