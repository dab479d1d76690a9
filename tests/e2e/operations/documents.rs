//! `infra/aws/README.md`, held to the code and to the template.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::template::{Document, file, template};

const README: &str = "infra/aws/README.md";
/// What the local program prints about a function that cannot run at all. On AWS, Lambda itself says so.
const LOCAL: &str = "ended";

/// The levels of each event, by the table's rows: `| event | level | meaning |`.
fn documented() -> &'static BTreeMap<String, Vec<String>> {
    static DOCUMENTED: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    DOCUMENTED.get_or_init(|| {
        let readme = file(README);
        let (_, table) = readme.split_once("| event | level |").expect("a table of events");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut events = BTreeMap::new();
        for row in rows {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let (event, level) = (cells.next().unwrap(), cells.next().unwrap());
            assert!(cells.next().is_some_and(|meaning| meaning.len() > 10), "no meaning: {row}");
            let levels = level.split(", ").map(str::to_uppercase).collect();
            assert!(events.insert(event.trim_matches('`').to_owned(), levels).is_none(), "twice: {row}");
        }
        events
    })
}

/// Asserts that the operator's handbook has every event of these log lines, at the level at which it was logged.
pub(crate) fn assert_documented(log: &str) {
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let Some(event) = line["event"].as_str().filter(|event| *event != LOCAL) else { continue };
        let levels = documented().get(event);
        let has = levels.is_some_and(|levels| levels.iter().any(|level| line["level"] == **level));
        assert!(has, "{README} does not have the event {event} at the level {}: {levels:?}", line["level"]);
    }
}

#[test]
fn an_event_that_the_handbook_does_not_have_is_noticed() {
    assert_documented(r#"{"event":"job.ended","level":"INFO"}"#);
    for unknown in [r#"{"event":"job.ended","level":"ERROR"}"#, r#"{"event":"job.lost","level":"INFO"}"#] {
        assert!(std::panic::catch_unwind(|| assert_documented(unknown)).is_err(), "{unknown}");
    }
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
