//! The simulator of Skolverket as a program: real limits, until Ctrl-C.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use stafett_simulator::{Limits, Simulator};

const USAGE: &str = "usage: stafett-simulator [--port N]   (0 or nothing: any free port)";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(port) = port(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let simulator = match Simulator::start_on(address, Limits::default()).await {
        Ok(simulator) => simulator,
        Err(error) => {
            eprintln!("{address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("Provisioning API      {}", simulator.provisioning_url());
    println!("Authorization server  {}", simulator.token_url());
    println!("Open-data API         {}", simulator.open_data_url());
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("cannot wait for Ctrl-C: {error}");
        return ExitCode::FAILURE;
    }
    for violation in simulator.violations() {
        println!("{violation}");
    }
    ExitCode::SUCCESS
}

/// None if the arguments are not understood.
fn port(mut arguments: impl Iterator<Item = String>) -> Option<u16> {
    let port = match arguments.next().as_deref() {
        None => 0,
        Some("--port") => arguments.next()?.parse().ok()?,
        Some(other) => other.strip_prefix("--port=")?.parse().ok()?,
    };
    arguments.next().is_none().then_some(port)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_port_is_an_option() {
        let port = |arguments: &[&str]| super::port(arguments.iter().map(ToString::to_string));
        assert_eq!(port(&[]), Some(0));
        assert_eq!(port(&["--port", "4711"]), Some(4711));
        assert_eq!(port(&["--port=4711"]), Some(4711));
        for wrong in [&["--port"][..], &["--port", "x"], &["--port", "1", "2"], &["4711"]] {
            assert_eq!(port(wrong), None);
        }
    }
}
