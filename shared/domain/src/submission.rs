//! The body of a send on its way in: reading it, whole or in parts, corrections of an earlier one, and the plan of its
//! batches.
//!
//! It may use `kind`, `state` and `rules`. It must not know the words of what it finds.

pub mod activity_records;
pub mod batch;
pub mod body;
pub mod corrections;
pub mod entry;
mod form;
pub mod json;
pub mod part;
pub mod plan;
pub mod reader;
mod reference_check;
pub mod schema;
pub mod upload_check;

#[cfg(test)]
mod tests;
