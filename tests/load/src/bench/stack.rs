//! The local stack as a benchmark runs it.

use clap::Parser;
use stafett_local::options::Options;
use stafett_local::simulator;
use stafett_local::stack::Stack;
use stafett_simulator::Simulator;

use super::BenchError;

/// Starts a stack that sends nothing by itself and calls this simulator, on any free port.
pub(crate) async fn start(skolverket: &Simulator, more: &[&str]) -> Result<Stack, BenchError> {
    let arguments = ["stafett", "--no-send", "--port", "0"].into_iter().chain(more.iter().copied());
    let arguments = arguments.map(str::to_owned).chain(simulator::options(skolverket));
    Ok(Stack::start(&Options::try_parse_from(arguments)?).await?)
}
