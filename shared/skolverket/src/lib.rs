//! The only code that calls Skolverket: the authorization server, the Provisioning API and the Open-data API.
//!
//! It returns what happened and decides nothing: it does not retry, wait or judge. It does not follow redirects,
//! because a token must not leave its host. It may use the crate `domain`. It must not know the history or the
//! settings.

mod answer;
mod authorization;
mod certificate;
mod client;
mod connection;
mod crypto;
mod encoding;
mod endpoint;
mod identity;
mod job_answer;
mod log_entry;
mod open_data;
mod response;
mod retry_after;
mod tls;
mod token;
mod tolerant;

pub use answer::{CallFailure, Submitted};
pub use certificate::Certificate;
pub use client::{Addresses, Api, Client, Exchange, ReadyCall};
pub use endpoint::{Endpoint, InvalidEndpoint, collection};
pub use identity::{Credentials, CredentialsError, Identity, Pin, Roots, ServerTrust};
pub use job_answer::{JobAnswer, RecordAnswer, RecordStatus, entries_about};
pub use log_entry::{LogEntry, log_entries};
pub use open_data::OpenData;
pub use tls::{TlsError, TlsFailure};
pub use token::{Token, TokenAnswer, TokenFailure, TokenRequest};
