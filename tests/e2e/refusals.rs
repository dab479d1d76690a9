//! What becomes of a send whose organiser gets no token, and what never leaves the places where it belongs.

use std::net::Ipv4Addr;

use base64::Engine;
use serde_json::{Value, json};
use stafett_simulator::certificate::{Certified, KeyKind, Subject};
use stafett_simulator::{CallKind, Fault, FaultTarget, Kind, TlsRefusal, TlsVersions};

use crate::federation::{Federation, entity_of, token_calls};
use crate::people::{Size, class, send};
use crate::stack::{ORGANISER, TestStack, counts, limits, statuses};
use crate::storage::items;
use crate::uploads;

/// The expected result of a case: the cause, the HTTP status if one decided it, and how often the server was asked.
struct Expected {
    organisation: String,
    cause: &'static str,
    status: Option<u16>,
    asked: usize,
    text: Option<&'static str>,
}

/// The cases of one stack, each an organiser of its own.
struct Cases(Vec<Expected>);

impl Cases {
    fn number(&self) -> String {
        format!("55600010{:02}", self.0.len())
    }

    fn expect(&mut self, cause: &'static str, status: Option<u16>, asked: usize, text: Option<&'static str>) {
        self.0.push(Expected { organisation: self.number(), cause, status, asked, text });
    }

    async fn hold(&self, stack: &TestStack, first_series: u16) {
        let numbered = (first_series..).zip(&self.0);
        let sends = numbered.map(async |(series, expected)| {
            let Expected { organisation, cause, status, asked, text } = expected;
            let id = stack.send_as(organisation, &class(series)).await;
            let send = stack.ended_as(organisation, &id).await;
            assert_eq!(statuses(&send), ["failed", "notStarted", "notStarted", "notStarted"], "{cause}");
            assert_eq!(counts(&send, "users"), "total 8, notSent 8", "{cause}");
            let reason = &send["jobs"][0]["reason"];
            assert_eq!(
                (&reason["code"], &reason["cause"]),
                (&json!("authorization"), &json!(cause)),
                "{reason}"
            );
            assert_eq!(reason["httpStatus"].as_u64(), status.map(u64::from), "{reason}");
            assert_eq!(reason["serverText"].as_str(), *text, "{reason}");
            assert!(reason["en"].as_str().unwrap().len() > 50 && reason["sv"].as_str().unwrap().len() > 50);
            let calls = token_calls(&stack.skolverket);
            let entity = json!(entity_of(organisation));
            let of_case = |request: &Value| {
                let key = &request["client"]["key"];
                *key == entity || key["proof"].is_string() && *asked == 2
            };
            let seen = calls.iter().filter(|call| call.request.as_ref().is_some_and(of_case)).count();
            assert_eq!(seen, *asked, "{cause}: a refusal is not repeated");
            let shown = stack.get_as(organisation, "history:read", "/v1/organiser").await.json();
            assert_eq!(shown["settings"]["environments"][0]["lastFailure"]["cause"], *cause, "{shown}");
        });
        futures::future::join_all(sends).await;
    }
}

#[tokio::test]
async fn each_refusal_has_its_cause_and_guidance_and_is_not_repeated() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let mut cases = Cases(Vec::new());
    let other = federation.holder("5560001099", KeyKind::Ec).1;

    let mut unknown = federation.member(&skolverket, &cases.number(), KeyKind::Ec);
    let organisation = cases.number();
    skolverket.register(&entity_of("nobody"), &organisation, other.fingerprint());
    unknown["entityId"] = json!(format!("{}/unknown", entity_of(&organisation)));
    federation.set(&organisation, &unknown);
    // Its entity is not the one that the others are counted by.
    cases.expect("notRegistered", Some(401), 0, Some("unknown entity"));

    federation.set(&cases.number(), &federation.member(&skolverket, &cases.number(), KeyKind::Rsa));
    skolverket.register(&entity_of(&cases.number()), &cases.number(), other.fingerprint());
    cases.expect("certificateRefused", Some(401), 1, Some("client certificate does not match metadata"));

    let (settings, client) = member_and_certificate(&federation, &cases.number());
    skolverket.register(&entity_of(&cases.number()), &cases.number(), client.fingerprint());
    skolverket.revoke(client.fingerprint());
    federation.set(&cases.number(), &settings);
    cases.expect("certificateRevoked", Some(401), 1, Some("certificate is revoked"));

    // The only one of these that is known by its fingerprint: both forms are tried.
    let nameless = federation.issuing.client(&Subject::default(), KeyKind::Ec).unwrap();
    let settings = json!({"certificate": nameless.certificate, "privateKey": nameless.key});
    federation.set(&cases.number(), &settings);
    cases.expect("organisationNumberMissing", Some(401), 2, Some("no organisation number in certificate"));

    let mut pinned = federation.member(&skolverket, &cases.number(), KeyKind::Ec);
    pinned["pinnedKeys"] = json!([other.pin()]);
    federation.set(&cases.number(), &pinned);
    cases.expect("pinMismatch", None, 0, None);

    for (fault, cause, text) in [
        (Fault::Status(400), "requestRefused", None),
        (Fault::Status(422), "requestRefused", None),
        (Fault::Html(401), "notRegistered", Some("Error Error")),
        (Fault::Status(418), "unforeseenAnswer", None),
        (
            Fault::SslCertificateError,
            "certificateRefused",
            Some("400 The SSL certificate error 400 Bad Request The SSL certificate error nginx"),
        ),
    ] {
        federation.set(&cases.number(), &federation.member(&skolverket, &cases.number(), KeyKind::Ec));
        skolverket.fault(FaultTarget::calls(CallKind::Token).of(cases.number()), u32::MAX, fault);
        let status = match fault {
            Fault::Status(status) | Fault::Html(status) => status,
            Fault::SslCertificateError => 400,
            other => panic!("{other:?}"),
        };
        cases.expect(cause, Some(status), 1, text);
    }

    // An overloaded server is waited for.
    let patient = "5560001098";
    federation.set(patient, &federation.member(&skolverket, patient, KeyKind::Ec));
    skolverket.fault(FaultTarget::calls(CallKind::Token).of(patient), 2, Fault::Unavailable);

    let stack = federation.stack(skolverket, &[]).await;
    let id = stack.send_as(patient, &class(300)).await;
    cases.hold(&stack, 301).await;
    assert_eq!(stack.ended_as(patient, &id).await["status"], "succeeded");
    let bulk = stack.skolverket.calls().into_iter().filter(|call| call.call == CallKind::Bulk);
    assert!(bulk.into_iter().all(|call| call.organisation.as_deref() == Some(patient)));
    stack.finish(0).await;
}

fn member_and_certificate(federation: &Federation, organisation: &str) -> (Value, Certified) {
    let (mut settings, client) = federation.holder(organisation, KeyKind::Ec);
    settings["entityId"] = json!(entity_of(organisation));
    (settings, client)
}

#[tokio::test]
async fn a_certificate_that_tls_refuses_is_distinguished_from_a_broken_line() {
    for (versions, first) in [(TlsVersions::Only13, 320), (TlsVersions::Only12, 325)] {
        let federation = Federation::new();
        let skolverket = federation.skolverket(limits(), versions).await;
        let mut cases = Cases(Vec::new());
        for (refusal, cause) in [
            (TlsRefusal::Expired, "certificateExpired"),
            (TlsRefusal::Revoked, "certificateRevoked"),
            (TlsRefusal::UnknownIssuer, "certificateRefused"),
        ] {
            let (settings, client) = member_and_certificate(&federation, &cases.number());
            skolverket.refuse_in_tls(client.fingerprint(), Some(refusal));
            federation.set(&cases.number(), &settings);
            cases.expect(cause, None, 0, None);
        }
        let stack = federation.stack(skolverket, &[]).await;
        cases.hold(&stack, first).await;
        stack.finish(0).await;
    }
}

#[tokio::test]
async fn no_token_and_no_request_for_one_follows_a_redirection() {
    let elsewhere = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let redirect = Fault::Redirect(elsewhere.local_addr().unwrap());
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let (by_server, by_api) = ("5560001101", "5560001102");
    for organisation in [by_server, by_api] {
        federation.set(organisation, &federation.member(&skolverket, organisation, KeyKind::Ec));
    }
    skolverket.fault(FaultTarget::calls(CallKind::Token).of(by_server), u32::MAX, redirect);
    skolverket.fault(FaultTarget::calls(CallKind::Bulk).of(by_api), u32::MAX, redirect);
    let stack = federation.stack(skolverket, &[]).await;
    for (series, organisation, code, cause) in [
        (330, by_server, "authorization", json!("redirected")),
        (331, by_api, "unforeseenAnswer", Value::Null),
    ] {
        let id = stack.send_as(organisation, &class(series)).await;
        let send = stack.ended_as(organisation, &id).await;
        let reason = &send["jobs"][0]["reason"];
        assert_eq!((&reason["code"], &reason["cause"]), (&json!(code), &cause), "{reason}");
        assert_eq!(reason["httpStatus"], 307);
    }
    let called = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(called.is_err(), "somebody went there");
    stack.finish(0).await;
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_job_costs_one_refresh_a_process() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    federation.set(ORGANISER, &federation.member(&skolverket, ORGANISER, KeyKind::Ec));
    let stack = federation.stack(skolverket, &[]).await;
    let body = send(Size { students: 10_600, teachers: 2, groups: 60, series: 340 });
    let persons = body["persons"].as_array().unwrap();
    let id = uploads::open(&stack, json!({})).await;
    let rest = json!({
        "part": 2, "persons": persons[5300..], "duties": body["duties"], "groups": body["groups"],
        "activities": body["activities"],
    });
    for part in [json!({"part": 1, "persons": persons[..5300]}), rest] {
        let answer = uploads::put(&stack, &id, &part).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(uploads::submit(&stack, &id, 2).await.status, 202);
    let bulk_calls = || {
        let calls = stack.skolverket.calls();
        calls.iter().filter(|call| call.call == CallKind::Bulk && call.kind == Some(Kind::Persons)).count()
    };
    stack.until("the job is in its middle", async || (bulk_calls() >= 8).then_some(())).await;
    let before = token_calls(&stack.skolverket).len();
    stack.skolverket.expire_tokens();
    let ended = stack.ended(&id).await;
    assert_eq!(statuses(&ended), ["succeeded"; 4], "{ended}");
    assert!(bulk_calls() >= 20, "{} batches", bulk_calls());
    let processes = stack.local("/local/processes").await;
    let of = |function: &str| {
        processes.as_array().unwrap().iter().filter(|process| process["function"] == function).count()
    };
    let users = of("users");
    let later = of("duties") + of("groups") + of("activities");
    let asked = token_calls(&stack.skolverket).len();
    assert!(before <= users, "{before} tokens for {users} processes");
    // A process that had none before needs one all the same.
    assert!(asked - before <= users + later, "{asked} tokens, {before} before, {users} + {later} processes");
    println!("{before} tokens before, {} after, for {users} + {later} processes", asked - before);
    stack.finish(0).await;
}

#[tokio::test]
async fn keys_and_tokens_are_nowhere_but_where_they_are_needed() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let mut marks = Vec::new();
    let (by_entity, by_fingerprint, refused) = ("5560001201", "5560001202", "5560001203");
    let (entity, rsa) = member_and_certificate(&federation, by_entity);
    skolverket.register(&entity_of(by_entity), by_entity, rsa.fingerprint());
    let (fingerprint, ec) = federation.holder(by_fingerprint, KeyKind::Rsa);
    let (unregistered, third) = member_and_certificate(&federation, refused);
    for (organisation, settings, client) in
        [(by_entity, entity, rsa), (by_fingerprint, fingerprint, ec), (refused, unregistered, third)]
    {
        federation.set(organisation, &settings);
        marks.extend(client.key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    }
    // A call of each kind goes wrong, and a settings file holds its key in the wrong field.
    skolverket.fault(FaultTarget::calls(CallKind::Bulk).of(by_entity), u32::MAX, Fault::Html(401));
    skolverket.fault(FaultTarget::calls(CallKind::Job).of(by_fingerprint), 1, Fault::TokenExpired);
    let (mut wrong, lost) = federation.holder("5560001204", KeyKind::Ec);
    wrong["entityId"] = wrong["privateKey"].clone();
    federation.set("5560001204", &wrong);
    marks.extend(lost.key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));

    let stack = federation.stack(skolverket, &["--set", "LOG_LEVEL=debug"]).await;
    for (series, organisation, status) in
        [(350, by_entity, "failed"), (351, by_fingerprint, "succeeded"), (352, refused, "failed")]
    {
        let id = stack.send_as(organisation, &class(series)).await;
        assert_eq!(stack.ended_as(organisation, &id).await["status"], status);
    }
    let answer = stack.post("5560001204", "a", class(353).to_string()).await;
    assert_eq!(answer.json()["cause"], "settingsWrong");
    let mut shown = answer.text;
    for organisation in [by_entity, by_fingerprint, refused, "5560001204"] {
        shown += &stack.get_as(organisation, "history:read", "/v1/organiser").await.text;
        shown += &stack.get_as(organisation, "history:read", "/v1/sends").await.text;
    }
    let granted = token_calls(&stack.skolverket);
    let tokens = granted.iter().filter_map(|call| call.response.as_ref()?["access_token"]["value"].as_str());
    marks.extend(tokens.map(|token| token.rsplit('.').next().unwrap().to_owned()));
    assert!(marks.len() > 20, "{}", marks.len());

    let mut listing = Vec::new();
    for process in stack.local("/local/processes").await.as_array().unwrap() {
        for file in ["cmdline", "environ"] {
            // There is no such file on other systems than Linux.
            listing.extend(std::fs::read(format!("/proc/{}/{file}", process["pid"])).unwrap_or_default());
        }
    }
    let listing = String::from_utf8_lossy(&listing).into_owned();
    assert!(!cfg!(target_os = "linux") || listing.contains("TABLE_NAME"));
    let items = opened(&items(&stack).await);
    assert!(items.contains("givenName") && items.contains("succeededAt"), "packed items were opened");
    let logs = stack.log_text();
    let printed = stack.finish(0).await;
    for (what, text) in [
        ("answers", &shown),
        ("process listing", &listing),
        ("items", &items),
        ("logs", &logs),
        ("output", &printed),
    ] {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{what} hold a key or a token");
        }
    }
}

/// The text of items, with all that is packed in them beside.
fn opened(items: &[Value]) -> String {
    let mut text = String::new();
    for item in items {
        text += &item.to_string();
        for value in item.as_object().unwrap().values() {
            let Some(packed) = value["B"].as_str() else { continue };
            let packed = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
            // Behind the byte of the version.
            let compressed = packed.get(1..).unwrap_or_default();
            text += &String::from_utf8_lossy(&zstd::decode_all(compressed).unwrap_or(packed));
        }
    }
    text
}
