//! The rooms under their old name, until all that uses it names them.

pub use stafett_domain::message::{BatchStep, InvalidMessage, Message, Step};
pub use stafett_domain::takeover::{Takeover, Unfinished};
pub use stafett_history as history;
pub use stafett_history::{Limiter, Slot, Taken};
pub use stafett_relay::{HandleError, Relay, StartError, run_stage};
pub use stafett_runtime::{
    Budget, Clock, Config, ConfigError, FieldFault, HandlerError, Metrics, Organiser, Organisers,
    ParameterError, QueueError, Queues, SettingsError, config, handle_batch, telemetry,
};
