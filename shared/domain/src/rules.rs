//! The rules for the data, numbered as in `shared/domain/README.md`, beyond the form of a body: what a readable record says
//! (`person`, `group`, `activity`), what holds across records (`cross_record`), what Skolverket's registers contradict
//! (`register`), what a refused record means for others (`dependency`), and who will see whose results
//! (`access_preview`). The checks report [`finding::Finding`]s.
//!
//! It may use `kind` and `state`. It must not know how a body is read, or the words of a finding. `submission` checks
//! rules 1–3 and 17, required attributes and closed vocabularies: they belong to the form and the references of a body.

pub mod access_preview;
pub(crate) mod activity;
mod civic_number;
pub mod conditions;
pub(crate) mod cross_record;
pub mod dependency;
mod eppn;
pub mod finding;
pub(crate) mod group;
mod named_twice;
pub(crate) mod person;
pub(crate) mod place;
pub mod record_findings;
pub mod register;

#[cfg(test)]
mod tests;
