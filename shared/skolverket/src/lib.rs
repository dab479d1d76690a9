//! The only code that speaks to Skolverket: authorization server, Provisioning API and Open-data API.
//!
//! It returns what happened and decides nothing: no retry, no waiting, no verdict. Redirects are not followed,
//! because a token must not leave its host.

mod answer;
mod client;
mod endpoint;
mod open_data;
mod token;

pub use answer::{CallFailure, JobAnswer, LogEntry, RecordAnswer, RecordStatus, Submitted, log_entries};
pub use client::{Client, ClientError, Exchange};
pub use endpoint::{Endpoint, InvalidEndpoint, collection};
pub use open_data::OpenData;
pub use token::{Token, TokenFailure};
