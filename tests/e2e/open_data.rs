//! Sends held against Skolverket's public registers: the Open-data API of the simulator.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::{CallKind, Fault, FaultTarget, ScriptedOutcome, Simulator};
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, limits};

/// A machine that does much else answers late; nothing here waits for so long.
const PATIENT: [&str; 4] = ["--set", "OPEN_DATA_TIMEOUT_MS=20000", "--set", "OPEN_DATA_WAIT_MS=25000"];
/// Nothing is cached, and there is no pause after a failure: every send queries the registers again.
const FORGETFUL: [&str; 4] = ["--set", "OPEN_DATA_KEEP_MS=1", "--set", "OPEN_DATA_RETRY_MS=1"];
/// Codes that the simulator's registers do not have.
const NO_UNIT: &str = "00000000";
const NO_TEST: &str = "GRGRNIX01_6";

async fn start(arguments: &[&str]) -> TestStack {
    let skolverket = Simulator::start(limits()).await.unwrap();
    TestStack::start_with(skolverket, &[&PATIENT, arguments].concat()).await
}

fn with(series: u16, change: impl FnOnce(&mut Value)) -> Value {
    let mut body = class(series);
    change(&mut body);
    body
}

/// Code, rule and pointer of all that a refusal says.
fn errors(answer: &Answer) -> Vec<(String, u64, String)> {
    let problem = answer.json();
    assert_eq!(answer.status.as_u16(), 422, "{problem}");
    assert_eq!(problem["type"], "urn:stafett:problem:invalid-send");
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            assert!(error["en"].as_str() != error["sv"].as_str(), "{error}");
            let text =
                |name: &str| error[name].as_str().unwrap_or_else(|| panic!("no {name}: {error}")).to_owned();
            (text("code"), error["rule"].as_u64().unwrap(), text("pointer"))
        })
        .collect()
}

fn error(code: &str, rule: u64, pointer: &str) -> (String, u64, String) {
    (code.to_owned(), rule, pointer.to_owned())
}

fn not_checked(send: &Value) -> Vec<&str> {
    let not_checked = send["validation"]["notChecked"].as_array().unwrap_or_else(|| panic!("{send}"));
    for register in not_checked {
        assert!(register["en"].as_str().is_some_and(|text| !text.is_empty()), "{register}");
        assert!(register["sv"].as_str().is_some_and(|text| !text.is_empty()), "{register}");
    }
    not_checked.iter().map(|register| register["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_the_registers_contradict_refuses_a_send() {
    let stack = start(&[]).await;
    let post = async |body: &Value| stack.post(ORGANISER, "a key", body.to_string()).await;

    let unknown = with(700, |body| body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": NO_UNIT}));
    assert_eq!(errors(&post(&unknown).await), [error("schoolUnitUnknown", 3, "/duties/1/dutyAt")]);

    // The unit of another organiser, by its id.
    let id = uuid::Uuid::new_v5(&uuid::Uuid::nil(), b"45678902");
    let others = with(700, |body| body["groups"][0]["organisation"] = json!({"id": id}));
    assert_eq!(errors(&post(&others).await), [error("schoolUnitOfAnother", 3, "/groups/0/organisation")]);
    // It is that organiser's own.
    let answer = stack.post("2120000142", "a key", others.to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    stack.ended_as("2120000142", answer.json()["id"].as_str().unwrap()).await;

    let gy_only = with(700, |body| {
        body["persons"][2]["enrolments"][0]["enroledAt"] = json!({"schoolUnitCode": "31279303"});
    });
    let at = "/persons/2/enrolments/0/schoolType";
    assert!(errors(&post(&gy_only).await).contains(&error("schoolTypeNotOffered", 9, at)));

    let no_test = with(700, |body| body["activities"][0]["parentActivity"] = json!({"testCode": NO_TEST}));
    assert_eq!(errors(&post(&no_test).await), [error("testUnknown", 3, "/activities/0/parentActivity")]);

    for (code, expected) in [("NIX", "educationCodeUnknown"), ("XXKOM", "educationCodeToCome")] {
        let path = with(700, |body| {
            let student = &mut body["persons"][0]["enrolments"][0];
            (student["schoolType"], student["educationCode"]) = (json!("GY"), json!(code));
        });
        let at = "/persons/0/enrolments/0/educationCode";
        assert!(errors(&post(&path).await).contains(&error(expected, 9, at)));
    }

    // Nothing was stored, and the key is as good as new.
    assert_eq!(stack.get("/v1/sends").await["items"], json!([]));
    let good = class(700);
    let answer = post(&good).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let send = answer.json();
    assert_eq!(send["validation"]["errors"], 0, "{send}");
    assert_eq!(not_checked(&send), [""; 0]);
    stack.ended(send["id"].as_str().unwrap()).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn a_sender_may_leave_it_to_skolverket() {
    let stack = start(&[]).await;
    let body = with(701, |body| {
        body["options"] = json!({"validation": "warnOnly"});
        body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": NO_UNIT});
    });
    let id = stack.send(&body).await;
    let send = stack.get(&format!("/v1/sends/{id}")).await;
    let rules = send["validation"]["rules"].as_array().unwrap();
    let found =
        rules.iter().find(|rule| rule["code"] == "schoolUnitUnknown").unwrap_or_else(|| panic!("{send}"));
    assert_eq!((&found["count"], &found["rule"]), (&json!(1), &json!(3)));
    stack.ended(&id).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn registers_that_do_not_answer_keep_no_send_back() {
    let stack = start(&FORGETFUL).await;
    let expected = ["schoolUnits", "testActivities"];
    let target = || FaultTarget::calls(CallKind::OpenData);
    for (series, fault) in (710..).zip([
        Fault::ServerError,
        Fault::Unavailable,
        Fault::RateLimited { reset: Some(0.01) },
        Fault::Html(200),
        // An address that is wrong, not a school unit that is unknown.
        Fault::Html(404),
        Fault::CutBefore,
        Fault::CutOffBody,
        Fault::Status(302),
    ]) {
        stack.skolverket.clear_faults();
        stack.skolverket.fault(target(), u32::MAX, fault);
        let body = with(series, |body| body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": NO_UNIT}));
        let id = stack.send(&body).await;
        let send = stack.get(&format!("/v1/sends/{id}")).await;
        assert_eq!(not_checked(&send), expected, "{fault:?}: {send}");
        assert_eq!(send["validation"]["errors"], 0, "{fault:?}");
        stack.ended(&id).await;
    }
    // They answer again: the same is refused.
    stack.skolverket.clear_faults();
    let body = with(720, |body| body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": NO_UNIT}));
    let answer = stack.post(ORGANISER, "again", body.to_string()).await;
    assert_eq!(errors(&answer), [error("schoolUnitUnknown", 3, "/duties/1/dutyAt")]);
    stack.finish(0).await;
}

#[tokio::test]
async fn slow_and_absent_registers_keep_no_send_back() {
    // Slow: the answer comes long after nobody waits for it any more.
    let skolverket = Simulator::start(limits()).await.unwrap();
    skolverket.fault(FaultTarget::calls(CallKind::OpenData), u32::MAX, Fault::Slow(Duration::from_secs(600)));
    let stack = TestStack::start_with(skolverket, &["--set", "OPEN_DATA_TIMEOUT_MS=200"]).await;
    let id = stack.send(&class(730)).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded");
    assert_eq!(not_checked(&send), ["schoolUnits", "testActivities"]);
    stack.finish(0).await;

    // Absent: nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}/open-data/v1", listener.local_addr().unwrap());
    drop(listener);
    let stack = TestStack::start_alone(&["--open-data-url", &nowhere]).await;
    let id = stack.send(&class(731)).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded");
    assert_eq!(not_checked(&send), ["schoolUnits", "testActivities"]);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_repeat_is_answered_as_before_though_the_registers_have_changed_their_mind() {
    let stack = start(&FORGETFUL).await;
    stack.skolverket.fault(FaultTarget::calls(CallKind::OpenData), u32::MAX, Fault::ServerError);
    let body = with(735, |body| body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": NO_UNIT})).to_string();
    let first = stack.post(ORGANISER, "pressed twice", body.clone()).await;
    assert_eq!(first.status, 202, "{}", first.text);
    stack.skolverket.clear_faults();
    let again = stack.post(ORGANISER, "pressed twice", body.clone()).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(stack.post(ORGANISER, "pressed anew", body).await.status, 422);
    stack.ended(first.json()["id"].as_str().unwrap()).await;

    // A resume with a corrected record likewise.
    let body = class(736);
    let student = record_id(&body, "persons", 0);
    stack.skolverket.script(student, ScriptedOutcome::error("givenName"));
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "failed");
    stack.skolverket.unscript(student);
    let mut corrected = body["persons"][0].clone();
    corrected["enrolments"][0]["enroledAt"] = json!({"schoolUnitCode": NO_UNIT});
    let corrections = json!({"persons": [corrected]});
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let resume = async |key: &str| {
        let request = stack.call(Method::POST, &format!("/v1/sends/{id}/resume")).bearer_auth(&token);
        stack.request(request.header("idempotency-key", key).json(&corrections)).await
    };
    stack.skolverket.fault(FaultTarget::calls(CallKind::OpenData), u32::MAX, Fault::ServerError);
    let first = resume("resumed twice").await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(not_checked(&first.json()), ["schoolUnits"]);
    stack.skolverket.clear_faults();
    let again = resume("resumed twice").await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    stack.ended(first.json()["id"].as_str().unwrap()).await;
    assert_eq!(errors(&resume("resumed anew").await)[0].0, "schoolUnitUnknown");
    stack.finish(0).await;
}

async fn validate(stack: &TestStack, body: &Value) -> Value {
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let request = stack.call(Method::POST, "/v1/validations").bearer_auth(token).json(body);
    let answer = stack.request(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Code, severity, rule, mender, how many and the first pointer of what a validation says about the registers.
fn rules(validation: &Value) -> Vec<Value> {
    let of_registers = ["schoolUnit", "schoolType", "schoolYearNotOffered", "educationCode", "test"];
    let rules = validation["rules"].as_array().unwrap().iter();
    let rules = rules.filter(|rule| {
        let code = rule["code"].as_str().unwrap();
        code != "schoolUnitWithoutLeader" && of_registers.iter().any(|start| code.starts_with(start))
    });
    let shown = |rule: &Value| {
        let [code, severity, of, mender, count] =
            ["code", "severity", "rule", "mender", "count"].map(|name| rule[name].clone());
        json!([code, severity, of, mender, count, rule["findings"][0]["pointer"]])
    };
    rules.map(shown).collect()
}

#[tokio::test]
async fn a_validation_says_all_that_the_registers_contradict() {
    let stack = start(&[]).await;
    let body = with(760, |body| {
        let unit = |code: &str| json!({"schoolUnitCode": code});
        body["activities"][0]["parentActivity"] = json!({"testCode": NO_TEST});
        body["duties"][0]["dutyAt"] = unit(NO_UNIT);
        body["duties"][1]["dutyAt"] = unit("45678902");
        let mut enrol = |at: usize, code: &str, year: u8, school_type: &str, path: Option<&str>| {
            let enrolment = &mut body["persons"][at]["enrolments"][0];
            *enrolment = json!({"enroledAt": unit(code), "schoolYear": year, "schoolType": school_type});
            if let Some(path) = path {
                enrolment["educationCode"] = json!(path);
            }
        };
        enrol(0, "31279303", 6, "GR", None);
        enrol(1, "31279311", 6, "GR", None);
        enrol(2, "31279311", 10, "GR", None);
        enrol(3, "31279303", 1, "GY", Some("NIX"));
        enrol(4, "31279303", 1, "GY", Some("XXKOM"));
        enrol(5, "31279303", 1, "GY", Some("XXUPP"));
    });
    let validation = validate(&stack, &body).await;
    assert_eq!((&validation["valid"], &validation["notChecked"]), (&json!(false), &json!([])));
    let mut reported = rules(&validation);
    reported.sort_unstable_by_key(ToString::to_string);
    let year = "/persons/2/enrolments/0/schoolYear";
    let path = |student: u32| format!("/persons/{student}/enrolments/0/educationCode");
    assert_eq!(
        reported,
        [
            json!(["educationCodeOutOfUse", "warning", 9, "studentRegister", 1, path(5)]),
            json!(["educationCodeToCome", "error", 9, "studentRegister", 1, path(4)]),
            json!(["educationCodeUnknown", "error", 9, "studentRegister", 1, path(3)]),
            json!([
                "schoolTypeNotOffered",
                "error",
                9,
                "studentRegister",
                1,
                "/persons/0/enrolments/0/schoolType"
            ]),
            json!(["schoolUnitOfAnother", "error", 3, "schoolUnitRegister", 1, "/duties/1/dutyAt"]),
            json!([
                "schoolUnitOutOfUse",
                "warning",
                3,
                "schoolUnitRegister",
                2,
                "/persons/1/enrolments/0/enroledAt"
            ]),
            json!(["schoolUnitUnknown", "error", 3, "studentRegister", 1, "/duties/0/dutyAt"]),
            json!(["schoolYearNotOffered", "warning", 9, "studentRegister", 1, year]),
            json!(["testUnknown", "error", 3, "thisSystem", 1, "/activities/0/parentActivity"]),
        ]
    );
    // What a test or a study path is called is nobody's business in an address.
    let calls = stack.skolverket.open_data_calls();
    assert!(calls.iter().all(|call| !call.path.contains("NIX")), "{calls:?}");
    stack.finish(0).await;
}

#[tokio::test]
async fn answers_are_cached_and_failed_look_ups_pause() {
    let stack = start(&["--set", "OPEN_DATA_RETRY_MS=600000"]).await;
    let paths = || {
        let calls = stack.skolverket.open_data_calls();
        let mut paths: Vec<_> = calls.into_iter().map(|call| call.path).collect();
        paths.sort_unstable();
        paths
    };
    // One after another: the same process takes them. However many records name something, it is asked for once.
    let body = with(740, |body| {
        for duty in body["duties"].as_array_mut().unwrap() {
            duty["dutyAt"] = json!({"schoolUnitCode": NO_UNIT});
        }
    });
    let first = validate(&stack, &body).await;
    assert_eq!(rules(&first)[0][4], 2);
    for _ in 0..4 {
        assert_eq!(validate(&stack, &body).await, first);
    }
    let unit = uuid::Uuid::new_v5(&uuid::Uuid::nil(), NO_UNIT.as_bytes());
    let asked = [
        "/open-data/v1/activities".to_owned(),
        "/open-data/v1/organisations/code/5567044268".to_owned(),
        format!("/open-data/v1/schoolUnits/{unit}"),
    ];
    assert_eq!(paths(), asked);

    // Study paths have not been asked for yet. One fault, and nobody waits for the registers for a while.
    stack.skolverket.fault(FaultTarget::calls(CallKind::OpenData), 1, Fault::ServerError);
    let body = with(741, |body| {
        let enrolment = &mut body["persons"][0]["enrolments"][0];
        (enrolment["schoolType"], enrolment["educationCode"]) = (json!("GY"), json!("EKJURV"));
    });
    for _ in 0..3 {
        let validation = validate(&stack, &body).await;
        assert_eq!(validation["notChecked"][0]["what"], "programmes", "{validation}");
        assert_eq!(validation["notChecked"].as_array().unwrap().len(), 1);
    }
    assert_eq!(paths().len(), asked.len() + 1);
    stack.finish(0).await;
}

#[tokio::test]
async fn an_upload_is_held_against_the_registers_when_it_is_submitted() {
    let stack = start(&[]).await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let post = async |path: &str, body: &Value| {
        let request = stack.call(Method::POST, path).bearer_auth(&token).json(body);
        stack.request(request.header("idempotency-key", path)).await
    };
    let opened = post("/v1/sends", &json!({"upload": true})).await.json();
    let send = format!("/v1/sends/{}", opened["id"].as_str().unwrap());
    let mut part = with(750, |body| body["activities"][0]["parentActivity"] = json!({"testCode": NO_TEST}));
    part["part"] = json!(1);
    let answer = post(&format!("{send}/records"), &part).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(stack.skolverket.open_data_calls().is_empty(), "a part is only stored");
    let answer = post(&format!("{send}/submit"), &json!({"parts": 1})).await;
    let expected = error("testUnknown", 3, "/parts/1/activities/0/parentActivity");
    assert_eq!(errors(&answer), [expected]);

    part["activities"][0]["parentActivity"] = json!({"testCode": "GRGRBIO01_6"});
    assert_eq!(post(&format!("{send}/records"), &part).await.status, 200);
    let answer = post(&format!("{send}/submit"), &json!({"parts": 1})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(not_checked(&answer.json()), [""; 0]);
    stack.ended(opened["id"].as_str().unwrap()).await;
    stack.finish(0).await;
}
