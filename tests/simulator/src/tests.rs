//! The whole, over HTTP.

mod caller;
mod cut_calls;
mod jobs;
mod judgement;
mod limits;
mod lost_jobs;
mod odd_answers;
mod open_data;
mod records;
mod refused_calls;
pub(crate) mod sample;
mod tokens;
