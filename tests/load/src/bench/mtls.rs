//! What a process's first request by mutual TLS costs: its certificate and key read, TLS set up, a token had. In processes
//! of their own, because some of it is done once in a process; the server is another process, whose work does not count.

use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::Environment;
use stafett_simulator::certificate::{Issuing, KeyKind, Subject};
use stafett_simulator::{Limits, Simulator, Tls, TlsVersions};
use stafett_skolverket::{Addresses, Api, Client, Credentials, Endpoint, Identity, Roots, ServerTrust};
use tokio::process::Command;

use super::BenchError;

/// Processes of each.
const TIMES: usize = 20;
const ORGANISER: &str = "5567044268";

/// The instructions for a probe's process.
#[derive(Serialize, Deserialize)]
pub(crate) struct Probe {
    token_url: String,
    location: String,
    roots: String,
    certificate: String,
    key: String,
}

/// A probe's measurements, in milliseconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Taken {
    first: Cost,
    second: Cost,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Cost {
    time: f64,
    cpu: f64,
}

/// Measures, and gives a line for each kind of key.
pub(crate) async fn run() -> Result<String, BenchError> {
    let broken = |error: String| BenchError::Mtls(error);
    let issuing = Issuing::new("Exempelutfärdare").map_err(|error| broken(error.to_string()))?;
    let server = issuing.server().map_err(|error| broken(error.to_string()))?;
    let tls = Tls { authorization: &server, api: &server, approved: &issuing, versions: TlsVersions::Both };
    let simulator = Simulator::start_tls(Limits::default(), &tls).await.map_err(BenchError::Simulator)?;
    let serial_number = format!("SE{ORGANISER}-AB12");
    let subject = Subject { serial_number: Some(&serial_number), ..Subject::default() };
    let mut lines = vec![
        "a token by mutual TLS, median of 20 processes, ms  first: time   CPU   second: time   CPU"
            .to_owned(),
    ];
    for (name, kind) in [("EC P-256", KeyKind::Ec), ("RSA 2048", KeyKind::Rsa)] {
        let client = issuing.client(&subject, kind).map_err(|error| broken(error.to_string()))?;
        let probe = Probe {
            token_url: simulator.token_url(),
            location: simulator.provisioning_url(),
            roots: issuing.root(),
            certificate: client.certificate,
            key: client.key,
        };
        let mut taken = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            taken.push(in_a_process(&probe).await?);
        }
        let median = |of: fn(&Taken) -> f64| {
            let mut all: Vec<f64> = taken.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(TIMES / 2).copied().unwrap_or_default()
        };
        lines.push(format!(
            "{name:<51}{:>11.1} {:>5.1} {:>14.1} {:>5.1}",
            median(|taken| taken.first.time),
            median(|taken| taken.first.cpu),
            median(|taken| taken.second.time),
            median(|taken| taken.second.cpu),
        ));
    }
    Ok(lines.join("\n"))
}

async fn in_a_process(probe: &Probe) -> Result<Taken, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::Program)?;
    let probe_json = serde_json::to_string(probe)?;
    // The key is one that was made for this: it may stand in the environment.
    let child = Command::new(program)
        .arg("--mtls-probe")
        .env_clear()
        .env("MTLS_PROBE", probe_json)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(BenchError::Program)?;
    Ok(serde_json::from_slice(&child.stdout)?)
}

/// What the process does: two tokens, each by a client of its own, as two organisers would be met.
pub(crate) async fn probe() -> Result<String, BenchError> {
    let probe_json = std::env::var("MTLS_PROBE").unwrap_or_default();
    let probe: Probe = serde_json::from_str(&probe_json)?;
    let taken = Taken { first: token(&probe).await?, second: token(&probe).await? };
    Ok(serde_json::to_string(&taken)?)
}

async fn token(probe: &Probe) -> Result<Cost, BenchError> {
    let broken = |what: &str| BenchError::Mtls(what.to_owned());
    let cpu = cpu_ms();
    let began = Instant::now();
    let credentials = Credentials::read(&probe.certificate, &probe.key.clone().into());
    let identity = Identity {
        organisation: ORGANISER.parse().map_err(|_| broken("no organisation number"))?,
        entity_id: None,
        credentials: Some(credentials.map_err(|error| broken(&error.to_string()))?),
        server: ServerTrust {
            roots: Roots::read(&probe.roots).ok_or_else(|| broken("no roots"))?,
            ..ServerTrust::default()
        },
        digest: [0; 32],
    };
    let endpoint = |url: &str| Endpoint::parse(url).map_err(|error| broken(&error.to_string()));
    let addresses = Addresses {
        production: Api { base: endpoint(&probe.location)?, location: probe.location.clone() },
        verification: None,
        authorization: endpoint(&probe.token_url)?,
        roots: Roots::default(),
    };
    let client = Client::new(addresses, Duration::from_secs(10));
    // The time only matters for cached tokens, and there are none.
    let token = client.token(&identity, Environment::Production, Timestamp::UNIX_EPOCH).await;
    token.token.map_err(|error| broken(&error.to_string()))?;
    let time = began.elapsed().as_secs_f64() * 1000.0;
    Ok(Cost { time, cpu: cpu_ms() - cpu })
}

/// The CPU time of this thread, which is all that works here (Linux only; else 0).
fn cpu_ms() -> f64 {
    // The kernel reckons when it schedules.
    std::thread::yield_now();
    let schedule = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e6
}
