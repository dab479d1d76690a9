//! The checks of a person beyond the schema's types.

use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::log_entry::LogEntry;
use crate::{Kind, civic_number, eppn, text};

/// An attribute that is not as it has to be.
pub(crate) struct Fault {
    /// As LogEntry.attributeName has it.
    pub(crate) attribute: String,
    /// What stands there, if anything does.
    pub(crate) value: Option<Value>,
}

/// The faults of a person by itself.
pub(crate) fn faults(person: &Value) -> Vec<Fault> {
    let mut faults = missing_of_enrolments(person);
    let mut wrong = |attribute: &str, value: &Value| {
        faults.push(Fault { attribute: attribute.to_owned(), value: Some(value.clone()) });
    };
    let civic_number = &person["civicNo"]["value"];
    if civic_number.as_str().is_some_and(|number| !civic_number::is_well_formed(number)) {
        wrong("CivicNo.value", civic_number);
    }
    let eppn = &person["eduPersonPrincipalNames"][0];
    if eppn.as_str().is_some_and(|eppn| !text::is_eppn(eppn)) {
        wrong("eduPersonPrincipalNames", eppn);
    }
    for name in ["givenName", "middleName", "familyName"] {
        if person[name].as_str().is_some_and(|text| !text::is_name(text)) {
            wrong(name, &person[name]);
        }
    }
    // People with one name exist, people with none do not.
    if ["givenName", "familyName"].iter().all(|name| person[*name].as_str().is_some_and(text::is_blank)) {
        wrong("familyName", &person["familyName"]);
    }
    for email in list(person, "emails") {
        if email["type"] == "Skola personal" && !email["value"].as_str().is_some_and(text::is_address) {
            wrong("Email.value", &email["value"]);
        }
    }
    let is_student = list(person, "enrolments").iter().any(|enrolment| enrolment["cancelled"] != true);
    if is_student && !list(person, "externalIdentifiers").is_empty() {
        wrong("ExternalIdentifier.value", &Value::Null);
    }
    faults
}

/// Attributes of an enrolment that its school type requires: `schoolYear` for GR, SP and SAM, `educationCode` for GY
/// (the schema says so in its text only).
fn missing_of_enrolments(person: &Value) -> Vec<Fault> {
    let missing = list(person, "enrolments").iter().filter_map(|enrolment| {
        let attribute = match enrolment["schoolType"].as_str()? {
            "GR" | "SP" | "SAM" => "schoolYear",
            "GY" => "educationCode",
            _ => return None,
        };
        let missing = enrolment.get(attribute).is_none_or(|value| value == "");
        missing.then(|| Fault { attribute: format!("Enrolment.{attribute}"), value: None })
    });
    missing.collect()
}

/// Whether the person has an address of the school's staff.
pub(crate) fn has_work_address(person: &Value) -> bool {
    list(person, "emails").iter().any(|email| email["type"] == "Skola personal")
}

/// An EPPN as EPPNs are compared: without Unicode form and letter case.
pub(crate) fn compared(eppn: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(eppn).to_lowercase()
}

fn list<'a>(person: &'a Value, name: &str) -> &'a [Value] {
    person[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The warning 3047, about an EPPN that shows its holder's name. It quotes the EPPN, as Skolverket's does.
pub(crate) fn eppn_warning(person: &Value, id: Uuid, wall: Timestamp) -> Option<LogEntry> {
    let quoted = person["eduPersonPrincipalNames"].get(0)?.as_str()?;
    let (given_name, family_name) = (person["givenName"].as_str()?, person["familyName"].as_str()?);
    if !eppn::shows_name(quoted, given_name, family_name) {
        return None;
    }
    let message = "Federationsanvändarnamnet bör ändras: det innehåller början av efternamnet, eller av både \
                   efternamnet och förnamnet.";
    let entry = LogEntry::new("3047", 400, "Bristfälligt värde", message, wall);
    Some(entry.resource(Kind::Persons, id).attribute("eppn", Some(quoted.into())).warning())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::sample;

    /// The attributes that are wrong once a good person's is set to this.
    fn wrong(pointer: &str, value: Value) -> Vec<String> {
        let mut person = sample::person(Uuid::new_v4());
        *person.pointer_mut(pointer).unwrap() = value;
        faults(&person).into_iter().map(|fault| fault.attribute).collect()
    }

    #[test]
    fn a_person_is_held_to_more_than_types() {
        assert!(faults(&sample::person(Uuid::new_v4())).is_empty());
        for (pointer, value, attribute) in [
            ("/civicNo/value", json!("201401019806"), "CivicNo.value"),
            ("/eduPersonPrincipalNames/0", json!("x7q2.example.se"), "eduPersonPrincipalNames"),
            ("/eduPersonPrincipalNames/0", json!("x7\u{200b}q2@example.se"), "eduPersonPrincipalNames"),
            ("/familyName", json!("Ek\u{1b}"), "familyName"),
            ("/givenName", json!("å".repeat(256)), "givenName"),
            ("/emails/0", json!({"value": "siv", "type": "Skola personal"}), "Email.value"),
            ("/enrolments/0", json!({"schoolType": "GY", "educationCode": ""}), "Enrolment.educationCode"),
        ] {
            assert_eq!(wrong(pointer, value), [attribute], "{pointer}");
        }
        // An address that is not known to be refused is accepted.
        assert!(wrong("/givenName", json!("")).is_empty());
        assert!(wrong("/emails/0/value", json!("siv")).is_empty());
    }

    #[test]
    fn somebody_has_a_name_and_a_student_no_identifier_of_staff() {
        let mut person = sample::person(Uuid::new_v4());
        person["externalIdentifiers"] = json!([{"value": "x", "context": "https://eduid.se"}]);
        person["givenName"] = json!(" ");
        person["familyName"] = json!("\u{200b}");
        let attributes: Vec<_> = faults(&person).into_iter().map(|fault| fault.attribute).collect();
        assert_eq!(attributes, ["familyName", "ExternalIdentifier.value"]);
        person["enrolments"][0]["cancelled"] = json!(true);
        person["familyName"] = json!("Ek");
        assert!(faults(&person).is_empty());
    }

    #[test]
    fn eppns_are_compared_as_people_read_them() {
        assert_eq!(compared("Å1@EDU.se"), compared("A\u{30a}1@edu.se"));
        assert_eq!(compared("ｘ1@edu.se"), compared("x1@edu.se"));
        assert_ne!(compared("x1@edu.se"), compared("x2@edu.se"));
    }
}
