//! The functions as they are put into AWS: `infra/aws/package x86_64 target/packages-x86_64` builds them, and
//! `STAFETT_PACKAGES` says where they are.

use std::path::PathBuf;

use stafett_simulator::Simulator;

use crate::people::class;
use crate::stack::{TestStack, counts, limits, statuses};

#[tokio::test]
async fn a_send_goes_through_the_packages() {
    let Some(folder) = std::env::var_os("STAFETT_PACKAGES").filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: STAFETT_PACKAGES names no folder with packages");
        return;
    };
    // Of the project's folder, which is not where tests run.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let arguments = ["--packages", folder.to_str().unwrap()];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let id = stack.send(&class(770)).await;
    let send = stack.ended(&id).await;
    assert_eq!(statuses(&send), ["succeeded"; 4], "{send}");
    assert_eq!(counts(&send, "users"), "total 8, success 8");
    // They are the processes that ran.
    if cfg!(target_os = "linux") {
        let processes = stack.local("/local/processes").await;
        for process in processes.as_array().unwrap() {
            let program = std::fs::read_link(format!("/proc/{}/exe", process["pid"])).unwrap();
            assert_eq!(program.file_name(), process["function"].as_str().map(AsRef::as_ref), "{process}");
        }
    }
    stack.finish(0).await;
}
