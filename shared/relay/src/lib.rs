//! The relay: from a message to a taken step, with claim, call, outcome and what follows. It may use all rooms above it:
//! the domain, Skolverket's interface, the process, the history. It must not know HTTP, nor how a send is accepted.

mod apart;
mod authorization;
mod lateness;
mod loaded;
mod outcome;
mod relay;
mod said;
mod stage;
mod step;
mod turn;
mod verdict;

pub use relay::{HandleError, Relay, StartError};
pub use stage::run_stage;
