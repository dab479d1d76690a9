//! The walk in the API guide (`functions/api/README.md`): its lines are run, and print what the guide says.

use std::process::Stdio;

use tokio::process::Command;

use crate::stack::TestStack;

/// The lines of a block, and what they must print; `…` stands for anything.
struct Step<'a> {
    lines: &'a str,
    printed: &'a str,
}

/// The blocks of the walk: `sh`, each with the `text` that follows it.
fn steps(guide: &str) -> Vec<Step<'_>> {
    let walk = guide.split("## A walk through the API\n").nth(1).expect("the walk");
    let walk = walk.split("\n## ").next().unwrap();
    let mut steps: Vec<Step<'_>> = Vec::new();
    for block in walk.split("```").skip(1).step_by(2) {
        match block.split_once('\n').unwrap() {
            ("sh", lines) => steps.push(Step { lines, printed: "" }),
            ("text", printed) => steps.last_mut().expect("lines before").printed = printed,
            (other, _) => panic!("a block of {other}"),
        }
    }
    steps
}

/// Whether `line` is `expected`, whose parts around each `…` come one after another.
fn fits(line: &str, expected: &str) -> bool {
    let mut rest = line;
    for (at, part) in expected.split('…').enumerate() {
        let Some(found) = rest.find(part) else { return false };
        if at == 0 && found > 0 {
            return false;
        }
        rest = &rest[found + part.len()..];
    }
    rest.is_empty() || expected.ends_with('…')
}

#[test]
fn an_ellipsis_stands_for_anything() {
    assert!(fits("abcdef", "ab…e…") && fits("ab", "ab") && fits("xab", "…ab"));
    assert!(!fits("abc", "ab") && !fits("xab", "ab") && !fits("ab", "a…c…"));
}

/// Whether the lines of the guide can be run. In a CI they must be.
fn can_run_lines() -> bool {
    let is_there = |program: &str| std::process::Command::new(program).arg("--version").output().is_ok();
    let can = is_there("bash") && is_there("curl");
    let is_ci = std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    assert!(can || !is_ci, "there is no curl, or no bash");
    can
}

#[tokio::test]
async fn the_lines_of_the_guide_print_what_it_says() {
    if !can_run_lines() {
        println!("skipped: there is no curl, or no bash");
        return;
    }
    let steps = steps(include_str!("../../functions/api/README.md"));
    assert!(steps.len() >= 8, "{} steps", steps.len());
    let stack = TestStack::start().await;
    // What `cargo run` sends by itself.
    let example = serde_json::from_str(include_str!("../fixtures/prov-biologi.json")).unwrap();
    let id = stack.send(&example).await;
    stack.ended(&id).await;

    const END: &str = "@@ the end of a step @@";
    let script: String =
        steps.iter().map(|step| format!("{}\nprintf '\\n%s\\n' '{END}'\n", step.lines)).collect();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.replace("http://127.0.0.1:3000", &stack.url)])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(180), output).await.expect("an end");
    let output = output.expect("bash");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let parts: Vec<&str> = printed.split(END).collect();
    assert_eq!(parts.len(), steps.len() + 1);
    for (step, printed) in steps.iter().zip(parts) {
        // Answers have no line end: one after another, they stand on one line.
        let printed = printed.replace("}{", "}\n{");
        let mut lines = printed.lines().filter(|line| !line.is_empty());
        for expected in step.printed.lines() {
            assert!(lines.any(|line| fits(line, expected)), "{}\n{expected}\n{printed}", step.lines);
        }
    }
    stack.finish(0).await;
}
