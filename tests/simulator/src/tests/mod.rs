//! The whole, over HTTP.

mod caller;
mod jobs;
mod judgement;
mod limits;
mod records;
pub(crate) mod sample;
mod tokens;
