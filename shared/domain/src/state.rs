//! What becomes of a send: the states of sends, jobs and batches with their transitions, the outcomes of records, the
//! messages that move it along, when a step is taken up again whose holder died, and why something waits or did not
//! succeed, as codes.
//!
//! It may use `kind`. It must not know how a body is read, what the rules are, or the texts that people read.

pub mod activity_summary;
pub mod authorization_cause;
pub mod call;
pub mod cause;
pub mod facts;
pub mod message;
pub mod options;
pub mod outcome;
pub mod piece;
pub mod reason;
pub mod route;
pub mod row;
pub mod status;
pub mod takeover;
pub mod time;
pub mod wait_cause;
