//! A simulator of Skolverket that judges its caller.
//!
//! It is the authorization server, the Provisioning API and the Open-data API in one program: tokens, bulk calls and
//! jobs, with the published limits, checks of every record and of its references, and outcomes that a test can script;
//! and made-up registers of organisers, school units, study paths and tests (`register.rs` has them). Beside
//! answering, it keeps a list of what the caller did against the protocol: see [`Rule`]. It can be made to fail in the
//! ways that networks and services do: see [`Fault`]. What the caller does then is judged by what it could know.
//!
//! It speaks plain HTTP, or TLS as the authorization server does (see [`Tls`]), where it asks for client certificates
//! and knows its clients by them. It is meant for loopback addresses. Nothing here prints a personal value: [`Call`] and
//! [`Log`] show neither bodies nor values, and a [`Violation`] names paths, attributes and record ids only.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use stafett_simulator::{Kind, Limits, Simulator};
//! let simulator = Simulator::start(Limits::default().scaled(10.0)).await?;
//! println!("{} {}", simulator.provisioning_url(), simulator.token_url());
//! assert!(simulator.stored("5567044268", Kind::Persons).is_empty());
//! assert!(simulator.violations().is_empty());
//! # Ok(()) }
//! ```

mod call;
mod call_kind;
pub mod certificate;
mod civic_number;
mod client;
mod clock;
mod connection;
mod content;
mod eppn;
mod fault;
mod job;
mod kind;
mod limits;
mod log_entry;
mod magic;
mod oddity;
mod open_data;
mod order;
mod organisation;
mod outcome;
mod person;
mod quota;
mod record_check;
mod reference;
mod refusal;
mod register;
mod register_check;
mod reply;
mod script;
mod server;
mod shape;
mod shared_state;
mod simulator;
mod state;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod token;
mod token_answer;
mod underway;
mod violation;

pub use call::Call;
pub use call_kind::CallKind;
pub use client::FingerprintForm;
pub use fault::{Fault, FaultTarget, TokenForm};
pub use kind::Kind;
pub use limits::{Limits, Window};
pub use oddity::{Oddity, RetryAfter};
pub use outcome::{Log, ScriptedOutcome};
pub use simulator::Simulator;
pub use tls::{Tls, TlsRefusal, TlsVersions};
pub use violation::{Rule, Violation};
