//! The command line.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Parser;

use crate::pace::Pace;

/// The organiser of the example send, and of sends whose organiser nobody names.
pub const EXAMPLE_ORGANISER: &str = "5567044268";

/// Runs Stafett on this machine: the same functions, emulated AWS, a simulator of Skolverket.
#[derive(Debug, Clone, Parser)]
#[command(name = "stafett", version)]
pub struct Options {
    /// The API's port; 0 = any free one, which is printed.
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub port: u16,

    /// A send (the body of POST /v1/sends) to make at the start, instead of the example; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "no_send")]
    pub send: Vec<PathBuf>,

    /// Send nothing, only serve.
    #[arg(long)]
    pub no_send: bool,

    /// End when the sends have ended; exit code 1 if one did not succeed.
    #[arg(long, conflicts_with = "no_send")]
    pub exit: bool,

    /// The organisation number that the sends are made for.
    #[arg(long, value_name = "N", default_value = EXAMPLE_ORGANISER)]
    pub organisation_number: String,

    /// Base URL of a Provisioning API to use instead of the built-in simulator; plain http for loopback only.
    #[arg(long, value_name = "URL", requires = "token_url", value_parser = service_url)]
    pub skolverket_url: Option<String>,

    /// Address of the authorization server that goes with --skolverket-url.
    #[arg(long, value_name = "URL", requires = "skolverket_url", value_parser = service_url)]
    pub token_url: Option<String>,

    /// Base URL of an Open-data API (Skolverket's public registers) to use instead of the built-in simulator's; plain http
    /// for loopback only.
    #[arg(long, value_name = "URL", value_parser = service_url)]
    pub open_data_url: Option<String>,

    /// Base URL of the verification environment's Provisioning API that goes with --skolverket-url.
    #[arg(long, value_name = "URL", requires = "skolverket_url", value_parser = service_url)]
    pub verification_url: Option<String>,

    /// Organisers' settings, one JSON file each, named by the organisation number; read again as they change.
    #[arg(long, value_name = "DIR")]
    pub organisers: Option<PathBuf>,

    /// Another emulator of DynamoDB and SQS than the built-in ones; plain http for loopback only.
    #[arg(long, value_name = "URL", value_parser = service_url)]
    pub aws_endpoint: Option<String>,

    /// Another template than the one that this program was built with.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,

    /// Run the functions' packages of this folder, {function}.zip each, instead of the functions that are built in.
    #[arg(long, value_name = "DIR")]
    pub packages: Option<PathBuf>,

    /// Where to keep the tables and queues between runs; without it they are gone when the program ends.
    #[arg(long, value_name = "DIR", conflicts_with = "aws_endpoint")]
    pub data_dir: Option<PathBuf>,

    /// Where to append the functions' log lines, one file per function; without it only errors are shown.
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<PathBuf>,

    /// Ten times as fast: durations shortened, rates raised, the simulator's limits with them.
    #[arg(long)]
    pub fast: bool,

    /// Give the functions this environment variable, whatever the template and the pace say; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub set: Vec<(String, String)>,

    /// Be this function instead of the stack: how the stack starts its own function processes.
    #[arg(long, value_name = "NAME", hide = true)]
    pub function: Option<String>,
}

impl Options {
    /// The pace that was asked for.
    pub fn pace(&self) -> Pace {
        if self.fast { Pace::FAST } else { Pace::REAL }
    }
}

/// A variable and its value.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// An `https` address, or an `http` one of this machine: students' data must not leave it unencrypted.
fn service_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    let loopback = url.host_str().is_some_and(|host| {
        host == "localhost"
            || host == "[::1]"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if loopback => Ok(text.to_owned()),
        "http" => Err("plain http is accepted for loopback addresses only".to_owned()),
        _ => Err("not an http or https address".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once(&"stafett").chain(arguments))
    }

    #[test]
    fn the_plain_call_sends_the_example_on_port_3000() {
        let options = parse(&[]).unwrap();
        assert_eq!((options.port, options.no_send, options.pace()), (3000, false, Pace::REAL));
        assert_eq!(options.organisation_number, EXAMPLE_ORGANISER);
    }

    #[test]
    fn another_simulator_needs_both_addresses() {
        assert!(parse(&["--skolverket-url", "http://127.0.0.1:1/v1"]).is_err());
        assert!(
            parse(&["--skolverket-url", "http://127.0.0.1:1/v1", "--token-url", "http://localhost:1/t"])
                .is_ok()
        );
    }

    #[test]
    fn another_emulator_keeps_its_own_state() {
        assert!(parse(&["--aws-endpoint", "http://127.0.0.1:4566"]).is_ok());
        assert!(parse(&["--aws-endpoint", "http://127.0.0.1:4566", "--data-dir", "d"]).is_err());
        assert!(parse(&["--aws-endpoint", "http://aws.example.se"]).is_err());
    }

    #[test]
    fn plain_http_is_for_loopback() {
        assert!(service_url("http://127.0.0.1:4000/v1").is_ok());
        assert!(service_url("http://[::1]:4000/v1").is_ok());
        assert!(service_url("https://api.example.se/v1").is_ok());
        assert!(service_url("http://api.example.se/v1").is_err());
        assert!(service_url("http://127.0.0.1.example.se/v1").is_err());
        assert!(service_url("ftp://127.0.0.1/").is_err());
    }

    #[test]
    fn exit_without_a_send_would_never_end() {
        assert!(parse(&["--no-send", "--exit"]).is_err());
    }
}
