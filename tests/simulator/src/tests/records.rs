use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, job_id, outcome, quick};
use super::sample;
use crate::{Kind, Log, Rule, ScriptedOutcome};

#[tokio::test]
async fn a_whole_send_is_accepted_and_a_second_one_updates() {
    let caller = Caller::start(quick()).await;
    let (student, teacher) = (Uuid::new_v4(), Uuid::new_v4());
    let (duty, group, activity) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for code in [201, 200] {
        let success = [outcome("Success", code), outcome("Success", code)];
        let persons = [sample::person(student), sample::person(teacher)];
        assert_eq!(caller.sent(Kind::Persons, &persons).await, success);
        assert_eq!(caller.sent(Kind::Duties, &[sample::duty(duty, teacher)]).await, success[..1]);
        assert_eq!(caller.sent(Kind::Groups, &[sample::group(group, &[student])]).await, success[..1]);
        let activity = sample::activity(activity, &[group], &[duty]);
        assert_eq!(caller.sent(Kind::Activities, &[activity]).await, success[..1]);
    }
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), [student, teacher]);
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Activities), [activity]);
    assert!(caller.simulator.stored("2120000142", Kind::Persons).is_empty());
    assert_eq!(caller.rules(), []);
}

#[tokio::test]
async fn records_are_checked_one_by_one() {
    let caller = Caller::start(quick()).await;
    let ids: [Uuid; 3] = std::array::from_fn(|_| Uuid::new_v4());
    let mut persons = ids.map(sample::person);
    persons[0]["enrolments"][0]["schoolYear"] = json!(0);
    persons[1]["eduPersonPrincipalNames"] = json!(["familyname@edu.example.se"]);
    let job = caller.accepted(Kind::Persons, &persons).await;
    let outcomes = caller.outcomes(Kind::Persons, job).await;

    let refused = &outcomes[0]["response"];
    assert_eq!((&refused["status"], &refused["statusCode"]), (&json!("Error"), &json!(400)));
    assert_eq!(refused["errors"][0]["attributeName"], "Enrolment.schoolYear");
    assert_eq!(refused["errors"][0]["attributeValue"], 0);
    assert!(refused.get("location").is_none());
    let warned = &outcomes[1]["response"];
    assert_eq!((&warned["status"], &warned["statusCode"]), (&json!("Warning"), &json!(201)));
    assert_eq!(warned["warnings"][0]["id"], "3047");
    assert_eq!(warned["warnings"][0]["attributeValue"], "familyname@edu.example.se");
    assert_eq!(outcomes[2]["response"]["status"], "Success");
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), ids[1..]);
    assert_eq!(caller.rules(), []);
}

#[tokio::test]
async fn what_is_not_stored_cannot_be_referred_to() {
    let caller = Caller::start(quick()).await;
    let (missing, group) = (Uuid::new_v4(), Uuid::new_v4());
    let duties = caller.sent(Kind::Duties, &[sample::duty(Uuid::new_v4(), missing)]).await;
    assert_eq!(duties, [outcome("Error", 404)]);
    let groups = caller.sent(Kind::Groups, &[sample::group(group, &[missing])]).await;
    assert_eq!(groups, [outcome("Warning", 201)]);
    let activities = [
        sample::activity(Uuid::new_v4(), &[group], &[]),
        sample::activity(Uuid::new_v4(), &[group], &[missing]),
        sample::activity(Uuid::new_v4(), &[missing], &[]),
    ];
    assert_eq!(
        caller.sent(Kind::Activities, &activities).await,
        [outcome("Success", 201), outcome("Error", 404), outcome("Error", 404)]
    );

    // With the member there, the group sent again has nothing to be warned of.
    caller.sent(Kind::Persons, &[sample::person(missing)]).await;
    let groups = caller.sent(Kind::Groups, &[sample::group(group, &[missing])]).await;
    assert_eq!(groups, [outcome("Success", 200)]);
    assert_eq!(caller.rules(), [], "what was never sent is no matter of order");
}

#[tokio::test]
async fn a_script_comes_before_every_check_and_lasts() {
    let caller = Caller::start(quick()).await;
    let ids: [Uuid; 3] = std::array::from_fn(|_| Uuid::new_v4());
    let mut persons = ids.map(sample::person);
    persons[1]["givenName"] = Value::Null;
    let log = Log::new("9999", 422, "Nytt fel", "En text.").attribute("civicNo", 7);
    caller.simulator.script(ids[0], ScriptedOutcome::Error(log));
    caller.simulator.script(ids[1], ScriptedOutcome::warning());
    caller.simulator.script(ids[2], ScriptedOutcome::temporary_error());
    let expected = [outcome("Error", 422), outcome("Warning", 201), outcome("TemporaryError", 500)];
    assert_eq!(caller.sent(Kind::Persons, &persons).await, expected);
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), [ids[1]]);

    let job = caller.accepted(Kind::Persons, &persons).await;
    let outcomes = caller.outcomes(Kind::Persons, job).await;
    let error = &outcomes[0]["response"]["errors"][0];
    assert_eq!((&error["id"], &error["statusCode"]), (&json!("9999"), &json!(422)));
    assert_eq!((&error["attributeName"], &error["attributeValue"]), (&json!("civicNo"), &json!(7)));
    assert_eq!((&error["resourceType"], &error["resourceId"]), (&json!("Person"), &json!(ids[0])));
    assert_eq!(outcomes[1]["response"]["statusCode"], 200);
    assert_eq!(outcomes[1]["response"]["warnings"][0]["severityLevel"], "Warning");
    assert_eq!(outcomes[2]["response"]["errors"][0]["id"], "5004");

    caller.simulator.unscript(ids[2]);
    assert_eq!(caller.sent(Kind::Persons, &persons[2..]).await, [outcome("Success", 201)]);
}

#[tokio::test]
async fn without_update_if_exists_known_records_are_refused() {
    let caller = Caller::start(quick()).await;
    let known = Uuid::new_v4();
    caller.sent(Kind::Persons, &[sample::person(known)]).await;
    for query in ["", "?updateIfExists=false"] {
        let body = json!({"data": [sample::person(known), sample::person(Uuid::new_v4())]});
        let answer = caller.post(&format!("/persons/bulk{query}")).json(&body).send().await.unwrap();
        let job = job_id(answer).await;
        let outcomes = caller.outcomes(Kind::Persons, job).await;
        assert_eq!(outcomes[0]["response"]["status"], "Error");
        assert_eq!(outcomes[1]["response"]["status"], "Success");
    }
    assert_eq!(caller.rules(), [Rule::Query, Rule::Query]);
}

#[tokio::test]
async fn records_are_held_against_what_is_stored() {
    let caller = Caller::start(quick()).await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let eppn = |id: Uuid, eppn: &str| {
        let mut person = sample::person(id);
        person["eduPersonPrincipalNames"] = json!([eppn]);
        person
    };
    let (good, refused) = ([outcome("Success", 201)], [outcome("Error", 400)]);
    // The same in other letters; with another organisation it is nobody's business.
    let both = [eppn(first, "åx1@edu.example.se"), eppn(second, "A\u{30a}X1@edu.example.se")];
    assert_eq!(caller.sent(Kind::Persons, &both).await, [good.as_slice(), &refused].concat());
    let other = Caller::of(caller.simulator.clone(), "2120000142").await;
    assert_eq!(other.sent(Kind::Persons, &both[1..]).await, good);
    // Its own, again; and free for others once it has another.
    assert_eq!(caller.sent(Kind::Persons, &both[..1]).await, [outcome("Success", 200)]);
    let changed = [eppn(first, "x2@edu.example.se"), both[1].clone()];
    assert_eq!(
        caller.sent(Kind::Persons, &changed).await,
        [&[outcome("Success", 200)], good.as_slice()].concat()
    );

    // One id, two kinds; a duty of somebody who cannot be written to at work.
    let group = sample::group(first, &[]);
    assert_eq!(caller.sent(Kind::Groups, &[group]).await, refused);
    let mut unreachable = sample::person(Uuid::new_v4());
    unreachable["emails"] = json!([]);
    assert_eq!(caller.sent(Kind::Persons, &[unreachable.clone()]).await, good);
    let person = unreachable["id"].as_str().unwrap().parse().unwrap();
    let duty = sample::duty(Uuid::new_v4(), person);
    assert_eq!(caller.sent(Kind::Duties, &[duty]).await, refused);
    let mut blank = sample::group(Uuid::new_v4(), &[]);
    blank["displayName"] = json!("\u{200b} ");
    assert_eq!(caller.sent(Kind::Groups, &[blank]).await, refused);
}
