//! Names, EPPNs, civic numbers and addresses (rules 4–8).

use serde_json::json;

use super::{OTHER, Row, civic_number, eppn, row};
use crate::kind::finding_code::FindingCode::*;
use crate::sample::{STUDENT, TEACHER};

pub(super) fn rows() -> Vec<Row> {
    const EPPN: &str = "/persons/0/eduPersonPrincipalNames/0";
    const NUMBER: &str = "/persons/0/civicNo/value";
    vec![
        row(
            4,
            NamesBlank,
            "/persons/0",
            Some(STUDENT),
            |_| {},
            |body| {
                body["persons"][0]["givenName"] = json!("");
                body["persons"][0]["familyName"] = json!(" \u{a0}");
            },
        ),
        row(
            4,
            NameBlank,
            "/persons/0/givenName",
            Some(STUDENT),
            |body| {
                body["persons"][0].as_object_mut().unwrap().remove("middleName");
            },
            |body| body["persons"][0]["givenName"] = json!(""),
        ),
        row(
            4,
            NameControlCharacter,
            "/persons/0/familyName",
            Some(STUDENT),
            |body| body["persons"][0]["familyName"] = json!("von Äng-dal O'Ék"),
            |body| body["persons"][0]["familyName"] = json!("Äng\ndal"),
        ),
        row(
            4,
            NameInvisibleCharacter,
            "/persons/0/givenName",
            Some(STUDENT),
            |body| body["persons"][0]["givenName"] = json!("A\u{30a}ke"),
            |body| body["persons"][0]["givenName"] = json!("\u{202e}Åke"),
        ),
        row(
            5,
            EppnInvisibleCharacter,
            EPPN,
            Some(STUDENT),
            |body| eppn(body, 0, "a\u{30a}7@edu.example.se"),
            |body| eppn(body, 0, "k7q2m9\u{200b}@edu.example.se"),
        ),
        row(
            5,
            EppnShared,
            "/persons/1/eduPersonPrincipalNames/0",
            Some(TEACHER),
            |body| {
                eppn(body, 0, "åkq7zx1@edu.example.se");
                eppn(body, 1, "akq7zx1@edu.example.se");
            },
            |body| {
                eppn(body, 0, "Åkq7zx1@edu.example.se");
                eppn(body, 1, "a\u{30a}kq7zx1@edu.example.se");
            },
        ),
        row(
            6,
            EppnShowsName,
            EPPN,
            Some(STUDENT),
            |body| body["persons"][0]["familyName"] = json!("A\u{308}ngdal"),
            |body| eppn(body, 0, "A\u{308}ngdal1@edu.example.se"),
        ),
        row(
            7,
            CivicNumberBirthUnknown,
            NUMBER,
            Some(STUDENT),
            |body| civic_number(body, "201401619802"),
            |body| civic_number(body, "201300729827"),
        ),
        row(
            7,
            CivicNumberBirthUnknown,
            NUMBER,
            Some(STUDENT),
            |_| {},
            |body| civic_number(body, "201304609835"),
        ),
        row(
            7,
            CivicNumberBirthNumber,
            NUMBER,
            Some(STUDENT),
            |_| {},
            |body| civic_number(body, "201401010002"),
        ),
        row(
            7,
            CivicNumberInFuture,
            NUMBER,
            Some(STUDENT),
            |body| civic_number(body, "202611239803"),
            |body| civic_number(body, "202611249802"),
        ),
        row(
            7,
            CivicNumberShared,
            "/persons/2/civicNo/value",
            Some(OTHER),
            |_| {},
            |body| {
                let mut other = body["persons"][0].clone();
                (other["id"], other["emails"]) = (json!(OTHER), json!([]));
                other["eduPersonPrincipalNames"] = json!(["k7q2m8@edu.example.se"]);
                body["persons"].as_array_mut().unwrap().push(other);
            },
        ),
        row(
            8,
            StaffEmailForm,
            "/persons/1/emails/0/value",
            Some(TEACHER),
            |_| {},
            |body| body["persons"][1]["emails"][0]["value"] = json!("siv"),
        ),
    ]
}
