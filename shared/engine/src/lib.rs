//! The relay that all four stages share: claim, send, finish; and what it needs: queue, history, limiter,
//! configuration, telemetry; and the look-ups in public registers before a send.

mod apart;
mod authorization;
mod aws;
mod clock;
pub mod config;
pub mod history;
mod limiter;
mod loaded;
mod message;
mod metrics;
mod organisers;
mod outcome;
mod parameters;
mod piece;
mod queue;
mod records;
mod registers;
mod relay;
mod said;
mod stage;
mod step;
mod takeover;
pub mod telemetry;
mod turn;
mod verdict;

pub use clock::Clock;
pub use config::{Config, ConfigError};
pub use limiter::{Budget, Limiter, Slot, Taken};
pub use message::{BatchStep, InvalidMessage, Message, Step};
pub use metrics::Metrics;
pub use organisers::{FieldFault, Organiser, Organisers, SettingsError};
pub use parameters::ParameterError;
pub use queue::{QueueError, Queues};
pub use records::{HandlerError, handle_batch};
pub use registers::Registers;
pub use relay::{HandleError, Relay, StartError};
pub use stage::{Stage, run_stage};
pub use takeover::{Takeover, Unfinished};
