//! Organisers with certificates of their own, over real TLS; their settings as they come and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stafett_simulator::certificate::{KeyKind, Subject, self_signed_server};
use stafett_simulator::{FingerprintForm, Kind, Simulator, Tls, TlsVersions};

use crate::federation::{Federation, at_own_school, entity_of, token_calls, write_settings};
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack, limits, roomy};

#[tokio::test]
async fn fifty_organisers_send_at_once_each_with_its_own_certificate_and_token() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(roomy(), TlsVersions::Both).await;
    let mut bodies = Vec::new();
    for place in 0..50_u16 {
        let organisation = format!("55600001{place:02}");
        let kind = if place % 10 < 2 { KeyKind::Rsa } else { KeyKind::Ec };
        let settings = if place % 2 == 0 {
            let mut settings = federation.member(&skolverket, &organisation, kind);
            settings["pinnedKeys"] = json!([format!("sha256//{}=", "A".repeat(43)), federation.server.pin()]);
            settings
        } else {
            federation.holder(&organisation, kind).0
        };
        federation.set(&organisation, &settings);
        let code = format!("400000{place:02}");
        bodies.push((
            organisation.clone(),
            at_own_school(&class(200 + place), &skolverket, &organisation, &code),
        ));
    }
    let stack = federation.stack(skolverket, &[]).await;
    let sends = bodies.iter().map(async |(organisation, body)| {
        let id = stack.send_as(organisation, body).await;
        let send = stack.ended_as(organisation, &id).await;
        assert_eq!(send["status"], "succeeded", "{organisation} {send}");
    });
    futures::future::join_all(sends).await;
    for (organisation, body) in &bodies {
        let persons: Vec<_> = (0..8).map(|index| record_id(body, "persons", index)).collect();
        assert_eq!(stack.skolverket.stored(organisation, Kind::Persons), persons, "{organisation}");
    }
    let mut asked: BTreeMap<String, u32> = BTreeMap::new();
    for call in token_calls(&stack.skolverket) {
        assert_eq!(call.status, 200);
        *asked.entry(call.organisation.unwrap()).or_default() += 1;
    }
    assert_eq!(asked.len(), 50);
    // Twenty processes at most, and none asks twice.
    assert!(asked.values().all(|times| (4..=20).contains(times)), "{asked:?}");
    // The judge has held each call's records against the token's organisation, and the API's certificates.
    stack.finish(0).await;
}

#[tokio::test]
async fn a_process_asks_for_one_token_and_keeps_it() {
    let federation = Federation::new();
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let skolverket = federation.skolverket(limits(), versions).await;
        skolverket.take_fingerprints(&[FingerprintForm::Documented]);
        federation.set(ORGANISER, &federation.holder(ORGANISER, KeyKind::Ec).0);
        let stack = federation.stack(skolverket, &[]).await;
        for series in 250..253 {
            let id = stack.send(&class(series)).await;
            assert_eq!(stack.ended(&id).await["status"], "succeeded");
        }
        let processes = stack.local("/local/processes").await;
        let stages = ["users", "duties", "groups", "activities"];
        let names = processes.as_array().unwrap().iter().map(|process| process["function"].as_str().unwrap());
        let at_work = names.filter(|name| stages.contains(name)).count();
        let asked = token_calls(&stack.skolverket).len();
        assert!(asked <= at_work, "{asked} tokens for {at_work} processes, {versions:?}");
        println!("{asked} tokens for {at_work} processes and 3 sends");
        stack.finish(0).await;
    }
}

#[tokio::test]
async fn the_form_of_the_rfc_is_tried_once_where_the_documented_one_is_refused() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    skolverket.take_fingerprints(&[FingerprintForm::Rfc8705]);
    federation.set(ORGANISER, &federation.holder(ORGANISER, KeyKind::Ec).0);
    let stack = federation.stack(skolverket, &[]).await;
    let id = stack.send(&class(255)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let statuses: Vec<u16> = token_calls(&stack.skolverket).iter().map(|call| call.status).collect();
    assert_eq!(&statuses[..2], [401, 200]);
    assert!(statuses.chunks(2).all(|pair| pair == [401, 200]), "{statuses:?}");
    stack.finish(0).await;
}

#[tokio::test]
async fn in_a_federation_the_pin_alone_says_which_server_it_is() {
    let federation = Federation::new();
    let own = self_signed_server().unwrap();
    let tls = Tls {
        authorization: &own,
        api: &federation.server,
        approved: &federation.issuing,
        versions: TlsVersions::Both,
    };
    let skolverket = Simulator::start_tls(limits(), &tls).await.unwrap();
    let mut settings = federation.member(&skolverket, ORGANISER, KeyKind::Ec);
    settings["pinnedKeys"] = json!([own.pin()]);
    settings["pinnedKeysAlone"] = json!(true);
    federation.set(ORGANISER, &settings);
    let strict = "5560000002";
    let mut with_roots = federation.member(&skolverket, strict, KeyKind::Ec);
    with_roots["pinnedKeys"] = json!([own.pin()]);
    federation.set(strict, &with_roots);
    let stack = federation.stack(skolverket, &[]).await;
    let id = stack.send(&class(256)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let id = stack.send_as(strict, &class(257)).await;
    let send = stack.ended_as(strict, &id).await;
    assert_eq!(send["jobs"][0]["reason"]["cause"], "serverNotTrusted", "{send}");
    stack.finish(0).await;
}

#[tokio::test]
async fn settings_come_change_and_go_without_a_deploy() {
    let settings = tempfile::TempDir::new().unwrap();
    let arguments = ["--organisers", settings.path().to_str().unwrap()];
    let skolverket = Simulator::start(limits()).await.unwrap();
    let stack = TestStack::start_with(skolverket, &arguments).await;
    let organisation = "5560000003";
    let mark = "MARKERADHEMLIGHET";
    let body = class(260);
    // What is asked for until the answer is this one; each with a key of its own, and a send that ends.
    let until = async |what: &str, status: u16, cause: Value| {
        stack
            .until(what, async || {
                let key = uuid::Uuid::new_v4().to_string();
                let answer = stack.post(organisation, &key, body.to_string()).await;
                let json = answer.json();
                if let Some(id) = json["id"].as_str() {
                    stack.ended_as(organisation, id).await;
                }
                assert!(!answer.text.contains(mark));
                (answer.status == status && json["cause"] == cause).then_some(json)
            })
            .await
    };
    write_settings(settings.path(), organisation, &json!({"retentionDays": mark, "privateKey": mark}));
    let refused = until("wrong settings are refused", 409, json!("settingsWrong")).await;
    assert!(refused["detail"].is_string() && refused["detailSv"].is_string());
    let shown = stack.get_as(organisation, "history:read", "/v1/organiser").await;
    assert!(!shown.text.contains(mark), "{}", shown.text);
    let fields: Vec<_> =
        shown.json()["faults"].as_array().unwrap().iter().map(|fault| fault["field"].clone()).collect();
    assert_eq!(fields, ["certificate", "retentionDays"]);

    write_settings(settings.path(), organisation, &json!({"entityId": entity_of(organisation)}));
    until("settings that were mended are taken up", 202, Value::Null).await;
    std::fs::remove_file(settings.path().join(format!("{organisation}.json"))).unwrap();
    until("settings that were removed are missed", 409, json!("settingsMissing")).await;
    assert!(!stack.log_text().contains(mark));
    assert!(stack.log_text().contains("retentionDays: must be a whole number"), "{}", stack.log_text());
    stack.finish(0).await;
}

#[tokio::test]
async fn a_send_goes_to_the_environment_that_it_names_and_the_settings_allow() {
    let settings = tempfile::TempDir::new().unwrap();
    let skolverket = Simulator::start(limits()).await.unwrap();
    let verification = skolverket.start_verification(limits()).await.unwrap();
    let url = verification.provisioning_url();
    let arguments = ["--organisers", settings.path().to_str().unwrap(), "--verification-url", &url];
    let entity = entity_of(ORGANISER);
    let both = json!({"entityId": entity, "environments": ["verification", "production"]});
    write_settings(settings.path(), ORGANISER, &both);
    let only_production = "5560000004";
    let plain = json!({"entityId": entity_of(only_production)});
    write_settings(settings.path(), only_production, &plain);
    let stack = TestStack::start_with(skolverket, &arguments).await;

    let (mut first, second) = (class(261), class(262));
    let person = record_id(&first, "persons", 0);
    first["options"] = json!({"environment": "production"});
    for (body, environment) in [(&first, "production"), (&second, "verification")] {
        let id = stack.send(body).await;
        let send = stack.ended(&id).await;
        assert_eq!(
            (&send["status"], &send["options"]["environment"]),
            (&json!("succeeded"), &json!(environment))
        );
    }
    assert_eq!(stack.skolverket.stored(ORGANISER, Kind::Persons)[0], person);
    assert_eq!(stack.skolverket.stored(ORGANISER, Kind::Persons).len(), 8);
    assert_eq!(verification.stored(ORGANISER, Kind::Persons)[0], record_id(&second, "persons", 0));
    assert_eq!(verification.stored(ORGANISER, Kind::Persons).len(), 8);
    // Both tokens came from the one authorization server, each for its own API.
    let locations: std::collections::BTreeSet<_> = token_calls(&stack.skolverket)
        .iter()
        .map(|call| {
            call.request.as_ref().unwrap()["access_token"][0]["access"][0]["locations"][0].to_string()
        })
        .collect();
    assert_eq!(locations.len(), 2);
    assert!(token_calls(&verification).is_empty() && verification.violations().is_empty());

    let mut not_allowed = class(263);
    not_allowed["options"] = json!({"environment": "verification"});
    let answer = stack.post(only_production, "verification", not_allowed.to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["type"]),
        (422, &json!("urn:stafett:problem:environment"))
    );
    not_allowed["options"] = json!({"environment": "staging"});
    let answer = stack.post(only_production, "staging", not_allowed.to_string()).await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/options/environment");
    stack.finish(0).await;
}

#[tokio::test]
async fn the_organiser_sees_its_certificate_and_is_warned_in_time() {
    let federation = Federation::new();
    let skolverket = federation.skolverket(limits(), TlsVersions::Both).await;
    let number = format!("EFOS16{ORGANISER}-000012");
    // The date is made from today's: a certificate that has ten days left.
    let day = |days: i32| {
        let day =
            jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().days(days);
        (i32::from(day.year()), u8::try_from(day.month()).unwrap(), u8::try_from(day.day()).unwrap())
    };
    let holder = |number: &str, last_day| {
        let subject = Subject { serial_number: Some(number), last_day, ..Subject::default() };
        let client = federation.issuing.client(&subject, KeyKind::Ec).unwrap();
        json!({"certificate": client.certificate, "privateKey": client.key})
    };
    federation.set(ORGANISER, &holder(&number, day(10)));
    let (expired, anothers) = ("5560000005", "5560000006");
    federation.set(expired, &holder(&format!("16{expired}"), day(-1)));
    federation.set(anothers, &holder("SE5560000007-AB12", day(100)));
    let stack = federation.stack(skolverket, &[]).await;

    let id = stack.send(&class(264)).await;
    let send = stack.ended(&id).await;
    assert_eq!(send["status"], "succeeded");
    let warning = &send["warnings"][0];
    assert_eq!((&warning["code"], &warning["daysLeft"]), (&json!("certificateExpires"), &json!(9)), "{send}");
    let shown = stack.get_as(ORGANISER, "history:read", "/v1/organiser").await;
    assert!(!shown.text.contains("PRIVATE KEY") && !shown.text.contains("BEGIN"), "{}", shown.text);
    let shown = shown.json();
    let certificate = &shown["settings"]["certificate"];
    assert_eq!(
        (&certificate["organisationNumber"], &certificate["daysLeft"]),
        (&json!(ORGANISER), &json!(9))
    );
    assert!(certificate["subject"].as_str().unwrap().contains("Exempelkommun Å Ä Ö"), "{certificate}");
    assert_eq!(shown["settings"]["keyForm"], "certificateFingerprint");
    assert!(shown["settings"]["environments"][0]["lastTokenAt"].is_string(), "{shown}");
    assert_eq!(
        (&shown["problem"], &shown["settings"]["environments"][0]["lastFailure"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(stack.get_as(ORGANISER, "sends:write", "/v1/organiser").await.status, 403);

    for (organisation, cause) in [(expired, "certificateExpired"), (anothers, "otherOrganisation")] {
        let answer = stack.post(organisation, "a", class(265).to_string()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["cause"]),
            (409, &json!(cause)),
            "{}",
            answer.text
        );
        let shown = stack.get_as(organisation, "history:read", "/v1/organiser").await.json();
        assert_eq!(shown["problem"]["cause"], cause);
        let sends = stack.get_as(organisation, ALL_SCOPES, "/v1/sends").await.json();
        assert_eq!(sends["items"], json!([]), "nothing was stored");
    }
    assert_eq!(token_calls(&stack.skolverket).iter().filter(|call| call.status != 200).count(), 0);
    stack
        .until("the watch has looked at every certificate", async || {
            let text = stack.log_text();
            let lines = text.lines().filter(|line| line.contains("organiser.certificate"));
            let seen: std::collections::BTreeSet<_> = lines
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .map(|line| (line["organisation"].to_string(), line["days_left"].as_i64().unwrap()))
                .collect();
            (seen.len() == 3 && seen.iter().any(|(_, days)| *days < 0)).then_some(())
        })
        .await;
    stack.finish(0).await;
}

#[tokio::test]
async fn protected_persons_go_only_where_the_organiser_attests_its_routine() {
    let settings = tempfile::TempDir::new().unwrap();
    let arguments = ["--organisers", settings.path().to_str().unwrap()];
    let (attests, does_not) = ("5560000008", "5560000009");
    let with = json!({"entityId": entity_of(attests), "protectedIdentitiesAttested": true});
    write_settings(settings.path(), attests, &with);
    write_settings(settings.path(), does_not, &json!({"entityId": entity_of(does_not)}));
    let skolverket = Simulator::start(limits()).await.unwrap();
    let stack = TestStack::start_with(skolverket, &arguments).await;
    let mut body = class(266);
    body["persons"][2]["securityMarking"] = json!("Skyddad folkbokföring");
    body["persons"][4]["securityMarking"] = json!("Sekretessmarkering");
    let refused = stack.post(does_not, "a", body.to_string()).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let errors = refused.json()["errors"].clone();
    let pointers: Vec<_> = errors.as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/persons/2/securityMarking", "/persons/4/securityMarking"]);
    assert_eq!((&errors[0]["code"], &errors[0]["rule"]), (&json!("protectedNotAttested"), &json!(11)));
    assert_eq!(errors[0]["mender"], "operator");

    let id = stack.send_as(attests, &body).await;
    assert_eq!(stack.ended_as(attests, &id).await["status"], "succeeded");
    let path = format!("/v1/sends/{id}/jobs/users/records");
    let row = async |scope: &str| stack.get_as(attests, scope, &path).await.json()["items"][2].clone();
    let masked = row("history:read").await;
    for hidden in ["name", "civicNo", "eppn"] {
        assert_eq!(masked[hidden], serde_json::Value::Null, "{masked}");
    }
    assert_eq!((&masked["protected"], &masked["masked"]), (&json!(true), &json!(true)), "{masked}");
    let shown = row("history:personal").await;
    assert_eq!(shown["name"], "Förnamn Öqvist");
    assert_eq!((&shown["protected"], &shown["masked"]), (&json!(true), &json!(false)), "{shown}");
    // A CSV file holds none of them, whatever scopes the caller has.
    let token = stack.token(attests, ALL_SCOPES).await;
    let request = stack.call(reqwest::Method::GET, &path).bearer_auth(token).header("accept", "text/csv");
    let file = stack.request(request).await.text;
    let line = file.lines().find(|line| line.contains(masked["id"].as_str().unwrap())).unwrap();
    for left_out in ["name", "civicNo", "eppn"] {
        assert!(!line.contains(shown[left_out].as_str().unwrap()), "{line}");
    }
    assert!(
        line.contains("Elev") && file.lines().filter(|line| line.contains("Öqvist")).count() == 4,
        "{file}"
    );
    stack.finish(0).await;
}
