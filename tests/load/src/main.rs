//! The benchmark: runs presets on the local stack against the simulator with its real limits, and prints what they took.

mod bench;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use stafett_load::Preset;
use stafett_local::{entry, notice};

use bench::{
    BenchError, Prices, Report, Surroundings, run, run_with_faults, time_first_mtls, time_posts, time_starts,
};

/// Measures sends of different sizes on the local stack: time, calls, memory, what AWS would charge.
#[derive(Debug, Parser)]
#[command(name = "stafett-load")]
struct Arguments {
    /// What to measure, one after another, each on a stack of its own.
    #[arg(value_name = "PRESET", default_values = ["class", "small"])]
    presets: Vec<Preset>,

    /// Under faults: records are refused or meet a transient fault, a process dies every ten seconds. Measures nothing;
    /// says whether the history is right about every record.
    #[arg(long, conflicts_with = "json")]
    faults: bool,

    /// Under hard conditions: calls are 0 to 80 ms on their way to Skolverket, at random, and every core is busy with
    /// something else. Shows how many calls arrived too fast, and how fast they were.
    #[arg(long, conflicts_with = "faults")]
    rough: bool,

    /// Time 200 requests of POST /v1/sends with one class instead, beside the emulator's own calls.
    #[arg(long, conflicts_with_all = ["json", "faults"])]
    posts: bool,

    /// Time the start of each function instead, beside Node and Python with the clients installed in this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "faults", "posts"])]
    starts: Option<PathBuf>,

    /// Time the start of each function's package in this folder instead ({function}.zip), and show its size.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "faults", "posts"])]
    packages: Option<PathBuf>,
    /// Measure the first request by mutual TLS of a process instead.
    #[arg(long, conflicts_with_all = ["json", "faults", "posts", "starts"])]
    first_mtls: bool,

    /// Be a process whose first request is measured.
    #[arg(long, hide = true)]
    mtls_probe: bool,

    /// Where to write the raw figures.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Be this function instead of the benchmark: how the stack starts its function processes.
    #[arg(long, value_name = "NAME", hide = true)]
    function: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(function) = &arguments.function {
        return entry::run(function);
    }
    if arguments.mtls_probe {
        return match probe_first_mtls() {
            Ok(line) => {
                let _ = writeln!(std::io::stdout(), "{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                notice::notice(error);
                ExitCode::FAILURE
            }
        };
    }
    match measure(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            notice::notice(error);
            ExitCode::FAILURE
        }
    }
}

/// Runs, shows and writes; says whether every send succeeded.
#[tokio::main]
async fn measure(arguments: &Arguments) -> Result<bool, BenchError> {
    if cfg!(debug_assertions) {
        notice::notice("this is no release build: times and memory are not those of one");
    }
    if arguments.posts {
        let _ = writeln!(std::io::stdout(), "{}", time_posts().await?);
        return Ok(true);
    }
    if arguments.starts.is_some() || arguments.packages.is_some() {
        let lines = time_starts(arguments.packages.as_deref(), arguments.starts.as_deref()).await?;
        let _ = writeln!(std::io::stdout(), "{lines}");
        return Ok(true);
    }
    if arguments.first_mtls {
        let _ = writeln!(std::io::stdout(), "{}", Box::pin(time_first_mtls()).await?);
        return Ok(true);
    }
    if arguments.faults {
        return measure_with_faults(&arguments.presets).await;
    }
    let surroundings = if arguments.rough { Surroundings::Rough } else { Surroundings::Calm };
    let mut report = Report::new(Prices::embedded()?);
    for preset in &arguments.presets {
        let run = Box::pin(run(*preset, surroundings, &report.prices)).await?;
        report.runs.push(run);
        // After every run: a long one that fails must not take those before it along.
        if let Some(file) = &arguments.json {
            write(file, &report)?;
        }
    }
    let _ = writeln!(std::io::stdout(), "{}", report.tables());
    Ok(report.runs.iter().all(|run| run.all_succeeded()))
}

/// On one thread, as functions work.
#[tokio::main(flavor = "current_thread")]
async fn probe_first_mtls() -> Result<String, BenchError> {
    Box::pin(bench::probe_first_mtls()).await
}

async fn measure_with_faults(presets: &[Preset]) -> Result<bool, BenchError> {
    let mut right = true;
    for preset in presets {
        let outcome = Box::pin(run_with_faults(*preset)).await?;
        let _ = writeln!(std::io::stdout(), "{}: {}", preset.name(), outcome.text());
        right &= outcome.is_right();
    }
    Ok(right)
}

fn write(file: &Path, report: &Report) -> Result<(), BenchError> {
    let text = serde_json::to_vec_pretty(report)?;
    std::fs::write(file, text).map_err(|error| BenchError::File(file.to_owned(), error))
}
