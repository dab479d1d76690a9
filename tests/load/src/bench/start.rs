//! What the start of a function costs: from the start of its process to its first request for work, its clients built;
//! of the functions as they are built in or of their packages, beside functions in Node and Python that build the same
//! clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use stafett_local::functions::of_lambda;
use stafett_local::packages::Packages;
use stafett_local::template::{Function, LocalValues, REGION, Template};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::BenchError;

/// Starts of each.
const TIMES: usize = 20;
/// A process that has not asked by then never will.
const LONGEST: Duration = Duration::from_secs(20);
/// The memory that Lambda's variables give a function.
const MEMORY_MB: u64 = 256;
/// An address where nobody is.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Something that can be started.
struct Starter {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    /// The bytes of its package.
    package: Option<u64>,
}

/// Measures, and gives a line for each. `packages`: those of this folder instead of the functions that are built in.
pub(crate) async fn run(packages: Option<&Path>, peers: Option<&Path>) -> Result<String, BenchError> {
    let mut lines = vec!["start to first request for work, median of 20 (lowest – highest), ms".to_owned()];
    let functions = described()?;
    let names = functions.iter().map(|function| function.name.as_str());
    // Held until all is measured.
    let unpacked = packages.map(|folder| Packages::unpack(folder, names)).transpose()?;
    let mut starters = Vec::new();
    for function in functions {
        starters.push(match (packages, &unpacked) {
            (Some(folder), Some(unpacked)) => packaged(function, folder, unpacked)?,
            _ => built_in(function)?,
        });
    }
    for starter in starters.into_iter().chain(peers.into_iter().flat_map(peers_in)) {
        let line = match measure(&starter).await? {
            Some(times) => {
                let at = |place: usize| times.get(place).copied().unwrap_or_default() * 1000.0;
                let size = starter.package.map(|bytes| format!("   zip {:.2} MB", bytes as f64 / 1e6));
                format!(
                    "{:<11}{:>8.1} ({:.1} – {:.1}){}",
                    starter.name,
                    at(TIMES / 2),
                    at(0),
                    at(TIMES - 1),
                    size.unwrap_or_default()
                )
            }
            None => format!("{:<11} not measured: it did not ask for work", starter.name),
        };
        lines.push(line);
    }
    Ok(lines.join("\n"))
}

fn described() -> Result<Vec<Function>, BenchError> {
    let parameters = [
        "JwtIssuer",
        "JwtAudience",
        "CorsOrigins",
        "SkolverketUrl",
        "SkolverketLocation",
        "TokenUrl",
        "OpenDataUrl",
    ];
    let parameters = parameters.map(|name| (name.to_owned(), NOWHERE.to_owned()));
    let values = LocalValues {
        sqs_endpoint: NOWHERE.to_owned(),
        parameters: parameters.into(),
        ..LocalValues::default()
    };
    Ok(Template::embedded()?.resources(&values)?.functions)
}

fn built_in(function: Function) -> Result<Starter, BenchError> {
    Ok(Starter {
        arguments: vec!["--function".to_owned(), function.name.clone()],
        name: function.name,
        program: std::env::current_exe().map_err(BenchError::Program)?,
        environment: function.environment,
        package: None,
    })
}

fn packaged(function: Function, folder: &Path, unpacked: &Packages) -> Result<Starter, BenchError> {
    let package = folder.join(format!("{}.zip", function.name));
    let size = std::fs::metadata(&package).map_err(|error| BenchError::File(package, error))?.len();
    Ok(Starter {
        arguments: Vec::new(),
        program: unpacked.program(&function.name),
        name: function.name,
        environment: function.environment,
        package: Some(size),
    })
}

/// Node and Python, with what is installed below that folder.
fn peers_in(folder: &Path) -> [Starter; 2] {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let script = |name: &str| vec![scripts.join(name).display().to_string()];
    let modules = folder.join("node_modules").display().to_string();
    [
        Starter {
            name: "Node".to_owned(),
            program: PathBuf::from("node"),
            arguments: script("start.cjs"),
            environment: [("NODE_PATH".to_owned(), modules)].into(),
            package: None,
        },
        Starter {
            name: "Python".to_owned(),
            program: folder.join("python/bin/python3"),
            arguments: script("start.py"),
            environment: BTreeMap::new(),
            package: None,
        },
    ]
}

/// The times of all starts in seconds, the shortest first; none where one never asked for work.
async fn measure(starter: &Starter) -> Result<Option<Vec<f64>>, BenchError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(BenchError::Program)?;
    let address = listener.local_addr().map_err(BenchError::Program)?;
    let mut times = Vec::with_capacity(TIMES);
    // One more, first: what is read from the disk then is not read again.
    for _ in 0..=TIMES {
        let mut command = Command::new(&starter.program);
        command
            .args(&starter.arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(&starter.environment)
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
                // Python's client reads the region from no other variable.
                ("AWS_DEFAULT_REGION", REGION),
            ])
            .envs(of_lambda(&starter.name, MEMORY_MB))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let began = Instant::now();
        let Ok(mut process) = command.spawn() else { return Ok(None) };
        let asked = tokio::time::timeout(LONGEST, first_byte(&listener)).await;
        let took = began.elapsed().as_secs_f64();
        // It has shown what it was to show.
        let _ = process.kill().await;
        if !matches!(asked, Ok(Ok(()))) {
            return Ok(None);
        }
        times.push(took);
    }
    times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(Some(times))
}

async fn first_byte(listener: &TcpListener) -> std::io::Result<()> {
    let (mut connection, _) = listener.accept().await?;
    connection.read_u8().await.map(drop)
}
