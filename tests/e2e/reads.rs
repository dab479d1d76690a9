//! What it costs to read a long history: DynamoDB's own count of read units, by the local stack's meter.

use std::collections::HashSet;

use futures::StreamExt;
use serde_json::{Value, json};
use stafett_simulator::ScriptedOutcome;

use crate::lists::all;
use crate::people::{Size, record_id, send};
use crate::stack::{TestStack, counts};

const SENDS: u16 = 200;
/// Sends that are on their way at a time.
const AT_ONCE: usize = 4;

/// 400 records: 376 students, 10 teachers with their duties, 2 groups and 2 activities.
fn four_hundred(series: u16) -> Value {
    send(Size { students: 376, teachers: 10, groups: 2, series })
}

/// What the API reads to answer this, in read units, and the answer.
async fn reading(stack: &TestStack, path: &str) -> (f64, Value) {
    let units = async || stack.local("/local/meter").await["api"]["readUnits"].as_f64().unwrap();
    let before = units().await;
    let answer = stack.get(path).await;
    (units().await - before, answer)
}

#[tokio::test]
async fn a_long_history_is_read_no_further_than_it_is_shown() {
    let stack = TestStack::start().await;
    // One more than the two hundred, with several batches of persons, of which one has errors.
    let mut body = send(Size { students: 1600, teachers: 10, groups: 2, series: 5000 });
    body["options"] = json!({"onRecordErrors": "continue"});
    for index in [3, 200, 300] {
        stack.skolverket.script(record_id(&body, "persons", index), ScriptedOutcome::error("givenName"));
    }
    let first = stack.send(&body).await;
    let ended = stack.ended(&first).await;
    assert_eq!(counts(&ended, "users"), "total 1610, success 1607, error 3");
    // The others need not run: they wait behind one whose outcome does not come.
    stack.skolverket.hold_jobs(true);
    let posts = (1..=SENDS).map(|number| {
        let body = four_hundred(5000 + number);
        let stack = &stack;
        async move { stack.send(&body).await }
    });
    let ids: Vec<_> = futures::stream::iter(posts).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(ids.len(), usize::from(SENDS));

    let job = format!("/v1/sends/{first}/jobs/users/records");
    // By row: what a page holds, and the most that it may read. A send is six items of a unit each: itself, its
    // activities, four jobs. A batch's body of some four hundred persons packs into some kilobytes, read at half the
    // price; four of them would cost more than the one that is shown.
    let pages = [
        ("sends, 20", "/v1/sends?limit=20".to_owned(), 20, 6.0 * 20.0 + 3.0),
        ("sends, one that failed of 100", "/v1/sends?status=failed".to_owned(), 0, 100.0 + 10.0),
        ("a send", format!("/v1/sends/{first}"), 0, 7.0),
        ("rows, 100 of 1,610", format!("{job}?limit=100"), 100, 5.0),
        ("rows with errors, in one batch of four", format!("{job}?outcome=error"), 3, 5.0),
        // A page of sends behind it, and the catalogue.
        ("activities, 100 of 402", "/v1/activities?limit=100".to_owned(), 100, 50.0 + 16.0 + 12.0),
        ("jobs, 100 of 804", "/v1/jobs?limit=100".to_owned(), 100, 26.0 * 5.0 + 2.0),
        ("activities of a send", format!("/v1/sends/{first}/activities"), 2, 2.0),
    ];
    for (what, path, items, most) in pages {
        let (units, page) = reading(&stack, &path).await;
        println!("{what}: {units} read units");
        assert!(units > 0.0 && units <= most, "{what}: {units} read units, {most} at most");
        if let Some(found) = page["items"].as_array() {
            assert_eq!(found.len(), items, "{what}");
        }
    }
    // The pages hold every item exactly once, although one page reads a limited number of items: each send's two
    // activities, whatever was merged meanwhile; each send's users job; the one send that has ended.
    let sends = usize::from(SENDS) + 1;
    for (path, items, least) in [
        ("/v1/activities?limit=100", 2 * sends, 5),
        ("/v1/jobs?stage=users&limit=100", sends, 3),
        ("/v1/jobs?status=completedWithErrors", 1, 2),
        ("/v1/sends?status=completedWithErrors", 1, 2),
        ("/v1/sends?status=queued,running", sends - 1, 4),
    ] {
        let (found, pages) = all(&stack, path).await;
        let distinct: HashSet<String> = found.iter().map(Value::to_string).collect();
        assert_eq!((found.len(), distinct.len()), (items, items), "{path}");
        assert!(pages >= least, "{path}: {pages} pages");
    }
    // To wait for two hundred sends would show nothing more.
    assert!(stack.skolverket.violations().is_empty(), "{:?}", stack.skolverket.violations());
}
