//! What Skolverket's answers mean, and which records have the same cause.

use serde_json::{Value, json};
use stafett_simulator::{Log, ScriptedOutcome, Simulator};

use crate::people::{Size, class, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, first_attempt, job, limits};

/// Asserts that there is guidance in both languages, and who can fix it.
pub(crate) fn assert_guides(guidance: &Value, who: &str) {
    for text in ["/meaning/sv", "/meaning/en", "/action/sv", "/action/en"] {
        assert!(
            guidance.pointer(text).and_then(Value::as_str).is_some_and(|text| !text.is_empty()),
            "{guidance}"
        );
    }
    assert_eq!(guidance["who"], who, "{guidance}");
}

/// Causes as `count outcome severity id attribute`.
fn summary(job: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let summary = |cause: &Value| {
        let words = ["outcome", "severity", "id", "attribute"].map(|name| word(&cause[name]));
        format!("{} {}", cause["count"], words.join(" "))
    };
    job["causes"].as_array().unwrap().iter().map(summary).collect()
}

#[tokio::test]
async fn fourteen_students_have_one_cause() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 20, teachers: 2, groups: 1, series: 46 });
    for index in 0..14 {
        let text = format!("Värdet Hemlig{index} godtas inte.");
        let log = Log::new("2011", 400, "Ogiltigt format", text)
            .attribute("Enrolment.schoolYear", format!("Hemlig{index}"));
        stack.skolverket.script(record_id(&body, "persons", index), ScriptedOutcome::Error(log));
    }
    let unheard_of =
        Log::new("9999", 400, "Kategori Ny", "Något nytt om Hemlig98.").attribute("nymodighet", "Hemlig98");
    for index in [15, 16] {
        stack
            .skolverket
            .script(record_id(&body, "persons", index), ScriptedOutcome::Error(unheard_of.clone()));
    }
    stack.skolverket.script(record_id(&body, "persons", 17), ScriptedOutcome::warning());
    let id = stack.send(&body).await;
    let ended = stack.ended(&id).await;
    assert_guides(&job(&ended, "users")["reason"]["guidance"], "studentRegister");
    assert_guides(&job(&ended, "duties")["reason"]["guidance"], "thisSystem");

    let path = format!("/v1/sends/{id}/jobs/users");
    let users = stack.get(&path).await;
    let expected =
        ["14 error error 2011 Enrolment.schoolYear", "2 error error 9999 -", "1 warning warning 3047 eppn"];
    assert_eq!((summary(&users), &users["causeCount"]), (expected.map(str::to_owned).to_vec(), &json!(3)));
    assert_eq!((&users["status"], &users["counts"]["error"]), (&json!("failed"), &json!(16)));
    let year = &users["causes"][0];
    assert_guides(&year["guidance"], "studentRegister");
    assert!(year["guidance"]["meaning"]["en"].as_str().unwrap().contains("school year"), "{year}");
    assert_eq!(year["message"], "Värdet Hemlig0 godtas inte.");
    let first: Vec<_> = (0..10).map(|index| body["persons"][index]["id"].clone()).collect();
    assert_eq!(year["firstRecordIds"], json!(first));
    assert_guides(&users["causes"][1]["guidance"], "operator");
    assert_eq!(users["causes"][1]["message"], "Något nytt om Hemlig98.");
    assert_guides(&users["causes"][2]["guidance"], "identityProvider");

    // The jobs after it have a cause too, with our own texts.
    let duties = stack.get(&format!("/v1/sends/{id}/jobs/duties")).await;
    assert_eq!(summary(&duties), ["2 notSent error - -"]);
    assert_guides(&duties["causes"][0]["guidance"], "thisSystem");
    assert_eq!(
        duties["causes"][0]["firstRecordIds"],
        json!([body["duties"][0]["id"], body["duties"][1]["id"]])
    );
    let row = &stack.get(&format!("/v1/sends/{id}/jobs/duties/records?limit=1")).await["items"][0];
    assert_eq!(row["guidance"], duties["causes"][0]["guidance"]);

    // And each record by itself.
    let record = &body["persons"][3]["id"].as_str().unwrap();
    let whole = stack.get(&format!("{path}/records/{record}")).await;
    assert_eq!(whole["messages"][0]["guidance"], year["guidance"]);
    assert_eq!((&whole["messages"][0]["id"], whole.get("guidance")), (&json!("2011"), None));

    // Those who may not see personal data get the catalogue's words instead of Skolverket's.
    let read = async |path: &str| stack.get_as(ORGANISER, "history:read", path).await;
    let masked = read(&path).await;
    assert!(!masked.text.contains("Hemlig"), "{}", masked.text);
    let masked = masked.json();
    assert_eq!((summary(&masked), &masked["causes"][0]["message"]), (summary(&users), &Value::Null));
    assert_eq!(masked["causes"][0]["guidance"], year["guidance"]);
    let rows = read(&format!("{path}/records?outcome=error")).await;
    assert!(!rows.text.contains("Hemlig"), "{}", rows.text);
    assert_eq!(rows.json()["items"][0]["messages"][0]["guidance"], year["guidance"]);
    stack.finish(0).await;
}

#[tokio::test]
async fn what_was_left_out_because_of_others_has_a_cause_and_what_went_well_has_none() {
    let stack = TestStack::start().await;
    let mut body = send(Size { students: 4, teachers: 3, groups: 1, series: 47 });
    body["options"] = json!({"onRecordErrors": "continue"});
    stack
        .skolverket
        .script(record_id(&body, "persons", 4), ScriptedOutcome::error("eduPersonPrincipalNames"));
    stack.skolverket.script(record_id(&body, "persons", 0), ScriptedOutcome::error("civicNo"));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "completedWithErrors");
    let causes = async |stage: &str| {
        let job = stack.get(&format!("/v1/sends/{id}/jobs/{stage}")).await;
        (summary(&job), job["causes"].clone())
    };
    assert_eq!(causes("users").await.0.len(), 2);
    let (summaries, duties) = causes("duties").await;
    assert_eq!(summaries, ["1 skipped error - -"]);
    assert_guides(&duties[0]["guidance"], "thisSystem");
    assert_eq!(duties[0]["firstRecordIds"], json!([body["duties"][0]["id"]]));
    let (summaries, groups) = causes("groups").await;
    assert_eq!(summaries, ["1 warning warning 4001 groupMemberships"]);
    assert_guides(&groups[0]["guidance"], "studentRegister");
    // An accepted activity that went without a teacher.
    let (summaries, activities) = causes("activities").await;
    assert_eq!(summaries, ["1 success warning - -"]);
    assert_eq!(activities[0]["firstRecordIds"], json!([body["activities"][0]["id"]]));

    let whole = stack.send(&send(Size { students: 3, teachers: 1, groups: 1, series: 48 })).await;
    assert_eq!(stack.ended(&whole).await["status"], "succeeded");
    for stage in ["users", "activities"] {
        let job = stack.get(&format!("/v1/sends/{whole}/jobs/{stage}")).await;
        assert_eq!((&job["causes"], &job["causeCount"]), (&json!([]), &json!(0)));
    }
    stack.finish(0).await;
}

/// Several batches; one of them with more kinds of causes than its state keeps.
#[tokio::test]
async fn a_job_of_many_batches_is_shown_from_their_states() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 1800, teachers: 1, groups: 2, series: 49 });
    for index in (0..1800).step_by(100) {
        stack.skolverket.script(record_id(&body, "persons", index), ScriptedOutcome::warning());
    }
    let attributes = ["givenName", "familyName", "emails", "securityMarking", "civicNo", "nationality"];
    for (index, attribute) in (1..).zip(attributes) {
        stack.skolverket.script(record_id(&body, "persons", index), ScriptedOutcome::error(attribute));
    }
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");
    let path = format!("/v1/sends/{id}/jobs/users");
    let batches = stack.get(&format!("{path}/attempts?limit=100")).await["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|attempt| attempt["call"] == "submit")
        .count();
    assert!(batches >= 3, "{batches} batches");
    let read = async || stack.local("/local/meter").await["api"]["readUnits"].as_f64().unwrap();
    let before = read().await;
    let users = stack.get(&path).await;
    let units = read().await - before;
    println!("causes of {batches} batches with 1800 records: {units} read units");
    assert_eq!(users["causeCount"], 7);
    assert_eq!(summary(&users)[0], "18 warning warning 3047 eppn");
    let first: Vec<_> = (0..10).map(|index| body["persons"][index * 100]["id"].clone()).collect();
    assert_eq!(users["causes"][0]["firstRecordIds"], json!(first));
    // One item a record would be a hundred units and more.
    assert!(units < 60.0, "{units} read units");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_reading_of_personal_data_is_noted_and_no_other() {
    let stack = TestStack::start().await;
    let body = send(Size { students: 5, teachers: 1, groups: 1, series: 51 });
    let refused = record_id(&body, "persons", 2);
    stack.skolverket.script(refused, ScriptedOutcome::error("eppn"));
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let job = format!("/v1/sends/{id}/jobs/users");
    let paths = [
        "/records?limit=4".to_owned(),
        format!("/records/{refused}"),
        format!("/attempts/{}", first_attempt(&stack, &id, "users").await),
        String::new(),
        "/attempts".to_owned(),
    ];
    let access = format!("/v1/sends/{id}/access");
    for scope in ["history:read", ALL_SCOPES] {
        for path in &paths {
            let answer = stack.get_as(ORGANISER, scope, &format!("{job}{path}")).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        }
        assert_eq!(stack.get_as(ORGANISER, scope, &access).await.status, 200);
    }
    let noted = stack.events("history.read");
    let seen: Vec<_> = noted.iter().map(|line| (line["route"].as_str().unwrap(), &line["records"])).collect();
    assert_eq!(
        seen,
        [
            ("records", &json!(4)),
            ("record", &json!(1)),
            ("attempt", &json!(6)),
            ("causes", &json!(1)),
            ("access", &json!(1))
        ]
    );
    for line in noted.iter().take(4) {
        assert_eq!(
            (&line["send"], &line["organisation"], &line["stage"]),
            (&json!(id), &json!(ORGANISER), &json!("users"))
        );
        // The local token's subject looks like an e-mail address, so it is not logged.
        assert!(line["subject"].as_str().unwrap().starts_with("sha256:"), "{line}");
    }
    assert!(!stack.log_text().contains("admin@local"));
    stack.finish(0).await;
}

#[tokio::test]
async fn readings_of_personal_data_are_noted_whatever_the_log_level() {
    let arguments = ["--set", "LOG_LEVEL=error"];
    let stack = TestStack::start_with(Simulator::start(limits()).await.unwrap(), &arguments).await;
    let id = stack.send(&class(783)).await;
    stack.ended(&id).await;
    stack.get(&format!("/v1/sends/{id}/jobs/users/records?limit=3")).await;
    let logs = stack.log_text();
    let lines = logs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events: Vec<_> =
        lines.filter_map(|line| Some((line.get("event")?.clone(), line["records"].clone()))).collect();
    assert_eq!(events, [(json!("history.read"), json!(3))]);
    stack.finish(0).await;
}
