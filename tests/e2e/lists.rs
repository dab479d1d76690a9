//! The lists that an admin frontend shows: activities, jobs, sends, each by page and filtered.

use serde_json::{Value, json};
use stafett_domain::skolverket_id;
use stafett_simulator::{ScriptedOutcome, Simulator};

use crate::people::{SCHOOL_UNIT, Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, TestStack, limits};

/// The values of a member of all items of a page.
fn members<'a>(page: &'a Value, pointer: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    items.iter().map(|item| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default()).collect()
}

/// All items of a list, taken by page, and the number of pages.
pub(crate) async fn all(stack: &TestStack, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = stack.get(&format!("{path}{cursor}")).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("{}cursor={next}", if path.contains('?') { '&' } else { '?' }),
            None => return (items, pages),
        }
    }
}

#[tokio::test]
async fn an_activity_is_listed_once_as_its_latest_send_has_it() {
    let stack = TestStack::start().await;
    // One that is sent again and again, with other names, between sends that hold others: enough sends for what was
    // accepted before to be merged twice.
    let mut repeated = class(800);
    let mut latest = String::new();
    let mut others = Vec::new();
    for number in 0..34_u16 {
        if number % 3 == 0 {
            repeated["activities"][0]["displayName"] = json!(format!("Prov {number}"));
            latest = stack.send(&repeated).await;
        } else {
            let body = class(801 + number);
            others.push((stack.send(&body).await, record_id(&body, "activities", 0).to_string()));
        }
    }
    let (items, pages) = all(&stack, "/v1/activities?limit=10").await;
    assert_eq!((items.len(), pages), (others.len() + 1, 3));
    let newest = &items[0];
    assert_eq!(newest["id"], repeated["activities"][0]["id"]);
    assert_eq!((&newest["displayName"], &newest["latestSend"]["id"]), (&json!("Prov 33"), &json!(latest)));
    assert_eq!(
        (&newest["testCode"], &newest["schoolUnit"]["code"]),
        (&json!("GRGRBIO01_6"), &json!(SCHOOL_UNIT))
    );
    assert_eq!(
        (&newest["groups"], &newest["students"], &newest["teachers"]),
        (&json!(1), &json!(6), &json!(2))
    );
    let listed: Vec<_> = items[1..]
        .iter()
        .map(|item| {
            let text = |pointer| item.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
            (text("/latestSend/id"), text("/id"))
        })
        .collect();
    others.reverse();
    assert_eq!(listed, others, "the last changed first");

    // The status is that of the send as it stands.
    let waiting = stack.get("/v1/activities?status=queued&limit=100").await;
    assert!(members(&waiting, "/latestSend/status").iter().all(|status| *status == "queued"), "{waiting}");
    stack.ended(&latest).await;
    let done = stack.get("/v1/activities?status=succeeded&limit=100").await;
    assert_eq!(done["items"].as_array().unwrap().len(), items.len());
    assert_eq!(
        done["items"][0]["latestSend"]["statusLabel"]["en"],
        "accepted by Skolverket; not yet seen in the test platform"
    );
    let sent = stack.get(&format!("/v1/sends/{latest}")).await;
    assert_eq!(done["items"][0]["lastChanged"], sent["acceptedAt"]);
    let count = async |path: &str| stack.get(path).await["items"].as_array().unwrap().len();
    assert_eq!(count("/v1/activities?status=failed,cancelled").await, 0);
    assert_eq!(count("/v1/activities?schoolUnitCode=31279295&testCode=GRGRBIO01_6&limit=5").await, 5);
    assert_eq!(count("/v1/activities?schoolUnitCode=12345678").await, 0);
    assert_eq!(count("/v1/activities?testCode=GRGRMAT01_6").await, 0);
    let nothing = stack.get_as("5560000001", ALL_SCOPES, "/v1/activities").await;
    assert_eq!(nothing.json(), json!({"items": [], "nextCursor": null}), "another organiser has others");
    stack.finish(0).await;
}

#[tokio::test]
async fn all_activities_of_a_send_are_read_by_page() {
    // Time enough for the registers to give the name of the school unit.
    let patient = ["--set", "OPEN_DATA_TIMEOUT_MS=20000", "--set", "OPEN_DATA_WAIT_MS=25000"];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &patient).await;
    let mut body = send(Size { students: 46, teachers: 2, groups: 23, series: 840 });
    // For what is given by its id, the registers give the code too.
    body["activities"][0]["organisation"] = json!({"id": skolverket_id(SCHOOL_UNIT)});
    body["activities"][0]["parentActivity"] = json!({"id": skolverket_id("GRGRBIO01_6")});
    let first = stack.send(&body).await;
    let ids: Vec<_> = (0..23).map(|index| record_id(&body, "activities", index).to_string()).collect();
    let whole = stack.get(&format!("/v1/sends/{first}")).await;
    assert_eq!((&whole["activityCount"], whole["activities"].as_array().unwrap().len()), (&json!(23), 20));
    let path = format!("/v1/sends/{first}/activities");
    let (items, pages) = all(&stack, &format!("{path}?limit=9")).await;
    assert_eq!(
        (items.iter().map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), pages),
        (ids.iter().map(String::as_str).collect(), 3)
    );
    for item in &items {
        assert_eq!(
            (&item["testCode"], &item["schoolUnit"]["code"]),
            (&json!("GRGRBIO01_6"), &json!(SCHOOL_UNIT))
        );
        assert!(item["schoolUnit"]["name"].as_str().is_some_and(|name| !name.is_empty()), "{item}");
    }
    assert_eq!(items[..20], *whole["activities"].as_array().unwrap());
    // The last of many is found too, wherever it is looked for.
    let hidden = &ids[22];
    stack.send(&class(841)).await;
    assert_eq!(members(&stack.get(&format!("/v1/sends?activity={hidden}")).await, "/id"), [first.as_str()]);
    let listed = stack.get("/v1/activities?limit=100").await;
    assert_eq!(members(&listed, "/id")[1..], ids.iter().map(String::as_str).collect::<Vec<_>>());
    // A send that is resumed has those of its activities that go again: all of them, for none went.
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::error("givenName"));
    let refused = stack.send(&body).await;
    assert_eq!(stack.ended(&refused).await["status"], "failed");
    let token = stack.token(crate::stack::ORGANISER, ALL_SCOPES).await;
    let resume = stack.call(reqwest::Method::POST, &format!("/v1/sends/{refused}/resume")).bearer_auth(token);
    let resumed = stack.request(resume).await.json();
    let resumed = resumed["id"].as_str().unwrap_or_else(|| panic!("{resumed}"));
    let (items, _) = all(&stack, &format!("/v1/sends/{resumed}/activities")).await;
    assert_eq!(items.len(), 23);
    let strange = stack.get_as("5560000001", ALL_SCOPES, &path).await;
    assert_eq!(strange.status, 404);
    stack.ended(resumed).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn jobs_are_a_flat_list_newest_first() {
    let stack = TestStack::start().await;
    let bodies: Vec<_> = (850..855).map(class).collect();
    stack.skolverket.script(record_id(&bodies[2], "duties", 0), ScriptedOutcome::error("dutyRole"));
    let mut sends = Vec::new();
    for body in &bodies {
        sends.push(stack.send(body).await);
    }
    for id in &sends {
        stack.ended(id).await;
    }
    let (jobs, pages) = all(&stack, "/v1/jobs?limit=7").await;
    assert_eq!((jobs.len(), pages), (20, 3));
    let stages = ["activities", "groups", "duties", "users"];
    for (jobs, id) in jobs.chunks(4).zip(sends.iter().rev()) {
        let send = stack.get(&format!("/v1/sends/{id}")).await;
        for (job, stage) in jobs.iter().zip(stages) {
            assert_eq!((&job["send"], &job["stage"]), (&json!(id), &json!(stage)));
            assert_eq!(
                (&job["requestedBy"], &job["acceptedAt"]),
                (&json!("admin@local"), &send["acceptedAt"])
            );
            let whole = crate::stack::job(&send, stage);
            for name in ["status", "statusLabel", "stageLabel", "counts", "startedAt", "endedAt", "reason"] {
                assert_eq!(job[name], whole[name], "{name}");
            }
        }
    }
    assert_eq!(jobs[3]["stageLabel"], json!({"sv": "Användare", "en": "Users"}));

    let ids = async |query: &str| {
        let (jobs, _) = all(&stack, &format!("/v1/jobs?{query}")).await;
        jobs.iter()
            .map(|job| format!("{} {}", job["send"].as_str().unwrap(), job["stage"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("status=failed").await, [format!("{} duties", sends[2])]);
    assert_eq!(
        ids("status=failed,notStarted&limit=2").await,
        ["activities", "groups", "duties"].map(|stage| format!("{} {stage}", sends[2]))
    );
    assert_eq!(ids("stage=users&limit=3").await.len(), 5);
    let activity = record_id(&bodies[1], "activities", 0);
    assert_eq!(ids(&format!("activity={activity}&stage=groups")).await, [format!("{} groups", sends[1])]);
    let started = |index: usize| jobs[index]["startedAt"].as_str().unwrap();
    // From the users of the last but one on, and before the users of the last.
    assert_eq!(ids(&format!("from={}&to={}", started(7), started(3))).await.len(), 4);
    assert_eq!(ids(&format!("from={}", started(3))).await.len(), 4);
    for strange in ["stage=persons", "status=queued", "activity=7", "from=yesterday", "cursor=Nw"] {
        let answer = stack.get_as(crate::stack::ORGANISER, ALL_SCOPES, &format!("/v1/jobs?{strange}")).await;
        assert_eq!(answer.status, 400, "{strange}: {}", answer.text);
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn sends_are_found_by_activity_status_and_time() {
    let stack = TestStack::start().await;
    let bodies: Vec<_> = (860..864).map(class).collect();
    stack.skolverket.script(record_id(&bodies[1], "persons", 0), ScriptedOutcome::error("givenName"));
    let mut sends = Vec::new();
    for body in &bodies {
        let id = stack.send(body).await;
        sends.push(stack.ended(&id).await);
    }
    let id = |index: usize| sends[index]["id"].as_str().unwrap();
    let ids = async |query: &str| {
        let (found, _) = all(&stack, &format!("/v1/sends?{query}")).await;
        found.iter().map(|send| send["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("status=failed").await, [id(1)]);
    assert_eq!(ids("status=succeeded&limit=1").await, [id(3), id(2), id(0)]);
    let activity = record_id(&bodies[2], "activities", 0);
    assert_eq!(ids(&format!("activity={activity}")).await, [id(2)]);
    assert_eq!(ids(&format!("activity={activity}&status=failed")).await, [""; 0]);
    let accepted = |index: usize| sends[index]["acceptedAt"].as_str().unwrap();
    assert_eq!(ids(&format!("from={}&to={}", accepted(1), accepted(3))).await, [id(2), id(1)]);
    stack.finish(0).await;
}
