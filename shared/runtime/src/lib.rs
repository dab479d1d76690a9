//! What a process needs to run: configuration, AWS clients, organisers' settings, queues, telemetry, metrics, the
//! clock, and the handling of SQS events. It may use the domain's types and the addresses of Skolverket's interface. It
//! must not depend on sends or on the history.

mod aws;
mod aws_error;
mod budget;
mod clock;
pub mod config;
mod metrics;
mod organisers;
mod parameters;
mod process;
mod queues;
mod sqs_event;
pub mod telemetry;

pub use aws_error::error_code;
pub use budget::Budget;
pub use clock::Clock;
pub use config::{Config, ConfigError, Lookups, RootsError, Timing};
pub use metrics::Metrics;
pub use organisers::{FieldFault, Organiser, Organisers, SettingsError};
pub use parameters::ParameterError;
pub use process::{Process, StartError};
pub use queues::{QueueError, Queues};
pub use sqs_event::{HandlerError, handle_batch};
