//! Sends that are larger than a request: in parts, in any order, each repeatable.

use std::io::Write;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Kind, Simulator};

use crate::answer::Answer;
use crate::people::{Size, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, counts, first_attempt, limits, statuses};
use crate::storage::keys;

pub(crate) async fn open(stack: &TestStack, options: Value) -> String {
    let key = uuid::Uuid::new_v4().to_string();
    let body = json!({"upload": true, "options": options});
    let answer = stack.post(ORGANISER, &key, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let opened = answer.json();
    assert_eq!(opened["status"], "receiving");
    let id = opened["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/v1/sends/{id}"));
    let again = stack.post(ORGANISER, &key, body.to_string()).await;
    assert_eq!(again.json()["id"], opened["id"], "the same key is the same send");
    id
}

pub(crate) async fn post(
    stack: &TestStack,
    organisation: &str,
    path: &str,
    body: Vec<u8>,
    gzip: bool,
) -> Answer {
    let token = stack.token(organisation, ALL_SCOPES).await;
    let mut request =
        stack.call(Method::POST, path).bearer_auth(token).header("content-type", "application/json");
    let mut content = body;
    if gzip {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&content).unwrap();
        content = packed.finish().unwrap();
        request = request.header("content-encoding", "gzip");
    }
    stack.request(request.body(content)).await
}

pub(crate) async fn put_as(stack: &TestStack, organisation: &str, id: &str, part: &Value) -> Answer {
    let gzip = part["part"].as_u64().unwrap().is_multiple_of(2);
    let path = format!("/v1/sends/{id}/records");
    post(stack, organisation, &path, part.to_string().into_bytes(), gzip).await
}

pub(crate) async fn put(stack: &TestStack, id: &str, part: &Value) -> Answer {
    put_as(stack, ORGANISER, id, part).await
}

pub(crate) async fn submit_as(stack: &TestStack, organisation: &str, id: &str, parts: u32) -> Answer {
    let body = json!({"parts": parts}).to_string().into_bytes();
    post(stack, organisation, &format!("/v1/sends/{id}/submit"), body, false).await
}

pub(crate) async fn submit(stack: &TestStack, id: &str, parts: u32) -> Answer {
    submit_as(stack, ORGANISER, id, parts).await
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_send_in_parts_is_the_send_that_it_would_be_in_one() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 700, teachers: 4, groups: 3, series: 90 });
    let persons = body["persons"].as_array().unwrap();
    let id = open(&stack, json!({})).await;
    // Out of order, and what refers before what it refers to.
    let activities = json!({"part": 3, "activities": body["activities"], "groups": body["groups"]});
    assert_eq!(put(&stack, &id, &activities).await.status, StatusCode::OK);
    let wrong = json!({"part": 1, "persons": persons[..100]});
    assert_eq!(put(&stack, &id, &wrong).await.json()["persons"], 100);
    let staff = json!({"part": 4, "persons": persons[600..]});
    assert_eq!(put(&stack, &id, &staff).await.status, StatusCode::OK);

    // Submitted too early: what is missing is named, and nothing is lost.
    let early = submit(&stack, &id, 3).await;
    assert_eq!((early.status.as_u16(), &early.json()["type"]), (422, &json!("urn:stafett:problem:parts")));
    assert!(
        early.json()["detail"]
            .as_str()
            .unwrap()
            .contains("not come: 2. Send them. Parts beyond the number given: 4")
    );
    // Until it is accepted, its own address shows what is there, and no list has it.
    let open = stack.get(&format!("/v1/sends/{id}")).await;
    assert_eq!((&open["status"], &open["acceptedAt"]), (&json!("receiving"), &Value::Null));
    let part = |part, persons, groups| json!({"part": part, "persons": persons, "duties": 0, "groups": groups, "activities": groups});
    assert_eq!(open["parts"], json!([part(1, 100, 0), part(3, 0, 3), part(4, 104, 0)]));
    assert_eq!(
        (counts(&open, "users"), &open["activityCount"]),
        ("total 204, pending 204".into(), &json!(3))
    );
    assert!(open["submitBefore"].is_string(), "{open}");
    assert_eq!(stack.get("/v1/sends").await["items"], json!([]));
    assert_eq!(stack.get("/v1/jobs").await["items"], json!([]));
    assert_eq!(stack.get_as("5560000001", ALL_SCOPES, &format!("/v1/sends/{id}")).await.status, 404);

    // A repeat takes the place of the first, of which nothing is left.
    let bodies = async || {
        let all = keys(&stack).await.into_iter();
        all.filter(|(pk, _)| pk.contains(&id) && pk.ends_with("#part#00001")).collect::<Vec<_>>()
    };
    let first = bodies().await;
    assert_eq!(first.len(), 1);
    let right = json!({"part": 1, "persons": persons[..600]});
    assert_eq!(put(&stack, &id, &right).await.json()["persons"], 600);
    assert!(!bodies().await.contains(&first[0]));
    let duties = json!({"part": 2, "duties": body["duties"]});
    assert_eq!(put(&stack, &id, &duties).await.status, StatusCode::OK);
    let accepted = submit(&stack, &id, 4).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", accepted.text);
    assert_eq!(accepted.headers["location"], format!("/v1/sends/{id}"));
    let again = submit(&stack, &id, 4).await;
    assert_eq!((again.status, &again.json()["id"]), (StatusCode::ACCEPTED, &json!(id)));
    let late = put(&stack, &id, &duties).await;
    assert_eq!((late.status.as_u16(), &late.json()["type"]), (409, &json!("urn:stafett:problem:submitted")));

    let in_parts = stack.ended(&id).await;
    assert_eq!(statuses(&in_parts), ["succeeded"; 4], "{in_parts}");
    let stored = |kind| stack.skolverket.stored(ORGANISER, kind).len();
    assert_eq!([Kind::Persons, Kind::Duties, Kind::Groups, Kind::Activities].map(stored), [704, 4, 3, 3]);

    // The same in one request: every row, every count, every activity reads alike.
    let whole = stack.send(&body).await;
    let in_one = stack.ended(&whole).await;
    for stage in ["users", "duties", "groups", "activities"] {
        assert_eq!(counts(&in_parts, stage), counts(&in_one, stage));
        let mut rows = [Vec::new(), Vec::new()];
        for (id, rows) in [&id, &whole].into_iter().zip(&mut rows) {
            let mut path = format!("/v1/sends/{id}/jobs/{stage}/records?limit=100");
            loop {
                let page = stack.get(&path).await;
                for mut row in page["items"].as_array().unwrap().clone() {
                    // Created the first time, updated the second.
                    row["statusCode"] = Value::Null;
                    rows.push(row.to_string());
                }
                let Some(cursor) = page["nextCursor"].as_str() else { break };
                path = format!("/v1/sends/{id}/jobs/{stage}/records?limit=100&cursor={cursor}");
            }
            rows.sort();
        }
        assert_eq!(rows[0], rows[1], "{stage}");
    }
    assert_eq!(
        (&in_parts["activities"], &in_parts["activityCount"]),
        (&in_one["activities"], &in_one["activityCount"])
    );
    let person = record_id(&body, "persons", 0);
    let shown = stack.get(&format!("/v1/sends/{id}/jobs/users/records/{person}")).await;
    assert_eq!(shown["sent"]["familyName"], body["persons"][0]["familyName"]);
    let attempt = first_attempt(&stack, &id, "users").await;
    let call = stack.get(&format!("/v1/sends/{id}/jobs/users/attempts/{attempt}")).await;
    assert!(call["request"]["data"].as_array().unwrap().len() > 1, "{call}");
    stack.finish(0).await;
}

#[tokio::test]
async fn faults_over_several_parts_are_reported_at_submit_and_can_be_corrected() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 4, teachers: 1, groups: 1, series: 91 });
    let id = open(&stack, json!({"onRecordErrors": "continue"})).await;
    // A person twice, a duty of nobody, and no activity.
    let twice = json!({"part": 1, "persons": body["persons"]});
    let first = json!({"part": 2, "persons": [body["persons"][1]], "duties": body["duties"]});
    let groups = json!({"part": 3, "groups": body["groups"]});
    for part in [&twice, &first, &groups] {
        assert_eq!(put(&stack, &id, part).await.status, StatusCode::OK);
    }
    let refused = submit(&stack, &id, 3).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert_eq!(pointers(&refused.json()), ["/parts/2/persons/0/id", "/activities"]);
    let corrected = json!({"part": 2, "duties": body["duties"], "activities": body["activities"]});
    assert_eq!(put(&stack, &id, &corrected).await.status, StatusCode::OK);
    assert_eq!(submit(&stack, &id, 3).await.status, StatusCode::ACCEPTED);
    let ended = stack.ended(&id).await;
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(ended["options"]["onRecordErrors"], "continue");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_part_is_refused_as_a_request_is() {
    let stack = TestStack::start().await;
    let id = open(&stack, json!({})).await;
    let path = format!("/v1/sends/{id}/records");
    let reported = async |organisation: &str, path: &str, body: Vec<u8>, gzip| {
        let answer = post(&stack, organisation, path, body, gzip).await;
        (answer.status.as_u16(), answer.json()["type"].as_str().unwrap().to_owned())
    };
    let problem = |status: u16, kind: &str| (status, format!("urn:stafett:problem:{kind}"));
    assert_eq!(reported(ORGANISER, &path, b"{".to_vec(), false).await, problem(400, "not-readable"));
    assert_eq!(
        reported(ORGANISER, &path, b"{\"persons\": []}".to_vec(), false).await,
        problem(422, "invalid-send")
    );
    assert_eq!(
        reported(ORGANISER, &path, b"{\"part\": 0}".to_vec(), false).await,
        problem(422, "invalid-send")
    );
    let large = format!("{{\"part\": 1, \"persons\": [{}]}}", " ".repeat(4_000_000)).into_bytes();
    assert_eq!(reported(ORGANISER, &path, large.clone(), false).await, problem(413, "too-large"));
    assert_eq!(reported(ORGANISER, &path, large, true).await, problem(413, "too-large"));
    // Another organiser's, and none.
    assert_eq!(
        reported("5560000001", &path, b"{\"part\": 1}".to_vec(), false).await,
        problem(404, "not-found")
    );
    let nothing = format!("/v1/sends/{}/submit", uuid::Uuid::new_v4());
    assert_eq!(
        reported(ORGANISER, &nothing, b"{\"parts\": 1}".to_vec(), false).await,
        problem(404, "not-found")
    );
    // A send that was made in one request takes no parts.
    let plain = stack.send(&crate::people::class(92)).await;
    let of_plain = format!("/v1/sends/{plain}/records");
    assert_eq!(
        reported(ORGANISER, &of_plain, b"{\"part\": 1}".to_vec(), false).await,
        problem(404, "not-found")
    );
    stack.ended(&plain).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn a_send_that_is_never_submitted_is_removed() {
    let skolverket = Simulator::start(limits()).await.unwrap();
    let stack = TestStack::start_with(skolverket, &["--set", "UPLOAD_OPEN_MS=2000"]).await;
    let id = open(&stack, json!({})).await;
    let body = send(Size { students: 4, teachers: 1, groups: 1, series: 93 });
    let part = json!({"part": 1, "persons": body["persons"]});
    assert_eq!(put(&stack, &id, &part).await.status, StatusCode::OK);
    stack
        .until("the send is gone", async || {
            (put(&stack, &id, &part).await.status == StatusCode::NOT_FOUND).then_some(())
        })
        .await;
    assert_eq!(submit(&stack, &id, 1).await.status, StatusCode::NOT_FOUND);
    stack
        .until("nothing of it is stored", async || {
            keys(&stack).await.iter().all(|(pk, _)| !pk.contains(&id)).then_some(())
        })
        .await;
    assert!(!stack.events("upload.discarded").is_empty());
    assert!(stack.skolverket.calls().iter().all(|call| call.call == CallKind::Other));
    stack.finish(0).await;
}

/// How often a send's rest, which is one body of each kind, is read before anything is written: duties twice, for who is
/// where and for themselves, activities likewise, groups once. The first time is before the persons.
const READS_OF_THE_REST: usize = 5;

/// A send whose persons come in so many parts; the rest is one more. Gives its id.
async fn in_parts(stack: &TestStack, series: u16, parts: usize) -> String {
    let mut whole = send(Size { students: 11, teachers: 1, groups: 1, series });
    let persons = whole["persons"].take();
    let id = open(stack, json!({})).await;
    for (index, persons) in persons.as_array().unwrap().chunks(12 / parts).enumerate() {
        assert_eq!(put(stack, &id, &json!({"part": index + 1, "persons": persons})).await.status, 200);
    }
    let Value::Object(mut rest) = whole else { panic!("no send") };
    rest.remove("persons");
    rest.insert("part".to_owned(), json!(parts + 1));
    assert_eq!(put(stack, &id, &rest.into()).await.status, 200);
    id
}

/// Body reads of 60,000 persons one after another would take most of what the API has for an answer.
#[tokio::test]
async fn a_submit_reads_bodies_side_by_side() {
    let stack = TestStack::start().await;
    let is_read = |call: &&Value| call["function"] == "api" && call["call"] == "dynamodb.GetItem";
    // Of a send with one body of persons: how many items are read before any body is.
    let few = in_parts(&stack, 130, 1).await;
    stack.put_faults(ORGANISER, &json!([])).await;
    assert_eq!(submit(&stack, &few, 2).await.status, 202);
    let calls = stack.calls(ORGANISER).await;
    let reads = ["dynamodb.GetItem", "dynamodb.Query"];
    let of_api = calls.iter().filter(|call| call["function"] == "api");
    let reading = of_api.take_while(|call| reads.contains(&call["call"].as_str().unwrap()));
    let before = reading.filter(is_read).count() - READS_OF_THE_REST - 1;
    assert_eq!(stack.ended(&few).await["status"], "succeeded");
    // While the first body of persons is held, the others are asked for.
    let many = in_parts(&stack, 131, 6).await;
    let first_of_persons = before + 2;
    let rule = json!({"function": "api", "call": "dynamodb.GetItem", "nth": first_of_persons, "fault": "holdBefore"});
    stack.put_faults(ORGANISER, &json!([rule])).await;
    let (accepted, ()) = tokio::join!(submit(&stack, &many, 7), async {
        stack
            .until("the other five are asked for", async || {
                let calls = stack.calls(ORGANISER).await;
                (calls.iter().filter(is_read).count() == first_of_persons + 5).then_some(())
            })
            .await;
        stack.put_faults(ORGANISER, &json!([])).await;
    });
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    for id in [few, many] {
        let ended = stack.ended(&id).await;
        assert_eq!(counts(&ended, "users"), "total 12, success 12");
    }
    stack.finish(0).await;
}
