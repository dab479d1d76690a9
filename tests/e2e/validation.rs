//! The rules for the data, through the API: what a validation says, what is refused, what is let through.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use stafett_simulator::CallKind;

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};

async fn validate_as(stack: &TestStack, scope: &str, body: &str) -> Answer {
    let token = stack.token(ORGANISER, scope).await;
    let request = stack.call(Method::POST, "/v1/validations").bearer_auth(token);
    stack.request(request.header("content-type", "application/json").body(body.to_owned())).await
}

async fn validate(stack: &TestStack, body: &Value) -> Value {
    let answer = validate_as(stack, ALL_SCOPES, &body.to_string()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// How many there are of each code, as `{rule} {code} {severity}`.
fn counts(validation: &Value) -> BTreeMap<String, u64> {
    let groups = validation["rules"].as_array().unwrap();
    let name = |group: &Value| {
        format!(
            "{} {} {}",
            group["rule"],
            group["code"].as_str().unwrap(),
            group["severity"].as_str().unwrap()
        )
    };
    groups.iter().map(|group| (name(group), group["count"].as_u64().unwrap())).collect()
}

/// The first finding of a code.
fn first<'a>(validation: &'a Value, code: &str) -> &'a Value {
    let groups = validation["rules"].as_array().unwrap();
    let group =
        groups.iter().find(|group| group["code"] == code).unwrap_or_else(|| panic!("{code}: {validation}"));
    &group["findings"][0]
}

/// A class with many faults of the marked persons, all of them of the kind that Skolverket may judge.
fn broken(series: u16) -> (Value, Vec<String>) {
    let mut body = class(series);
    let persons = body["persons"].as_array_mut().unwrap();
    let mut marks = Vec::new();
    for (number, person) in persons.iter_mut().enumerate() {
        person["givenName"] = json!(format!("Markgivet{number}x"));
        person["familyName"] = json!(format!("Markefter{number}x"));
        marks.extend([format!("Markgivet{number}x"), format!("Markefter{number}x")]);
    }
    let mut set = |person: usize, attribute: &str, value: &str| {
        let path = format!("/{person}{attribute}");
        *body["persons"].pointer_mut(&path).unwrap() = json!(value);
        marks.push(value.to_owned());
    };
    set(0, "/civicNo/value", "20140101-9806");
    set(1, "/civicNo/value", "201402309805");
    set(2, "/civicNo/value", "201401019809");
    set(3, "/eduPersonPrincipalNames/0", "markeppnutandomän");
    set(4, "/eduPersonPrincipalNames/0", "Delat77@edu.example.se");
    set(5, "/eduPersonPrincipalNames/0", "delat77@edu.example.se");
    set(6, "/emails/0/value", "markmail@example.se");
    body["persons"][6]["emails"][0]["type"] = json!("Privat");
    body["persons"][0]["enrolments"][0].as_object_mut().unwrap().remove("schoolYear");
    body["activities"][0]["parentActivity"]["testCode"] = json!("GRGRBIO01_9");
    (body, marks)
}

#[tokio::test]
async fn all_that_is_wrong_comes_grouped_and_nothing_is_stored() {
    let stack = TestStack::start().await;
    let (mut body, marks) = broken(120);
    // What could not even be sent.
    body["persons"][1]["enrolments"][0]["schoolType"] = json!("Markskolform");
    body["duties"][1]["person"]["id"] = json!("0190a1b2-0000-4000-8000-000000000000");
    body["groups"][0]["markattribut@edu.example.se"] = json!(true);

    let reported = validate(&stack, &body).await;
    assert_eq!(reported["valid"], false);
    let expected = [
        ("null unknownAttribute error", 1),
        ("2 missingReference error", 1),
        ("5 eppnForm error", 1),
        ("5 eppnShared error", 1),
        ("6 eppnShowsName warning", 1),
        ("7 civicNumberForm error", 1),
        ("7 civicNumberCheckDigit error", 1),
        ("8 emailType warning", 1),
        ("8 staffEmailMissing error", 1),
        ("9 notAllowed error", 1),
        ("9 schoolYearMissing error", 1),
        ("16 memberOfOtherSchoolYear warning", 4),
    ];
    assert_eq!(counts(&reported), expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert_eq!(reported["counts"], json!({"errors": 9, "warnings": 6}));
    let shared = first(&reported, "eppnShared");
    assert_eq!(shared["pointer"], "/persons/5/eduPersonPrincipalNames/0");
    assert_eq!(shared["recordId"], json!(record_id(&body, "persons", 5)));
    assert_eq!(shared["mender"], "identityProvider");
    for group in reported["rules"].as_array().unwrap() {
        assert_eq!(group["findings"].as_array().unwrap().len() as u64, group["count"].as_u64().unwrap());
        for text in [&group["en"], &group["sv"], &group["findings"][0]["en"], &group["findings"][0]["sv"]] {
            assert!(text.as_str().is_some_and(|text| text.len() > 20), "{group}");
        }
    }
    let mut unreported = reported.clone();
    unreported["accessPreview"] = Value::Null;
    for mark in marks.iter().map(String::as_str).chain(["Markskolform", "markattribut"]) {
        assert!(!unreported.to_string().contains(mark), "{mark} is quoted");
        assert!(!stack.log_text().contains(mark), "{mark} is in a log");
    }

    // More than a hundred of a kind are counted.
    let mut many = class(121);
    many["persons"][0]["emails"] = vec![json!({"value": "a@example.se", "type": "Privat"}); 105].into();
    let reported = validate(&stack, &many).await;
    assert_eq!((&reported["valid"], counts(&reported)["8 emailType warning"]), (&json!(true), 105));
    let emails =
        reported["rules"].as_array().unwrap().iter().find(|group| group["code"] == "emailType").unwrap();
    assert_eq!(emails["findings"].as_array().unwrap().len(), 100);

    // What cannot be read is refused as everywhere, and so is who may not send.
    for (scope, body, status, kind) in [
        (ALL_SCOPES, "{\"persons\": [", 400, "not-readable"),
        ("history:read history:personal", "{}", 403, "scope"),
    ] {
        let answer = validate_as(&stack, scope, body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.json()["type"], format!("urn:stafett:problem:{kind}"));
    }
    assert_eq!(stack.get("/v1/sends").await["items"], json!([]));
    assert!(stack.skolverket.calls().is_empty());
    stack.finish(0).await;
}

#[tokio::test]
async fn strict_refuses_what_warn_only_lets_through_and_shows() {
    let stack = TestStack::start().await;
    let (mut body, marks) = broken(122);
    let refused = stack.post(ORGANISER, "strict", body.to_string()).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    let problem = refused.json();
    assert_eq!(
        (&problem["type"], &problem["errorCount"]),
        (&json!("urn:stafett:problem:invalid-send"), &json!(7))
    );
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["severity"] == "error" && error["rule"].is_u64()), "{problem}");
    for mark in &marks {
        assert!(!refused.text.contains(mark.as_str()), "{mark} is quoted");
    }

    body["options"] = json!({"validation": "warnOnly"});
    let reported = validate(&stack, &body).await;
    assert_eq!((&reported["valid"], &reported["counts"]["errors"]), (&json!(true), &json!(7)));
    let key = "warn only";
    let accepted = stack.post(ORGANISER, key, body.to_string()).await;
    assert_eq!(accepted.status.as_u16(), 202, "{}", accepted.text);
    let accepted = accepted.json();
    assert_eq!(accepted["options"]["validation"], "warnOnly");
    assert_eq!(
        (&accepted["validation"]["errors"], &accepted["validation"]["warnings"]),
        (&json!(7), &reported["counts"]["warnings"])
    );
    assert_eq!(counts(&accepted["validation"]), counts(&reported));
    assert!(accepted["validation"]["rules"][0].get("findings").is_none());
    let id = accepted["id"].as_str().unwrap();
    let ended = stack.ended(id).await;
    assert_eq!(ended["validation"], accepted["validation"]);
    // Even so, what cannot be sent is refused.
    body["persons"][0]["enrolments"][0]["schoolType"] = json!("FSK");
    let refused = stack.post(ORGANISER, "other", body.to_string()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["errorCount"]), (422, &json!(1)));
    stack.finish(0).await;
}

#[tokio::test]
async fn a_send_in_parts_is_held_against_the_rules_part_by_part_and_as_a_whole() {
    let stack = TestStack::start().await;
    let post = async |path: &str, key: Option<&str>, body: &Value| {
        let token = stack.token(ORGANISER, ALL_SCOPES).await;
        let mut request = stack.call(Method::POST, path).bearer_auth(token).body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        stack.request(request).await
    };
    let (body, _) = broken(123);
    let of = |number: u32, list: &str| json!({"part": number, list: body[list]});
    let open = async |key: &str, options: Value| {
        let opened = post("/v1/sends", Some(key), &json!({"upload": true, "options": options})).await;
        opened.json()["id"].as_str().unwrap().to_owned()
    };

    // Strict: what a record breaks alone is refused at its part.
    let id = open("strict", json!({})).await;
    let refused = post(&format!("/v1/sends/{id}/records"), None, &of(1, "persons")).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["errorCount"]),
        (422, &json!(5)),
        "{}",
        refused.text
    );
    let mut corrected = class(123);
    corrected["persons"][5]["eduPersonPrincipalNames"] =
        corrected["persons"][4]["eduPersonPrincipalNames"].clone();
    corrected["activities"][0]["parentActivity"]["testCode"] = json!("GRGRBIO01_9");
    let parts = [
        json!({"part": 1, "persons": [corrected["persons"][0], corrected["persons"][1], corrected["persons"][4]], "duties": corrected["duties"]}),
        json!({"part": 2, "persons": [corrected["persons"][2], corrected["persons"][3], corrected["persons"][5], corrected["persons"][6], corrected["persons"][7]]}),
        json!({"part": 3, "groups": corrected["groups"], "activities": corrected["activities"]}),
    ];
    for part in &parts {
        let stored = post(&format!("/v1/sends/{id}/records"), None, part).await;
        assert_eq!(
            (stored.status.as_u16(), &stored.json()["validation"]["errors"]),
            (200, &json!(0)),
            "{}",
            stored.text
        );
    }
    // Faults over several records are refused at the submit.
    let refused = post(&format!("/v1/sends/{id}/submit"), None, &json!({"parts": 3})).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    let problem = refused.json();
    assert_eq!(problem["errorCount"], 1);
    assert_eq!(problem["errors"][0]["code"], "eppnShared");
    assert_eq!(problem["errors"][0]["pointer"], "/parts/2/persons/2/eduPersonPrincipalNames/0");

    // Warn only: the send keeps what its parts and what the whole broke.
    let id = open("warn only", json!({"validation": "warnOnly"})).await;
    for part in [of(1, "persons"), of(2, "duties"), of(3, "groups"), of(4, "activities")] {
        let stored = post(&format!("/v1/sends/{id}/records"), None, &part).await;
        assert_eq!(stored.status.as_u16(), 200, "{}", stored.text);
    }
    let accepted = post(&format!("/v1/sends/{id}/submit"), None, &json!({"parts": 4})).await;
    assert_eq!(accepted.status.as_u16(), 202, "{}", accepted.text);
    let whole = validate(&stack, &body).await;
    assert_eq!(counts(&accepted.json()["validation"]), counts(&whole), "as in one request");
    stack.ended(&id).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn a_protected_person_goes_only_where_the_organiser_attests() {
    let (stack, _settings) = TestStack::start_attesting().await;
    let mut body = class(124);
    body["persons"][2]["securityMarking"] = json!("Skyddad folkbokföring");
    body["options"] = json!({"validation": "warnOnly"});
    let refused = stack.post("5560000001", "protected", body.to_string()).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert_eq!(refused.json()["errors"][0]["code"], "protectedNotAttested");
    let id = stack.send(&body).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    stack.finish(0).await;
}

#[tokio::test]
async fn who_will_see_whose_results_is_shown_before_and_after() {
    let stack = TestStack::start().await;
    let mut body =
        crate::people::send(crate::people::Size { students: 9, teachers: 3, groups: 2, series: 125 });
    body["duties"][2]["dutyRole"] = json!("Rektor");
    let teachers = body["activities"][0]["teachers"].as_array_mut().unwrap();
    teachers.truncate(2);
    let groups: Vec<Value> = (0..2).map(|at| json!({"id": record_id(&body, "groups", at)})).collect();
    body["activities"][0]["groups"] = json!(groups);
    let only = json!([{"duty": {"id": record_id(&body, "duties", 1)}}]);
    body["activities"][1]["teachers"] = only;

    let reported = validate(&stack, &body).await;
    let preview = &reported["accessPreview"];
    assert_eq!(preview["total"], 3);
    let [first, second, principal] = preview["items"].as_array().unwrap().as_slice() else {
        panic!("{preview}")
    };
    for (viewer, activities) in [(first, 1), (second, 2)] {
        assert_eq!((&viewer["students"], &viewer["seesSchoolUnit"]), (&json!(9), &json!(false)));
        assert_eq!(viewer["groups"].as_array().unwrap().len(), 2);
        assert_eq!(viewer["activities"].as_array().unwrap().len(), activities);
        assert_eq!((&viewer["groupCount"], &viewer["activityCount"]), (&json!(2), &json!(activities)));
        assert_eq!(viewer["activities"][0]["warning"]["code"], "severalTeachersAndGroups");
    }
    assert_eq!(second["activities"][1]["warning"], Value::Null);
    assert_eq!((&principal["seesSchoolUnit"], &principal["groups"]), (&json!(true), &json!([])));
    assert_eq!(counts(&reported)["16 severalTeachersAndGroups warning"], 1);

    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let mut items = Vec::new();
    let mut path = format!("/v1/sends/{id}/access?limit=2");
    loop {
        let page = stack.get(&path).await;
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/sends/{id}/access?limit=2&cursor={cursor}");
    }
    assert_eq!(json!(items), preview["items"]);
    for (organisation, scope, status) in
        [("5560000001", ALL_SCOPES, 404), (ORGANISER, "sends:write", 403), (ORGANISER, "history:read", 200)]
    {
        let answer = stack.get_as(organisation, scope, &format!("/v1/sends/{id}/access")).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    let calls = stack.skolverket.calls();
    assert!(calls.iter().any(|call| call.call == CallKind::Bulk));
    stack.finish(0).await;
}
