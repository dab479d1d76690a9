//! The state that all request handlers share.

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
    pub routes: Vec<(Route, FunctionHost)>,
    /// The CORS headers for browsers.
    pub cors: Option<Cors>,
    pub functions: Vec<FunctionHost>,
    pub queues: Queues,
    pub upstreams: Upstreams,
    pub plans: Plans,
    pub meter: Meter,
    pub metrics: Metrics,
    pub tokens: Arc<Tokens>,
    pub clock: Clock,
    pub port: u16,
}
