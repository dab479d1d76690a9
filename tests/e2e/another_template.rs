//! The stack is what the template says: another template makes another stack.

use std::path::{Path, PathBuf};

use stafett_simulator::Simulator;
use tempfile::TempDir;

use crate::people::class;
use crate::stack::{ORGANISER, TestStack, limits, statuses};
use crate::template::template;

/// The template with a change, as a file.
fn changed(folder: &Path, from: &str, to: &str) -> PathBuf {
    let template = template();
    assert!(template.contains(from), "{from}");
    let file = folder.join("template.yaml");
    std::fs::write(&file, template.replace(from, to)).unwrap();
    file
}

#[tokio::test]
async fn a_queue_that_is_renamed_in_the_template_alone_is_renamed() {
    let folder = TempDir::new().unwrap();
    let template = changed(folder.path(), "UsersQueue", "FirstLegQueue");
    let arguments = ["--template", template.to_str().unwrap()];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let id = stack.send(&class(740)).await;
    assert_eq!(statuses(&stack.ended(&id).await), ["succeeded"; 4]);
    let queues = stack.local("/local/queues").await;
    let mut names: Vec<_> =
        queues.as_array().unwrap().iter().map(|queue| queue["queue"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected =
        ["stafett-ActivitiesQueue", "stafett-DutiesQueue", "stafett-FirstLegQueue", "stafett-GroupsQueue"];
    assert_eq!(names, expected);
    stack.finish(0).await;
}

#[tokio::test]
async fn while_sending_is_paused_sends_are_taken_and_go_on_afterwards() {
    let folder = TempDir::new().unwrap();
    let template = changed(folder.path(), "Default: running", "Default: paused");
    let data = folder.path().join("data");
    let keep = ["--data-dir", data.to_str().unwrap()];
    let paused = [&keep[..], &["--template", template.to_str().unwrap()]].concat();
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &paused).await;
    let ids = [stack.send(&class(741)).await, stack.send(&class(742)).await];
    for round in 0..20 {
        let send = stack.get(&format!("/v1/sends/{}", ids[round % 2])).await;
        assert_eq!(send["status"], "queued", "{send}");
    }
    let meter = stack.local("/local/meter").await;
    let functions: Vec<_> = meter.as_object().unwrap().keys().collect();
    assert_eq!(functions, ["api"], "requests are answered, and nothing else is done");

    let stack = TestStack::start_with(stack.end("TERM").await, &keep).await;
    for id in ids {
        let send = stack.ended_as(ORGANISER, &id).await;
        assert_eq!(send["status"], "succeeded", "{send}");
    }
    stack.finish(0).await;
}
