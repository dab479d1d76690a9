//! A preset under faults: one record in a hundred is refused, one in a hundred meets a transient fault, and a function
//! process is killed every ten seconds; all of it at ten times the pace. What counts is that the history is right about
//! every record.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use serde::Deserialize;
use stafett_load::{List, Preset, Send};
use stafett_simulator::{Kind, ScriptedOutcome, Simulator};
use uuid::Uuid;

use super::BenchError;
use super::client::{Client, Process};
use super::run::say;
use super::skolverket::limits;
use super::stack;

/// Between two kills: ten seconds at ten times the pace.
const KILL_EVERY: Duration = Duration::from_secs(1);
/// One record in so many is refused, and one meets a transient fault.
const ONE_IN: usize = 100;
/// Longest wait for the end: killed steps come again after minutes.
const LONGEST: Duration = Duration::from_secs(3_600);

const STAGES: [(&str, List, Kind); 4] = [
    ("users", List::Persons, Kind::Persons),
    ("duties", List::Duties, Kind::Duties),
    ("groups", List::Groups, Kind::Groups),
    ("activities", List::Activities, Kind::Activities),
];

/// A row of a job, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Row {
    id: Uuid,
    outcome: String,
    #[serde(default)]
    without: Vec<Uuid>,
}

/// The result of a run, printed as it is.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Records by stage and outcome.
    counts: BTreeMap<(usize, String), usize>,
    /// How the sends ended.
    ends: BTreeMap<String, usize>,
    kills: usize,
    seconds: f64,
    /// Records of which the history is wrong, and what the judge found.
    wrong: Vec<String>,
}

impl Outcome {
    /// Whether the history is right about every record, and the judge had nothing to say.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{:.0} s, {} processes killed, sends ended {:?}",
            self.seconds, self.kills, self.ends
        )];
        for ((stage, outcome), count) in &self.counts {
            let name = STAGES.get(*stage).map_or("", |(name, ..)| name);
            lines.push(format!("  {name:<11}{outcome:<9}{count:>7}"));
        }
        lines.push(format!("wrong: {}", self.wrong.len()));
        lines.extend(self.wrong.iter().take(20).map(|wrong| format!("  {wrong}")));
        lines.join("\n")
    }
}

/// Runs a preset under faults.
pub(crate) async fn run(preset: Preset) -> Result<Outcome, BenchError> {
    let skolverket = Simulator::start(limits().scaled(10.0)).await.map_err(BenchError::Simulator)?;
    let stack = stack::start(&skolverket, &["--fast"]).await?;
    let client = Client::new(&stack)?;
    let began = Instant::now();
    let mut sends = Vec::new();
    for send in preset.sends() {
        let refused = script(&skolverket, &send);
        let made = client.upload(&send, "continue").await?;
        sends.push((send, made.id, refused));
    }
    say(format_args!("{}: handed over; a process dies every {KILL_EVERY:?}", preset.name()));
    let (ends, kills) = killing(&client, &sends).await?;
    let seconds = began.elapsed().as_secs_f64();
    client.idle().await?;

    let mut outcome = Outcome { counts: BTreeMap::new(), ends, kills, seconds, wrong: Vec::new() };
    for (send, id, refused) in &sends {
        check(&client, &skolverket, send, id, refused, &mut outcome).await?;
    }
    let violations = skolverket.violations();
    outcome.wrong.extend(violations.iter().map(|violation| format!("{violation:?}")));
    stack.stop().await;
    Ok(outcome)
}

/// Scripts the simulator's refusals, transient and permanent; gives the permanent ones.
fn script(skolverket: &Simulator, send: &Send) -> HashSet<Uuid> {
    let mut refused = HashSet::new();
    for (_, list, _) in STAGES {
        for (index, record) in send.list(list).enumerate() {
            let Some(id) = record["id"].as_str().and_then(|id| id.parse().ok()) else { continue };
            if index % ONE_IN == 0 {
                skolverket.script(id, ScriptedOutcome::error("id"));
                refused.insert(id);
            } else if index % ONE_IN == ONE_IN / 2 {
                skolverket.script_temporary(id, 1);
            }
        }
    }
    refused
}

/// Kills until all have ended; says how they ended, and how often it killed.
async fn killing(
    client: &Client<'_>,
    sends: &[(Send, String, HashSet<Uuid>)],
) -> Result<(BTreeMap<String, usize>, usize), BenchError> {
    let began = Instant::now();
    let mut kills = 0;
    loop {
        tokio::time::sleep(KILL_EVERY).await;
        let mut ends = BTreeMap::<String, usize>::new();
        for (send, id, _) in sends {
            let shown = client.shown(send.organisation(), id).await?;
            if shown.ended_at.is_some() {
                *ends.entry(shown.status).or_default() += 1;
            }
        }
        if ends.values().sum::<usize>() == sends.len() {
            return Ok((ends, kills));
        }
        if began.elapsed() > LONGEST {
            return Err(BenchError::Stalled(LONGEST.as_secs()));
        }
        // One that is at work, another one each time.
        let processes: Vec<Process> = client.local("/local/processes").await?;
        let busy: Vec<_> = processes.iter().filter(|process| process.busy).collect();
        if let Some(process) = busy.get(kills % busy.len().max(1)) {
            let pid = process.pid.to_string();
            let killed = tokio::process::Command::new("kill").args(["-9", &pid]).status().await;
            kills += usize::from(killed.is_ok_and(|status| status.success()));
        }
    }
}

/// Holds every row against what the simulator has, and against what was to be refused.
async fn check(
    client: &Client<'_>,
    skolverket: &Simulator,
    send: &Send,
    id: &str,
    refused: &HashSet<Uuid>,
    found: &mut Outcome,
) -> Result<(), BenchError> {
    let mut missing: HashSet<Uuid> = HashSet::new();
    for (number, (stage, list, kind)) in STAGES.into_iter().enumerate() {
        let stored: HashSet<Uuid> = skolverket.stored(send.organisation(), kind).into_iter().collect();
        let rows: Vec<Row> = client.rows(send.organisation(), id, stage).await?;
        if rows.len() != usize::try_from(send.count(list)).unwrap_or_default() {
            found.wrong.push(format!("{stage}: {} rows", rows.len()));
        }
        for row in rows {
            let right = match row.outcome.as_str() {
                "success" | "warning" => stored.contains(&row.id) && !refused.contains(&row.id),
                "error" => !stored.contains(&row.id) && refused.contains(&row.id),
                "skipped" => {
                    !stored.contains(&row.id) && row.without.iter().any(|other| missing.contains(other))
                }
                _ => false,
            };
            if !right {
                found.wrong.push(format!("{stage} {} is {}", row.id, row.outcome));
            }
            if matches!(row.outcome.as_str(), "error" | "skipped") {
                missing.insert(row.id);
            }
            *found.counts.entry((number, row.outcome)).or_default() += 1;
        }
    }
    Ok(())
}
