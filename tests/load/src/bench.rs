//! How presets are run, counted, priced and shown.

mod busy;
mod client;
mod faults;
mod figures;
mod mtls;
mod peers;
mod post;
mod price;
mod report;
mod run;
mod skolverket;
mod stack;
mod start;

use std::path::PathBuf;

use reqwest::StatusCode;

pub(crate) use faults::run as run_with_faults;
pub(crate) use mtls::{probe as probe_first_mtls, run as time_first_mtls};
pub(crate) use post::run as time_posts;
pub(crate) use price::Prices;
pub(crate) use report::Report;
pub(crate) use run::{Surroundings, run};
pub(crate) use start::run as time_starts;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Options(#[from] clap::Error),
    #[error(transparent)]
    Stack(#[from] stafett_local::stack::StackError),
    #[error("the simulator of Skolverket: {0}")]
    Simulator(std::io::Error),
    #[error("the API could not be called: {0}")]
    Transport(#[from] reqwest::Error),
    #[error("no token could be made: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("{what} was answered with {status}: {body}")]
    Refused { what: &'static str, status: StatusCode, body: String },
    #[error("an answer of the API could not be read: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("not all sends have an end after {0} s without a call")]
    Stalled(u64),
    #[error("a send that was to be made has been lost")]
    Lost,
    #[error("this program cannot be started again, or not be listened to: {0}")]
    Program(std::io::Error),
    #[error("the first request by mutual TLS could not be measured: {0}")]
    Mtls(String),
    #[error(transparent)]
    Template(#[from] stafett_local::template::TemplateError),
    #[error(transparent)]
    Packages(#[from] stafett_local::packages::PackageError),
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
}
