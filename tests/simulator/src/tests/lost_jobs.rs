//! Jobs and records that do not end as they should.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{Caller, ORGANISATION, outcome, quick, refusal};
use super::sample;
use crate::{Fault, FaultTarget, Kind, Rule, ScriptedOutcome};

#[tokio::test]
async fn a_temporary_error_comes_so_many_times() {
    let caller = Caller::start(quick()).await;
    let (slow, marked, other) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    caller.simulator.script_temporary(slow, 2);
    caller.simulator.script_temporary(marked, 1);
    caller.simulator.script(marked, ScriptedOutcome::warning());
    let all = [slow, marked, other].map(sample::person);
    let temporary = || outcome("TemporaryError", 500);
    let created = || outcome("Success", 201);
    assert_eq!(caller.sent(Kind::Persons, &all).await, [temporary(), temporary(), created()]);
    assert_eq!(caller.sent(Kind::Persons, &all[..2]).await, [temporary(), outcome("Warning", 201)]);
    assert_eq!(caller.sent(Kind::Persons, &all[..1]).await, [created()]);
    assert_eq!([slow, marked, other].map(|id| caller.simulator.times_sent(id)), [3, 2, 1]);
    assert_eq!(caller.simulator.times_sent(Uuid::new_v4()), 0);
}

#[tokio::test]
async fn a_stuck_job_stays_pending_and_is_not_waited_for() {
    let caller = Caller::start(quick()).await;
    let (group, person) = (Uuid::new_v4(), Uuid::new_v4());
    caller.simulator.stick_next_job(Kind::Groups);
    caller.sent(Kind::Persons, &[sample::person(person)]).await;
    let job = caller.accepted(Kind::Groups, &[sample::group(group, &[])]).await;
    tokio::time::sleep(quick().job_time + Duration::from_millis(20)).await;
    let answer = caller.job(Kind::Groups, job).await;
    assert_eq!(answer["responses"][0]["response"], json!({"status": "Pending"}));
    assert!(caller.simulator.stored(ORGANISATION, Kind::Groups).is_empty());

    // The next send starts from the beginning, and what refers to the group is too early before it is sent again.
    caller.sent(Kind::Persons, &[sample::person(person)]).await;
    assert!(caller.rules().is_empty());
    let activity = sample::activity(Uuid::new_v4(), &[group], &[]);
    caller.sent(Kind::Activities, std::slice::from_ref(&activity)).await;
    assert_eq!(caller.rules(), [Rule::Order]);
    assert_eq!(caller.sent(Kind::Groups, &[sample::group(group, &[])]).await, [outcome("Success", 201)]);
    caller.sent(Kind::Activities, &[activity]).await;
    assert_eq!(caller.rules().len(), 1);
}

#[tokio::test]
async fn a_lost_job_is_not_found_though_it_was_carried_out() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    caller.simulator.lose_next_job(Kind::Persons);
    let lost = caller.accepted(Kind::Persons, &[sample::person(person)]).await;
    caller.accepted(Kind::Groups, &[sample::group(Uuid::new_v4(), &[])]).await;
    assert_eq!(caller.rules(), [Rule::Order], "it was told of, and not asked for");

    for path in [format!("/persons/bulk/jobs/{lost}"), format!("/persons/bulk/jobs/{lost}/isCompleted")] {
        let (status, entry) = refusal(caller.get(&path).send().await.unwrap()).await;
        assert_eq!((status, &entry["id"]), (404, &json!("4001")));
    }
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &[person])]).await;
    assert_eq!(caller.rules().len(), 1, "nothing is left to ask for");
    tokio::time::sleep(quick().job_time).await;
    assert_eq!(caller.simulator.stored(ORGANISATION, Kind::Persons), [person]);
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 200)]);
}

#[tokio::test]
async fn the_job_of_a_certain_call_can_be_lost() {
    let caller = Caller::start(quick()).await;
    let (lost, other) = (Uuid::new_v4(), Uuid::new_v4());
    caller.simulator.fault(FaultTarget::bulk(Kind::Persons).containing(lost), 1, Fault::JobLost);
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(other)]).await, [outcome("Success", 201)]);
    let job = caller.accepted(Kind::Persons, &[sample::person(lost)]).await;
    let answer = caller.get(&format!("/persons/bulk/jobs/{job}")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(lost)]).await, [outcome("Success", 200)]);
}

#[tokio::test]
async fn a_record_left_out_of_an_answer_is_unread() {
    let caller = Caller::start(quick()).await;
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    caller.simulator.leave_out(ids[1], 2);
    let job = caller.accepted(Kind::Persons, &ids.map(sample::person)).await;
    let shown = |outcomes: Vec<Value>| outcomes.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(shown(caller.outcomes(Kind::Persons, job).await), [json!(ids[0])]);
    let duties = ids.map(|person| sample::duty(Uuid::new_v4(), person));
    caller.sent(Kind::Duties, &duties[..1]).await;
    caller.sent(Kind::Groups, &[sample::group(Uuid::new_v4(), &ids)]).await;
    assert!(caller.rules().is_empty());
    caller.sent(Kind::Duties, &duties[1..]).await;
    assert_eq!(caller.rules(), [Rule::Order]);

    assert_eq!(shown(caller.outcomes(Kind::Persons, job).await), [json!(ids[0])]);
    assert_eq!(shown(caller.outcomes(Kind::Persons, job).await), [json!(ids[0]), json!(ids[1])]);
    caller.sent(Kind::Duties, &duties[1..]).await;
    assert_eq!(caller.rules().len(), 1);
}

#[tokio::test]
async fn clearing_forgets_what_was_to_happen() {
    let caller = Caller::start(quick()).await;
    let person = Uuid::new_v4();
    caller.simulator.stick_next_job(Kind::Persons);
    caller.simulator.lose_next_job(Kind::Persons);
    caller.simulator.leave_out(person, u32::MAX);
    caller.simulator.clear_faults();
    assert_eq!(caller.sent(Kind::Persons, &[sample::person(person)]).await, [outcome("Success", 201)]);
}
