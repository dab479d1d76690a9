//! Tokens: whose they are, in which forms they come, that they are refused, and that none comes for a while.

use serde_json::{Value, json};
use stafett_simulator::certificate::{KeyKind, Subject, self_signed_client};
use stafett_simulator::{CallKind, Fault, FaultTarget, FingerprintForm, Kind, TlsVersions, TokenForm};

use crate::cancel::cancel;
use crate::federation::{Federation, entity_of, token_calls};
use crate::people::class;
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, counts, job, limits, statuses};

/// The organiser's last failure, of its first environment.
async fn last_failure(stack: &TestStack, organisation: &str) -> Value {
    let shown = stack.get_as(organisation, "history:read", "/v1/organiser").await.json();
    shown["settings"]["environments"][0]["lastFailure"].clone()
}

/// A job's attempts, the first one first.
async fn attempts(stack: &TestStack, organisation: &str, send: &str, stage: &str) -> Vec<Value> {
    let path = format!("/v1/sends/{send}/jobs/{stage}/attempts?limit=100");
    let page = stack.get_as(organisation, ALL_SCOPES, &path).await.json();
    let mut items = page["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

/// Each attempt's call and status.
fn calls(attempts: &[Value]) -> Vec<String> {
    attempts
        .iter()
        .map(|attempt| format!("{} {}", attempt["call"].as_str().unwrap(), attempt["status"]))
        .collect()
}

fn assert_names_the_server(told: &Value) {
    let (en, sv) = (told["en"].as_str().unwrap(), told["sv"].as_str().unwrap());
    assert!(en.starts_with("The authorization server") && sv.starts_with("Auktorisationsservern"), "{told}");
}

#[tokio::test]
async fn a_token_of_another_organiser_is_not_used() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let (organiser, other, nobody) = ("5560002001", "5560002002", "5560002003");
    // The settings of one hold the entity id and the certificate of the other; the certificate names nobody.
    federation.set(organiser, &federation.member(&skolverket, other, KeyKind::Ec));
    federation.set(nobody, &federation.member(&skolverket, nobody, KeyKind::Ec));
    let nameless = Fault::Token(TokenForm::NoOrganisation);
    skolverket.fault(FaultTarget::calls(CallKind::Token).of(nobody), u32::MAX, nameless);
    let stack = federation.stack(skolverket, &[]).await;
    for (series, organisation, cause, text) in [
        (360, organiser, "tokenOfOtherOrganisation", json!("organization_id: 5560002002")),
        (361, nobody, "tokenWithoutOrganisation", Value::Null),
    ] {
        let id = stack.send_as(organisation, &class(series)).await;
        let send = stack.ended_as(organisation, &id).await;
        assert_eq!(statuses(&send), ["failed", "notStarted", "notStarted", "notStarted"], "{send}");
        assert_eq!(counts(&send, "users"), "total 8, notSent 8");
        let reason = &job(&send, "users")["reason"];
        assert_eq!((&reason["code"], &reason["cause"]), (&json!("authorization"), &json!(cause)), "{reason}");
        assert_eq!(reason["serverText"], text, "{reason}");
        assert_eq!(reason["guidance"]["who"], "operator");
        assert_names_the_server(reason);
        let failure = last_failure(&stack, organisation).await;
        assert_eq!((&failure["cause"], &failure["guidance"]), (&json!(cause), &reason["guidance"]));
        let asked = attempts(&stack, organisation, &id, "users").await;
        assert_eq!(calls(&asked), ["token 200"]);
        assert_eq!(asked[0]["guidance"], reason["guidance"]);
    }
    let calls = stack.skolverket.calls();
    assert!(calls.iter().all(|call| call.call == CallKind::Token), "a token was used: {calls:?}");
    for organisation in [organiser, other, nobody] {
        assert!(stack.skolverket.stored(organisation, Kind::Persons).is_empty());
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_number_of_twelve_digits_is_the_same_organisation() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let organisers = ["5590000178", "5590000186"];
    for (organisation, number) in organisers.iter().zip(["SE165590000178-1000", "EFOS165590000186-000012"]) {
        let subject = Subject { serial_number: Some(number), ..Subject::default() };
        let client = federation.issuing.client(&subject, KeyKind::Ec).unwrap();
        let settings = json!({"certificate": client.certificate, "privateKey": client.key});
        federation.set(organisation, &settings);
    }
    let stack = federation.stack(skolverket, &[]).await;
    for (series, organisation) in (362..).zip(organisers) {
        let id = stack.send_as(organisation, &class(series)).await;
        let send = stack.ended_as(organisation, &id).await;
        assert_eq!(send["status"], "succeeded", "{send}");
        assert_eq!(stack.skolverket.stored(organisation, Kind::Persons).len(), 8);
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_token_is_used_in_whatever_form_it_comes() {
    let stack = TestStack::start().await;
    let forms = [
        TokenForm::NoLife,
        TokenForm::NullLife,
        TokenForm::TextLife,
        TokenForm::FractionLife,
        TokenForm::List,
        TokenForm::Bare,
        TokenForm::Opaque,
    ];
    let sends = (0_u16..).zip(forms).map(async |(number, form)| {
        let organisation = format!("55600021{number:02}");
        let target = FaultTarget::calls(CallKind::Token).of(&organisation);
        stack.skolverket.fault(target, u32::MAX, Fault::Token(form));
        let id = stack.send_as(&organisation, &class(364 + number)).await;
        let send = stack.ended_as(&organisation, &id).await;
        assert_eq!(send["status"], "succeeded", "{form:?} {send}");
    });
    futures::future::join_all(sends).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn an_outage_of_the_authorization_server_is_reported_as_its_own() {
    let stack = TestStack::start().await;
    let cases = [
        (
            "5560002201",
            Fault::Unavailable,
            "authorizationServer",
            "authorizationServerUnavailable",
            json!(503),
        ),
        (
            "5560002202",
            Fault::CutBefore,
            "authorizationServer",
            "authorizationServerUnavailable",
            Value::Null,
        ),
        (
            "5560002203",
            Fault::Html(200),
            "authorizationServerUnreadable",
            "authorizationServerUnreadable",
            json!(200),
        ),
        (
            "5560002204",
            Fault::Status(425),
            "authorizationServer",
            "authorizationServerUnavailable",
            json!(425),
        ),
    ];
    let sends =
        (372..).zip(cases.iter()).map(async |(series, (organisation, fault, waits_for, cause, status))| {
            let target = FaultTarget::calls(CallKind::Token).of(*organisation);
            stack.skolverket.fault(target, u32::MAX, *fault);
            let id = stack.send_as(organisation, &class(series)).await;
            let path = format!("/v1/sends/{id}");
            let users = stack
                .until("the send says for whom it waits", async || {
                    let send = stack.get_as(organisation, "history:read", &path).await.json();
                    let users = job(&send, "users").clone();
                    users["waitingForSkolverketSince"].is_string().then_some(users)
                })
                .await;
            let waits = &users["waitingForSkolverketCause"];
            assert_eq!(waits["code"], *waits_for, "{users}");
            assert_names_the_server(&waits["guidance"]["meaning"]);
            let failure = last_failure(&stack, organisation).await;
            assert_eq!(
                (&failure["code"], &failure["cause"]),
                (&json!("authorization"), &json!(cause)),
                "{failure}"
            );
            assert_eq!(failure["httpStatus"], *status, "{failure}");
            let tried = attempts(&stack, organisation, &id, "users").await;
            let first = &tried[0];
            assert_eq!((&first["call"], &first["status"]), (&json!("token"), status), "{first}");
            assert_eq!(first["guidance"], waits["guidance"], "{first}");
            id
        });
    let ids = futures::future::join_all(sends).await;
    stack.skolverket.clear_faults();
    for (id, (organisation, ..)) in ids.iter().zip(&cases) {
        let send = stack.ended_as(organisation, id).await;
        assert_eq!(send["status"], "succeeded", "{send}");
        let users = job(&send, "users");
        assert!(
            users["waitingForSkolverketSince"].is_null() && users["waitingForSkolverketCause"].is_null(),
            "{users}"
        );
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_cancelled_send_does_not_wait_for_a_token_that_cannot_be_read() {
    let skolverket = stafett_simulator::Simulator::start(limits()).await.unwrap();
    let stack = TestStack::start_with(skolverket, &["--set", "RETRY_MAX_MS=200"]).await;
    stack.skolverket.hold_jobs(true);
    let id = stack.send(&class(397)).await;
    let path = format!("/v1/sends/{id}");
    stack
        .until("its job is open", async || {
            attempts(&stack, ORGANISER, &id, "users")
                .await
                .iter()
                .any(|made| made["call"] == "poll")
                .then_some(())
        })
        .await;
    stack.skolverket.fault(FaultTarget::calls(CallKind::Token), u32::MAX, Fault::Html(200));
    stack.skolverket.expire_tokens();
    stack
        .until("it waits for a token", async || {
            let send = stack.get(&path).await;
            let cause = &job(&send, "users")["waitingForSkolverketCause"];
            (cause["code"] == "authorizationServerUnreadable").then_some(())
        })
        .await;
    assert_eq!(cancel(&stack, &id).await.status, 202);
    let send = stack.ended(&id).await;
    assert_eq!(counts(&send, "users"), "total 8, unknown 8", "{send}");
    stack.skolverket.hold_jobs(false);
    stack.finish(0).await;
}

#[tokio::test]
async fn a_send_that_waits_for_a_token_too_long_shows_who_gave_none() {
    let skolverket = stafett_simulator::Simulator::start(limits()).await.unwrap();
    let arguments = ["--set", "DEADLINE_MS=300", "--set", "RETRY_MAX_MS=200"];
    let stack = TestStack::start_with(skolverket, &arguments).await;
    stack.skolverket.fault(FaultTarget::calls(CallKind::Token), u32::MAX, Fault::Unavailable);
    let id = stack.send(&class(378)).await;
    let send = stack.ended(&id).await;
    let reason = &job(&send, "users")["reason"];
    assert_eq!(
        (&reason["code"], &reason["cause"], &reason["httpStatus"]),
        (&json!("deadline"), &json!("authorizationServerUnavailable"), &json!(503)),
        "{reason}"
    );
    assert_names_the_server(reason);
    assert!(reason["guidance"]["action"]["en"].as_str().unwrap().starts_with("Resume"), "{reason}");
    // And one that Skolverket's API does not answer is reported as before.
    stack.skolverket.clear_faults();
    stack.skolverket.fault(FaultTarget::calls(CallKind::Bulk), u32::MAX, Fault::Unavailable);
    let id = stack.send(&class(379)).await;
    let send = stack.ended(&id).await;
    let reason = &job(&send, "users")["reason"];
    assert_eq!((&reason["code"], reason.get("cause")), (&json!("deadline"), None), "{reason}");
    assert!(reason["en"].as_str().unwrap().starts_with("Skolverket "), "{reason}");
    stack.finish(0).await;
}

#[tokio::test]
async fn the_requests_for_tokens_are_among_a_jobs_attempts() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    skolverket.take_fingerprints(&[FingerprintForm::Rfc8705]);
    let (settings, client) = federation.holder(ORGANISER, KeyKind::Ec);
    federation.set(ORGANISER, &settings);
    let member = "5560002301";
    federation.set(member, &federation.member(&skolverket, member, KeyKind::Ec));
    let stack = federation.stack(skolverket, &[]).await;

    let id = stack.send(&class(380)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let made = attempts(&stack, ORGANISER, &id, "users").await;
    // A step without a slot is put back, and another process may take it, which asks for a token of its own.
    assert_eq!(calls(&made[..2]), ["token 401", "token 200"]);
    assert!(calls(&made[2..]).contains(&"submit 202".to_owned()), "{:?}", calls(&made));
    let step = made[0]["attempt"].as_str().unwrap().strip_suffix(".t1").unwrap();
    assert_eq!(made[1]["attempt"], format!("{step}.t2"));
    let times: Vec<_> = made.iter().map(|attempt| attempt["startedAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(made[0]["guidance"]["action"]["en"].as_str().unwrap().starts_with("Nothing"), "{}", made[0]);
    assert!(made[1].get("guidance").is_none());
    assert_eq!((&made[1]["method"], &made[1]["path"]), (&json!("POST"), &json!("/transaction")));
    assert_eq!(made[1]["callLabel"], json!({"sv": "begärde en token", "en": "asked for a token"}));

    // Page by page it is the same list.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/sends/{id}/jobs/users/attempts?limit=1{cursor}");
        let page = stack.get(&path).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    paged.reverse();
    assert_eq!(paged, made);

    // Its bodies are for the same people as others', and hold neither the token nor the certificate.
    let path = |attempt: &Value| {
        format!("/v1/sends/{id}/jobs/users/attempts/{}", attempt["attempt"].as_str().unwrap())
    };
    for (attempt, said) in [(&made[0], "wrong certificate fingerprint"), (&made[1], "bearer")] {
        let answer = stack.get_as(ORGANISER, ALL_SCOPES, &path(attempt)).await;
        let whole = answer.json();
        assert!(whole["response"].to_string().contains(said), "{whole}");
        assert_eq!(whole["request"]["access_token"][0]["access"][0]["type"], "provisioning-api", "{whole}");
        assert_eq!(whole["request"]["client"]["key"]["proof"], "mtls");
        assert!(
            whole["requestBytes"].as_u64().unwrap() > 100 && whole["responseBytes"].as_u64().unwrap() > 20
        );
        for call in token_calls(&stack.skolverket) {
            let request = call.request.unwrap();
            assert!(!answer.text.contains(request["client"]["key"]["cert#S256"].as_str().unwrap()));
            if let Some(token) =
                call.response.as_ref().and_then(|body| body["access_token"]["value"].as_str())
            {
                let parts: Vec<_> = token.split('.').collect();
                assert!(parts.iter().all(|part| !answer.text.contains(part)), "{}", answer.text);
            }
        }
        assert!(!answer.text.contains(&client.certificate[40..80]));
        let masked = stack.get_as(ORGANISER, "history:read", &path(attempt)).await.json();
        assert!(masked.get("request").is_none() && masked.get("response").is_none(), "{masked}");
    }
    assert_eq!(
        stack
            .get_as(ORGANISER, ALL_SCOPES, &format!("/v1/sends/{id}/jobs/users/attempts/{step}.t3"))
            .await
            .status,
        404
    );

    let id = stack.send_as(member, &class(381)).await;
    assert_eq!(stack.ended_as(member, &id).await["status"], "succeeded");
    let made = attempts(&stack, member, &id, "users").await;
    assert_eq!(calls(&made[..1]), ["token 200"]);
    let path = format!("/v1/sends/{id}/jobs/users/attempts/{}", made[0]["attempt"].as_str().unwrap());
    let whole = stack.get_as(member, ALL_SCOPES, &path).await.json();
    assert_eq!(whole["request"]["client"]["key"], entity_of(member));
    stack.finish(0).await;
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_renewed_once_and_then_reported_as_the_apis_refusal() {
    let stack = TestStack::start().await;
    for (number, fault, status) in
        [(0_u16, Fault::Status(401), 401), (1, Fault::Html(401), 401), (2, Fault::TokenExpired, 403)]
    {
        for call in [CallKind::Bulk, CallKind::Job] {
            let of_call = u16::from(call == CallKind::Job);
            let refused = |times: u16| format!("556000{}", 2400 + 10 * number + 4 * of_call + times);
            let series = |times: u16| 382 + 4 * number + 2 * of_call + times - 1;
            let target = |organisation: &str| FaultTarget::calls(call).of(organisation);

            let once = refused(1);
            stack.skolverket.fault(target(&once), 1, fault);
            let id = stack.send_as(&once, &class(series(1))).await;
            let send = stack.ended_as(&once, &id).await;
            assert_eq!(send["status"], "succeeded", "{fault:?} {call:?} {send}");
            assert_eq!(last_failure(&stack, &once).await, Value::Null);

            let always = refused(2);
            stack.skolverket.fault(target(&always), u32::MAX, fault);
            let id = stack.send_as(&always, &class(series(2))).await;
            let send = stack.ended_as(&always, &id).await;
            let reason = &job(&send, "users")["reason"];
            assert_eq!(
                (&reason["code"], &reason["cause"], &reason["httpStatus"]),
                (&json!("authorization"), &json!("wrongEnvironment"), &json!(status)),
                "{reason}"
            );
            assert!(reason["en"].as_str().unwrap().starts_with("Skolverket's API refused"), "{reason}");
            assert!(reason["sv"].as_str().unwrap().starts_with("Skolverkets API godtog inte"), "{reason}");
            for (language, named) in
                [("en", "token without an organisation"), ("sv", "token utan organisation")]
            {
                assert!(reason["guidance"]["action"][language].as_str().unwrap().contains(named), "{reason}");
            }
            let failure = last_failure(&stack, &always).await;
            assert_eq!(
                (&failure["cause"], &failure["httpStatus"]),
                (&json!("wrongEnvironment"), &json!(status))
            );
            let made = attempts(&stack, &always, &id, "users").await;
            for refused in made.iter().filter(|attempt| attempt["status"] == status) {
                let meaning = &refused["guidance"]["meaning"]["en"];
                assert!(meaning.as_str().unwrap().starts_with("Skolverket's API"), "{refused}");
            }
            let times = made.iter().filter(|attempt| attempt["status"] == status).count();
            assert!((2..=6).contains(&times), "{:?}", calls(&made));
        }
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn a_certificate_without_a_number_is_not_blamed_where_the_server_names_another_cause() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    // Nobody's: the issuer is not approved, and the certificate names no organisation.
    let organisation = "5560002501";
    let client = self_signed_client(&Subject::default(), KeyKind::Ec).unwrap();
    let settings = json!({"certificate": client.certificate, "privateKey": client.key});
    federation.set(organisation, &settings);
    let stack = federation.stack(skolverket, &[]).await;
    let id = stack.send_as(organisation, &class(396)).await;
    let send = stack.ended_as(organisation, &id).await;
    let reason = &job(&send, "users")["reason"];
    assert_eq!(reason["cause"], "certificateRefused", "{reason}");
    assert_eq!(reason["serverText"], "certificate not signed by a known CA");
    stack.finish(0).await;
}
