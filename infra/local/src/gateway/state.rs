//! What the handlers of a request share.

use std::sync::Arc;

use super::token::Tokens;
use crate::clock::Clock;
use crate::forward::{Plans, Upstreams};
use crate::functions::FunctionHost;
use crate::meter::Meter;
use crate::metrics::Metrics;
use crate::queues::Queues;
use crate::template::{Cors, Route};

/// Everything that a request may need.
pub struct Gateway {
    /// The routes of all functions.
    pub routes: Vec<(Route, FunctionHost)>,
    /// The CORS headers for browsers.
    pub cors: Option<Cors>,
    /// All functions.
    pub functions: Vec<FunctionHost>,
    /// All queues.
    pub queues: Queues,
    /// Where the functions' calls go.
    pub upstreams: Upstreams,
    /// What is to go wrong with them.
    pub plans: Plans,
    /// What the functions have used.
    pub meter: Meter,
    /// What they printed as metrics.
    pub metrics: Metrics,
    /// Callers' tokens.
    pub tokens: Arc<Tokens>,
    /// The stack's time.
    pub clock: Clock,
    /// The port it is reached at.
    pub port: u16,
}
