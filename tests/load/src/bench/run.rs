//! One preset, run once on a stack of its own.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use stafett_load::{List, Preset, Send};
use stafett_local::meter::{FunctionUse, Meter};
use stafett_simulator::{Kind, Limits, Simulator};

use super::BenchError;
use super::busy::Busy;
use super::client::{Client, Made};
use super::figures::{ApiRequests, Figures};
use super::peers::Peers;
use super::price::{Cost, Prices};
use super::skolverket::{Calls, JITTER, limits};
use super::stack;

/// The function that takes sends. It also answers polls, which are no part of a run.
const API: &str = "api";
/// Sends that are made at a time, of many.
const AT_ONCE: usize = 8;
/// Between two polls of the simulator.
const LOOK: Duration = Duration::from_millis(200);
/// Persons that are in a batch, about: places near the end of a job are reckoned with it.
const ROWS_A_BATCH: u64 = 500;
/// A run in which nobody has called Skolverket for so long goes no further.
const STALLED: Duration = Duration::from_secs(120);

/// A preset's figures.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) preset: &'static str,
    pub(crate) sends: u64,
    pub(crate) records: u64,
    /// How many sends ended how.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// Handing over the parts of an upload, before it is submitted.
    pub(crate) upload_s: Option<f64>,
    /// From the first submit to the last end.
    pub(crate) wall_s: f64,
    pub(crate) floor_s: f64,
    pub(crate) ratio: f64,
    pub(crate) calls: Calls,
    /// The violations that the simulator found, by rule.
    pub(crate) violations: BTreeMap<String, u64>,
    /// A page of 100 rows of persons, of the first send.
    pub(crate) page_ms: f64,
    pub(crate) figures: Figures,
    pub(crate) cost: Cost,
    pub(crate) peers: Peers,
    /// The meter's own words.
    pub(crate) functions: BTreeMap<String, FunctionUse>,
}

impl Run {
    /// Whether every send ended well, and the judge had nothing to say but about the rate, which has its own figure.
    pub(crate) fn all_succeeded(&self) -> bool {
        self.statuses.keys().all(|status| status == "succeeded")
            && self.violations.keys().all(|rule| rule == "Rate")
    }
}

/// What surrounds a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// Nothing else is going on.
    Calm,
    /// Calls are up to [`JITTER`] on their way, and something else keeps every core busy.
    Rough,
}

/// Runs a preset.
pub(crate) async fn run(
    preset: Preset,
    surroundings: Surroundings,
    prices: &Prices,
) -> Result<Run, BenchError> {
    let rough = surroundings == Surroundings::Rough;
    let jitter = if rough { JITTER } else { Duration::ZERO };
    let _busy = rough.then(Busy::start);
    let skolverket = Simulator::start(Limits { jitter, ..limits() }).await.map_err(BenchError::Simulator)?;
    let stack = stack::start(&skolverket, &[]).await?;
    let client = Client::new(&stack)?;

    let began = Instant::now();
    say(format_args!("{}: sending", preset.name()));
    let client_ref = &client;
    let making = futures::stream::iter(preset.sends())
        .map(|send| async move { client_ref.send(&send).await.map(|made| (send, made)) })
        .buffer_unordered(AT_ONCE);
    let made: Vec<(Send, Made)> = making.try_collect().await?;
    // From here on the function only answers polls.
    let api = stack.meter().reading().remove(API).unwrap_or_default();
    say(format_args!("{}: handed over in {:.1} s", preset.name(), began.elapsed().as_secs_f64()));

    arrived(&skolverket, stack.meter(), &made).await?;
    let mut statuses = BTreeMap::<String, u64>::new();
    let mut last_end = None;
    for (send, made) in &made {
        let shown = client.ended(send.organisation(), &made.id).await?;
        last_end = last_end.max(shown.ended_at);
        *statuses.entry(shown.status).or_default() += 1;
    }
    client.idle().await?;
    let run_time = began.elapsed();

    let mut functions = stack.meter().reading();
    functions.insert(API.to_owned(), api);
    let first_submit = made.iter().map(|(_, made)| made.submitted_at).min().ok_or(BenchError::Lost)?;
    let wall = last_end.ok_or(BenchError::Lost)?.duration_since(first_submit);
    let wall = Duration::try_from(wall).unwrap_or_default();
    let calls = Calls::of(&skolverket.calls());
    let requests = ApiRequests {
        made: made.iter().map(|(_, made)| u64::from(made.requests)).sum(),
        charged: made.iter().map(|(_, made)| made.charged_requests).sum(),
    };
    let page_ms = match made.first() {
        Some((send, made)) => {
            let batches = u64::from(send.count(List::Persons)) / ROWS_A_BATCH;
            client.page_ms(send.organisation(), &made.id, batches).await?
        }
        None => return Err(BenchError::Lost),
    };
    let figures = Figures::of(&functions, run_time, requests);
    let mut violations = BTreeMap::<String, u64>::new();
    for violation in skolverket.violations() {
        *violations.entry(format!("{:?}", violation.rule)).or_default() += 1;
    }
    stack.stop().await;

    let sends = u64::try_from(made.len()).unwrap_or_default();
    let floor = calls.floor(&limits());
    let cost = prices.cost(&figures);
    Ok(Run {
        preset: preset.name(),
        sends,
        records: made.iter().map(|(send, _)| u64::from(send.records())).sum(),
        statuses,
        upload_s: made.iter().filter_map(|(_, made)| made.upload).max().map(|upload| upload.as_secs_f64()),
        wall_s: wall.as_secs_f64(),
        floor_s: floor.as_secs_f64(),
        ratio: wall.as_secs_f64() / floor.as_secs_f64(),
        peers: Peers::of(sends, &calls, &figures, &cost, prices),
        calls,
        violations,
        page_ms,
        figures,
        cost,
        functions,
    })
}

/// Waits until the simulator has the last record of every send, or nobody calls it any more. Asks the simulator and not
/// the API: looking must not be what is measured.
async fn arrived(skolverket: &Simulator, meter: &Meter, made: &[(Send, Made)]) -> Result<(), BenchError> {
    let has_all = |send: &Send| {
        let stored = skolverket.stored(send.organisation(), Kind::Activities).len();
        stored >= usize::try_from(send.count(List::Activities)).unwrap_or(usize::MAX)
    };
    let mut waiting: Vec<&Send> = made.iter().map(|(send, _)| send).collect();
    let (mut calls, mut since) = (0, Instant::now());
    loop {
        waiting.retain(|send| !has_all(send));
        if waiting.is_empty() {
            return Ok(());
        }
        let now = calls_to_skolverket(meter);
        if now != calls {
            (calls, since) = (now, Instant::now());
        } else if since.elapsed() > STALLED {
            return Err(BenchError::Stalled(STALLED.as_secs()));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn calls_to_skolverket(meter: &Meter) -> u64 {
    let calls = |used: &FunctionUse| {
        let of_skolverket = used.calls.iter().filter(|(name, _)| name.starts_with("skolverket."));
        of_skolverket.map(|(_, calls)| calls.count).sum::<u64>()
    };
    meter.reading().values().map(calls).sum()
}

/// Long runs say where they are; standard output is for the figures.
pub(crate) fn say(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
