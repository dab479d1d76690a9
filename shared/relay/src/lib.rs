//! The relay: from a queue message to a finished step, with claim, call, outcome and what follows.
//!
//! It may use the crates `domain`, `skolverket`, `runtime` and `history`. It must not depend on HTTP, or on how a send
//! is accepted.

mod attempt_log;
mod batch_body;
mod error;
mod follow_up;
mod handover;
mod issue_log;
mod lambda;
mod lateness;
mod message;
mod next_step;
mod record_outcomes;

mod relay;
mod settlement;
mod slot;
mod step;
mod token;
mod token_failure;
mod verdict;

pub use error::HandleError;
pub use handover::Handover;
pub use lambda::run_stage;
pub use relay::Relay;
