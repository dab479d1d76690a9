//! The figures, as tables for people and as JSON.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::figures::whole;
use super::price::Prices;
use super::run::Run;

/// All runs, and the prices that they were reckoned with.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether the program was built as it is to be measured.
    release: bool,
    pub(crate) prices: Prices,
    pub(crate) runs: Vec<Run>,
}

/// A row of a table: what it shows, and how it is read from a run.
type Row = (&'static str, fn(&Run) -> String);

const FIGURES: [Row; 34] = [
    ("sends", |run| run.sends.to_string()),
    ("records", |run| run.records.to_string()),
    ("ended", |run| statuses(run)),
    ("handing over, s", |run| run.upload_s.map_or_else(|| "-".to_owned(), |upload| format!("{upload:.1}"))),
    ("submit to end, s", |run| format!("{:.2}", run.wall_s)),
    ("floor, s", |run| format!("{:.2}", run.floor_s)),
    ("  ratio", |run| format!("{:.3}", run.ratio)),
    ("batches", |run| run.calls.batches.to_string()),
    ("calls", |run| run.calls.all.to_string()),
    ("  extra polls", |run| run.calls.extra_polls.to_string()),
    ("  429", |run| run.calls.too_fast.to_string()),
    ("    of all, %", |run| format!("{:.2}", 100.0 * whole(run.calls.too_fast) / whole(run.calls.all))),
    ("  a second", |run| format!("{:.3}", run.calls.a_second)),
    ("  otherwise failed", |run| run.calls.failed.to_string()),
    ("judge's findings", |run| run.violations.values().sum::<u64>().to_string()),
    ("invocations", |run| run.figures.invocations.to_string()),
    ("  process starts", |run| run.figures.process_starts.to_string()),
    ("queue requests", |run| run.figures.queue.all().to_string()),
    ("  of them idle polls", |run| run.figures.queue.idle.to_string()),
    ("DynamoDB write units", |run| format!("{:.0}", run.figures.write_units)),
    ("  a record", |run| format!("{:.3}", run.figures.write_units / whole(run.records))),
    ("  bodies, answers a record", |run| {
        format!("{:.3}", run.figures.body_and_answer_write_units / whole(run.records))
    }),
    ("DynamoDB read units", |run| format!("{:.0}", run.figures.read_units)),
    ("GB-seconds at 256 MB", |run| format!("{:.2}", run.figures.gb_seconds)),
    ("peak memory, MB", |run| memory(run)),
    ("a page of 100 rows, ms", |run| format!("{:.1}", run.page_ms)),
    ("cost, USD", |run| usd(run.cost.total)),
    ("  Lambda", |run| usd(run.cost.lambda_time + run.cost.lambda_requests)),
    ("  queues", |run| usd(run.cost.queue_requests)),
    ("  DynamoDB", |run| usd(run.cost.write_units + run.cost.read_units)),
    ("  API", |run| usd(run.cost.api_requests)),
    ("peer: an item a record, write units", |run| format!("{:.0}", run.peers.item_a_record.write_units)),
    ("  cost, USD", |run| peer(run, run.peers.item_a_record.cost)),
    ("peer: Step Functions, cost, USD", |run| peer(run, run.peers.step_functions.cost)),
];

const GROWTH: [Row; 7] = [
    ("seconds", |run| per_thousand(run, run.wall_s)),
    ("calls", |run| per_thousand(run, whole(run.calls.all))),
    ("write units", |run| per_thousand(run, run.figures.write_units)),
    ("read units", |run| per_thousand(run, run.figures.read_units)),
    ("queue requests", |run| per_thousand(run, whole(run.figures.queue.all()))),
    ("peak memory, MB", |run| per_thousand(run, run.figures.peak_memory().1)),
    ("cost, USD", |run| usd(run.cost.total / whole(run.records) * 1000.0)),
];

impl Report {
    pub(crate) fn new(prices: Prices) -> Self {
        Self { release: !cfg!(debug_assertions), prices, runs: Vec::new() }
    }

    /// For people.
    pub(crate) fn tables(&self) -> String {
        let mut text = String::new();
        let prices = &self.prices;
        let confirmed = if prices.confirmed { "" } else { ", not compared with their sources" };
        // Writing to a string cannot fail.
        let all: Vec<_> = self.runs.iter().collect();
        let _ = writeln!(text, "{}\n", table(&all, &FIGURES));
        let _ = writeln!(text, "Peak memory by function, MB\n{}\n", memory_by_function(&all));
        // Many small sends are no size of one send.
        let single: Vec<_> = all.iter().copied().filter(|run| run.sends == 1).collect();
        if !single.is_empty() {
            let _ = writeln!(text, "A thousand records\n{}\n", table(&single, &GROWTH));
        }
        let _ = write!(
            text,
            "Floor: a bulk and a job call a batch at 5 calls a second, and four jobs of 0.5 s. Prices of {}, noted \
             on {}{confirmed}.",
            prices.region, prices.noted_on
        );
        text
    }
}

fn table(runs: &[&Run], rows: &[Row]) -> Table {
    let mut table = empty(runs);
    for (name, value) in rows {
        table.add_row(std::iter::once((*name).to_owned()).chain(runs.iter().map(|run| value(run))));
    }
    aligned(table, runs)
}

fn memory_by_function(runs: &[&Run]) -> Table {
    let mut table = empty(runs);
    for function in ["api", "users", "duties", "groups", "activities", "watchdog"] {
        let peak = |run: &&Run| match run.figures.peak_memory_kib.get(function) {
            None | Some(0) => "-".to_owned(),
            Some(kib) => format!("{:.1}", whole(*kib) / 1024.0),
        };
        table.add_row(std::iter::once(function.to_owned()).chain(runs.iter().map(peak)));
    }
    aligned(table, runs)
}

/// Only the names of the presets.
fn empty(runs: &[&Run]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(std::iter::once("").chain(runs.iter().map(|run| run.preset)));
    table
}

fn aligned(mut table: Table, runs: &[&Run]) -> Table {
    for at in 1..=runs.len() {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn statuses(run: &Run) -> String {
    run.statuses.iter().map(|(status, sends)| format!("{sends} {status}")).collect::<Vec<_>>().join(", ")
}

fn memory(run: &Run) -> String {
    let (function, peak) = run.figures.peak_memory();
    format!("{peak:.1} ({function})")
}

fn usd(amount: f64) -> String {
    format!("{amount:.6}")
}

/// With how many times the cost that is.
fn peer(run: &Run, cost: f64) -> String {
    format!("{cost:.6} ({:.1} ×)", cost / run.cost.total)
}

fn per_thousand(run: &Run, amount: f64) -> String {
    format!("{:.2}", amount / whole(run.records) * 1000.0)
}
