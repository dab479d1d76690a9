//! Nothing that a body holds comes out where it should not.

use serde_json::json;

use super::*;
use crate::sample::{NOT_ATTESTED, STUDENT, complete, parse, read, setting, with};

/// Not a name that may be quoted, and in none of our own texts.
const MARK: &str = "Märkt Värde 7";

/// Every place of a tree, the root excepted.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    if !at.is_empty() {
        places.push(at.to_owned());
    }
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in inner {
        self::places(value, &format!("{at}/{step}"), places);
    }
}

fn assert_silent(body: &[u8]) {
    match Submission::read(body, NOT_ATTESTED) {
        Ok(read) => {
            assert!(!format!("{read:?}").contains(MARK));
            assert!(!serde_json::to_string(&read.findings.groups()).unwrap().contains(MARK), "{read:?}");
        }
        Err(Rejection::NotReadable(unreadable)) => {
            assert!(!format!("{:?}", unreadable.text()).contains(MARK), "{unreadable:?}");
        }
        Err(Rejection::Faults(_)) => panic!("reading refuses nothing"),
    }
}

#[test]
fn no_answer_repeats_a_value_or_a_strange_name() {
    fn mark_all(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.values_mut().for_each(mark_all);
                object.insert(MARK.to_owned(), json!({MARK: MARK}));
            }
            Value::Array(list) => list.iter_mut().for_each(mark_all),
            value => *value = json!(MARK),
        }
    }
    let marked = with(mark_all);
    let found = read(&marked).findings;
    assert!(found.total(Severity::Error) > 40);
    assert_silent(marked.to_string().as_bytes());

    let mut all = Vec::new();
    places(&complete(), "", &mut all);
    assert!(all.len() > 70);
    for at in &all {
        for value in [json!(MARK), json!([MARK]), json!({MARK: MARK})] {
            assert_silent(setting(at, Some(value)).to_string().as_bytes());
        }
    }

    // Twice the same strange name, a body cut short anywhere, and bytes that are no text.
    let text = marked.to_string();
    assert_silent(format!(r#"{{"{MARK}": {{"a": 1, "a": 2}}, "{MARK}": "{MARK}"}}"#).as_bytes());
    for end in (0..text.len()).step_by(97) {
        assert_silent(&text.as_bytes()[..end]);
        assert_silent(&[&text.as_bytes()[..end], b"\xff"].concat());
    }
}

#[test]
fn no_record_prints_its_values() {
    let markable =
        ["givenName", "middleName", "familyName", "displayName", "nationality", "context", "educationCode"];
    fn mark(value: &mut Value, markable: &[&str]) {
        match value {
            Value::Object(object) => object.iter_mut().for_each(|(name, value)| {
                if markable.contains(&name.as_str()) || (name == "value" && value.is_string()) {
                    *value = json!(MARK);
                } else if name == "eduPersonPrincipalNames" {
                    *value = json!([MARK]);
                } else {
                    mark(value, markable);
                }
            }),
            Value::Array(list) => list.iter_mut().for_each(|value| mark(value, markable)),
            _ => {}
        }
    }
    let marked = with(|body| {
        mark(body, &markable);
        body["options"]["validation"] = json!("warnOnly");
    });
    let submission = parse(&marked).unwrap();
    let plan = crate::submission::plan::Plan::of(&submission);
    let person = submission.persons[0].record();
    assert_eq!(person.given_name.expose(), MARK);
    let printed = format!(
        "{submission:?} {person:?} {:?} {:?} {:?} {:?} {plan:?}",
        person.given_name,
        submission.duties[0].record(),
        submission.groups[0].record(),
        submission.activities[0].record(),
    );
    assert!(!printed.contains(MARK), "{printed}");
    assert!(printed.contains(&format!("Person({STUDENT})")));
}
