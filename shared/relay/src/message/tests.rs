//! Tests the formats of messages. They must not change: after a deploy or a rollback, the queues hold messages of
//! another release. The fixtures (`fixtures/messages`) are what the current release queues and reads: one file for each
//! stage and step, and one of a later release.

use std::collections::BTreeMap;
use std::path::Path;

use stafett_domain::message::{BatchStep, InvalidMessage, Message, MessageNames, Step};
use stafett_domain::{BatchId, OrganisationNumber, RecordKind, SendId};

const NEWER: &str = "newer";

/// The texts of the fixtures, by name.
fn fixtures() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap().trim_end().to_owned())
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
}

fn organisation() -> OrganisationNumber {
    "5567044268".parse().unwrap()
}

fn send() -> SendId {
    "0190a1b2-0000-7000-8000-000000000000".parse().unwrap()
}

/// The step whose fixture follows this one's, and its name; `None` after the last. Every kind of step has a place here.
fn after(step: Option<Step>) -> Option<(&'static str, Step)> {
    match step {
        None => Some(("start", Step::Start)),
        Some(Step::Start) => {
            Some(("submit", Step::Submit(BatchStep { batch: BatchId(4), attempt_try: 1, n: 0 })))
        }
        Some(Step::Submit(_)) => {
            Some(("poll", Step::Poll(BatchStep { batch: BatchId(4), attempt_try: 2, n: 7 })))
        }
        Some(Step::Poll(_)) => None,
    }
}

#[test]
fn the_fixtures_are_what_is_queued_and_read() {
    let mut fixtures = fixtures();
    fixtures.remove(NEWER).unwrap();
    for stage in RecordKind::ALL {
        let mut last = None;
        while let Some((name, step)) = after(last) {
            last = Some(step);
            let name = format!("{stage}.{name}");
            let message = Message::new(organisation(), send(), stage, step);
            let stored = fixtures.remove(&name).unwrap_or_else(|| panic!("there is no {name}.json"));
            assert_eq!(serde_json::to_string(&message).unwrap(), stored, "{name}");
            assert_eq!(Message::parse(&stored), Ok(message), "{name}");
        }
    }
    assert!(fixtures.is_empty(), "nothing queues {:?}", fixtures.keys());
}

#[test]
fn a_message_of_a_later_release_is_known_as_one_and_names_its_send() {
    let newer = &fixtures()[NEWER];
    assert_eq!(Message::parse(newer), Err(InvalidMessage::Newer(2)));
    let names = MessageNames::of(newer);
    assert_eq!((names.organisation, names.send), (Some(organisation()), Some(send())));
    assert_eq!((names.stage, names.step), (Some(RecordKind::Group), None));
    let older = newer.replace(r#""v":2"#, r#""v":0"#);
    assert_eq!(Message::parse(&older), Err(InvalidMessage::Version(0)));
}

#[test]
fn what_a_later_release_has_added_to_a_message_of_this_version_is_passed_over() {
    let stored = &fixtures()["groups.submit"];
    let added = stored
        .replace(r#"{"v":1,"#, r#"{"v":1,"addedLater":{"a":[1]},"#)
        .replace(r#""n":0"#, r#""n":0,"b":1"#);
    assert_ne!(&added, stored);
    assert_eq!(Message::parse(&added), Message::parse(stored));
}
