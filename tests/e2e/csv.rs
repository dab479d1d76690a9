//! Record rows as CSV.

use reqwest::Method;
use serde_json::json;
use stafett_simulator::{Log, ScriptedOutcome};

use crate::answer::Answer;
use crate::people::{Size, record_id, send};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};

async fn sheet(stack: &TestStack, scope: &str, path: &str, language: &str) -> Answer {
    let token = stack.token(ORGANISER, scope).await;
    let request = stack.call(Method::GET, path).bearer_auth(token).header("accept", "text/csv");
    stack.request(request.header("accept-language", language)).await
}

/// Lines of a sheet without its byte order mark, each as its cells: nothing here needs quotes but one name.
fn lines(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let text = answer.text.strip_prefix('\u{feff}').expect("a byte order mark");
    text.strip_suffix("\r\n").expect("an end of line").split("\r\n").collect()
}

#[tokio::test]
async fn rows_are_a_sheet_for_those_who_ask_for_one() {
    let (stack, _settings) = TestStack::start_attesting().await;
    let mut body = send(Size { students: 700, teachers: 2, groups: 2, series: 870 });
    body["persons"][0]["givenName"] = json!("=HYPERLINK(\"x\")");
    body["persons"][1]["familyName"] = json!("Semikolon;ström");
    body["persons"][2]["securityMarking"] = json!("Sekretessmarkering");
    let log = Log::new("2011", 400, "Ogiltigt format", "Värdet 12 godtas inte.")
        .attribute("Enrolment.schoolYear", "12");
    stack.skolverket.script(record_id(&body, "persons", 1), ScriptedOutcome::Error(log));
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let path = format!("/v1/sends/{id}/jobs/users/records");

    let personal = sheet(&stack, ALL_SCOPES, &path, "sv").await;
    let found = lines(&personal);
    // More than one batch, in one answer.
    assert_eq!(found.len(), 703);
    assert_eq!(
        found[0],
        "Status;Namn;Roll;Personnummer;EPPN;Årskurs;Skolform;Anmärkningar;Meddelanden;Poster som inte godtogs;Id"
    );
    let civic_number = body["persons"][0]["civicNo"]["value"].as_str().unwrap();
    let accepted = "godtagen av Skolverket; ännu inte sedd i provplattformen";
    assert!(
        found[1]
            .starts_with(&format!("\"{accepted}\";\"'=HYPERLINK(\"\"x\"\") Öqvist\";Elev;{civic_number};k")),
        "{}",
        found[1]
    );
    assert!(
        found[2].starts_with("inte godtagen av Skolverket;\"Förnamn Semikolon;ström\";Elev;"),
        "{}",
        found[2]
    );
    assert!(
        found[2].contains(";6;GR;;2011 Ogiltigt format, Enrolment.schoolYear: Värdet 12 godtas inte.;;"),
        "{}",
        found[2]
    );
    assert!(found[2].ends_with(body["persons"][1]["id"].as_str().unwrap()));
    assert_eq!(
        personal.headers["content-disposition"],
        format!("attachment; filename=\"stafett-users-{id}.csv\"")
    );
    assert_eq!(personal.headers["cache-control"], "no-store");
    assert!(!personal.headers.contains_key("link"), "it is all");

    // As much as the rows in JSON show.
    let masked = sheet(&stack, "history:read", &path, "sv").await;
    let hidden = lines(&masked);
    assert!(hidden[1].contains(";Elev;;;6;GR;"), "{}", hidden[1]);
    assert!(hidden[2].contains(";2011 Ogiltigt format, Enrolment.schoolYear;;"), "{}", hidden[2]);
    // Of a protected person there is neither name nor number, whatever the scope.
    for (line, of_all) in [(hidden[3], &hidden), (found[3], &found)] {
        assert!(line.contains(";;Elev;;;6;GR;"), "{line}");
        assert_eq!(of_all.len(), 703);
    }
    assert!(!masked.text.contains(civic_number) && !masked.text.contains("Värdet 12"));

    let english = sheet(&stack, ALL_SCOPES, &format!("{path}?outcome=error"), "en-GB,sv;q=0.5").await;
    let only = lines(&english);
    assert_eq!((only.len(), only[0].starts_with("Status;Name;Role;Civic number;EPPN;")), (2, true));
    assert!(only[1].starts_with("not accepted by Skolverket;"));

    // By page, each with its names, over batches: the next one is named.
    let (mut next, mut rows) = (Some(format!("{path}?limit=300&outcome=success,error")), Vec::new());
    while let Some(page) = next {
        let answer = sheet(&stack, ALL_SCOPES, &page, "sv").await;
        rows.extend(lines(&answer)[1..].iter().map(|line| (*line).to_owned()));
        next = answer.headers.get("link").map(|link| {
            let link = link.to_str().unwrap();
            link.strip_prefix('<')
                .and_then(|link| link.strip_suffix(">; rel=\"next\""))
                .expect(link)
                .to_owned()
        });
    }
    assert_eq!(rows, found[1..]);
    for (stage, names) in [
        ("duties", "Status;Namn;Roll;Person-id;"),
        ("groups", "Status;Namn;Grupptyp;Skolform;Medlemmar;"),
        ("activities", "Status;Namn;Provkod;Skolenhetskod;Grupper;Lärare;"),
    ] {
        let answer = sheet(&stack, ALL_SCOPES, &format!("/v1/sends/{id}/jobs/{stage}/records"), "sv").await;
        let found = lines(&answer);
        assert!(found[0].starts_with(names), "{}", found[0]);
        if stage == "activities" {
            assert!(found[1].contains(";Prov Biologi;GRGRBIO01_6;31279295;1;2;"), "{}", found[1]);
        }
    }
    let too_many = sheet(&stack, ALL_SCOPES, &format!("{path}?limit=10001"), "sv").await;
    assert_eq!(too_many.status, 400);
    stack.finish(0).await;
}
