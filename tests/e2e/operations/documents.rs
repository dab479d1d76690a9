//! `infra/aws/README.md`, held to the code and to the template.

use std::collections::BTreeMap;
use std::path::Path;

use crate::template::{Document, file, template};

const README: &str = "infra/aws/README.md";

/// The levels that each event is logged at, as the sources of what is put into AWS say.
fn events_of_sources() -> BTreeMap<String, Vec<String>> {
    let mut events = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("shared"), root.join("functions")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                note_events(&std::fs::read_to_string(&entry).unwrap(), &mut events);
            }
        }
    }
    events
}

/// `tracing::info!(event = "job.ended", …)`, on one line or several.
fn note_events(source: &str, events: &mut BTreeMap<String, Vec<String>>) {
    for logged in source.split("tracing::").skip(1) {
        let Some((level, rest)) = logged.split_once("!(") else { continue };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("target: telemetry::AUDIT, ").unwrap_or(rest);
        let Some(rest) = rest.strip_prefix("event = \"") else { continue };
        let (event, _) = rest.split_once('"').unwrap();
        let levels: &mut Vec<String> = events.entry(event.to_owned()).or_default();
        levels.push(level.to_owned());
        levels.sort();
        levels.dedup();
    }
}

/// The table's rows: `| event | level | meaning |`.
fn events_of_table(readme: &str) -> BTreeMap<String, Vec<String>> {
    let (_, table) = readme.split_once("| event | level |").expect("a table of events");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut events = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (event, level) = (cells.next().unwrap(), cells.next().unwrap());
        assert!(cells.next().is_some_and(|meaning| meaning.len() > 10), "no meaning: {row}");
        let levels = level.split(", ").map(str::to_owned).collect();
        assert!(events.insert(event.trim_matches('`').to_owned(), levels).is_none(), "twice: {row}");
    }
    events
}

#[test]
fn the_table_of_events_is_that_of_the_code() {
    assert_eq!(events_of_table(&file(README)), events_of_sources());
}

#[test]
fn every_alarm_says_what_to_do() {
    let readme = file(README);
    let headings: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    for (name, alarm) in Document::of(&template()).resources("AWS::CloudWatch::Alarm") {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let (meaning, chapter) =
            description.split_once("Runbook: ").unwrap_or_else(|| panic!("{name} says nothing"));
        assert!(meaning.len() > 40, "{name}: {meaning}");
        let chapter = chapter.trim_end().trim_end_matches('.');
        assert!(headings.contains(&chapter), "{name}: there is no chapter {chapter}");
        assert!(!alarm["AlarmActions"].is_null() && alarm["TreatMissingData"].is_string(), "{name}");
    }
}
