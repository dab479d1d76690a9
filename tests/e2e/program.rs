//! The developer's command, as the README says it.

use std::process::Output;

use stafett_simulator::{ScriptedOutcome, Simulator};

use crate::people::{class, record_id};
use crate::stack::{limits, program};

async fn run(arguments: &[&str]) -> Output {
    let mut command = program();
    command.args(["--fast", "--exit"]).args(arguments);
    tokio::time::timeout(std::time::Duration::from_secs(180), command.output()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_example_is_sent_and_shown() {
    let output = run(&[]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for stage in ["users", "duties", "groups", "activities"] {
        assert!(
            text.lines().any(|line| line.contains(stage) && line.contains("succeeded")),
            "{stage}: {text}"
        );
    }
    // 16 students, 7 teachers, a principal and an administrator, with masked numbers.
    let rows: Vec<_> = text.lines().filter(|line| line.contains("•••")).collect();
    assert_eq!(rows.len(), 25, "{text}");
    let with = |word: &str| rows.iter().filter(|row| row.contains(word)).count();
    assert_eq!(
        (with("Elev"), with("Lärare"), with("Rektor"), with("Skoladministratör")),
        (16, 7, 1, 1),
        "{text}"
    );
    assert!(
        rows.iter().filter(|row| row.contains("Elev")).all(|row| row.contains('6') && row.contains("GR"))
    );
    assert!(text.contains("/v1/sends/"), "where to look next: {text}");
}

#[tokio::test]
async fn a_send_that_does_not_succeed_is_the_programs_exit_code() {
    let body = class(60);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("send.json");
    std::fs::write(&file, body.to_string()).unwrap();
    let skolverket = Simulator::start(limits()).await.unwrap();
    skolverket.script(record_id(&body, "persons", 2), ScriptedOutcome::error("Enrolment.schoolYear"));
    let (url, token_url) = (skolverket.provisioning_url(), skolverket.token_url());
    let arguments = ["--send", file.to_str().unwrap(), "--skolverket-url", &url, "--token-url", &token_url];
    let output = run(&arguments).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("failed") && text.contains("2011"), "{text}");
    assert!(skolverket.violations().is_empty(), "{:?}", skolverket.violations());
}
