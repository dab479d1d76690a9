//! Whether a record is accepted, and its errors and warnings.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::log_entry::LogEntry;
use crate::reference::{Reference, references};
use crate::register::Register;
use crate::shape::{FaultKind, faults};
use crate::{Kind, Rule, Violation, person, register_check, text};

/// The findings in a record.
#[derive(Default)]
pub(crate) struct Findings {
    /// With any of these it is not accepted.
    pub(crate) errors: Vec<LogEntry>,
    pub(crate) warnings: Vec<LogEntry>,
}

/// What a record is checked against: the stored records of its organisation, and the registers.
pub(crate) trait Known {
    /// Whether there is such a record.
    fn is_stored(&self, kind: Kind, id: Uuid) -> bool;
    /// Whether another person has the EPPN.
    fn is_taken(&self, eppn: &str, person: Uuid) -> bool;
    /// Whether a stored person can be written to at work; true where that is not known.
    fn has_work_address(&self, person: Uuid) -> bool;
    /// The registers, and the organisation's number.
    fn registers(&self) -> (&Register, &str);
}

/// Checks a record against the schema, its own rules, the registers and what is stored. Unknown attributes are no
/// ground for refusal: see [`unknown_attributes`].
pub(crate) fn check(kind: Kind, id: Uuid, record: &Value, known: &impl Known, wall: Timestamp) -> Findings {
    let mut found = Findings::default();
    for fault in faults(kind, record) {
        match fault.kind {
            FaultKind::Unknown | FaultKind::ReadOnly => {}
            FaultKind::Missing | FaultKind::Malformed => {
                found.errors.push(malformed(kind, id, fault.attribute, fault.value, wall));
            }
        }
    }
    let error = |attribute: String, value: Option<Value>| malformed(kind, id, attribute, value, wall);
    if kind == Kind::Persons {
        found
            .errors
            .extend(person::faults(record).into_iter().map(|fault| error(fault.attribute, fault.value)));
        found.warnings.extend(person::eppn_warning(record, id, wall));
        let eppn = record["eduPersonPrincipalNames"][0].as_str();
        if let Some(eppn) = eppn.filter(|eppn| known.is_taken(eppn, id)) {
            found.errors.push(error("eduPersonPrincipalNames".to_owned(), Some(eppn.into())));
        }
    }
    if let Some(name) = record["displayName"].as_str()
        && (text::is_blank(name) || !text::is_name(name))
    {
        found.errors.push(error("displayName".to_owned(), Some(name.into())));
    }
    let (register, organisation) = known.registers();
    for unknown in register_check::faults(kind, record, register, organisation) {
        found.errors.push(error(unknown.attribute, unknown.value));
    }
    if Kind::ALL.into_iter().any(|other| other != kind && known.is_stored(other, id)) {
        found.errors.push(error("id".to_owned(), Some(id.to_string().into())));
    }
    for reference in references(kind, record) {
        if known.is_stored(reference.kind, reference.id) {
            if kind == Kind::Duties && !known.has_work_address(reference.id) {
                found.errors.push(error("Email.value".to_owned(), None));
            }
            continue;
        }
        let entry = not_found(&reference, wall);
        // A group is accepted without some of its members since 1.3.2, and is to be sent again with them.
        match kind {
            Kind::Groups => found.warnings.push(entry.warning()),
            Kind::Persons | Kind::Duties | Kind::Activities => found.errors.push(entry),
        }
    }
    found
}

/// The judge's findings about attributes that are not the caller's to send.
pub(crate) fn unknown_attributes(kind: Kind, id: Uuid, record: &Value) -> Vec<Violation> {
    let found = faults(kind, record).into_iter().filter_map(|fault| {
        let why = match fault.kind {
            FaultKind::Unknown => "is not in the schema",
            FaultKind::ReadOnly => "is read-only",
            FaultKind::Missing | FaultKind::Malformed => return None,
        };
        let what = format!("{kind}: attribute {} of record {id} {why}", fault.path);
        Some(Violation::new(Rule::UnknownAttribute, what))
    });
    found.collect()
}

/// The error 2011 of a record.
pub(crate) fn malformed(
    kind: Kind,
    id: Uuid,
    attribute: String,
    value: Option<Value>,
    wall: Timestamp,
) -> LogEntry {
    let message = format!("Attributet <{attribute}> saknas eller har ett ogiltigt format.");
    LogEntry::new("2011", 400, "Ogiltigt format", message, wall)
        .resource(kind, id)
        .attribute(attribute, value)
}

/// The error of a record that exists already when the call was not to update.
pub(crate) fn exists(kind: Kind, id: Uuid, wall: Timestamp) -> LogEntry {
    let message = "Posten finns redan och anropet gällde inte uppdatering.";
    LogEntry::new("4009", 409, "Ogiltigt värde", message, wall).resource(kind, id)
}

fn not_found(reference: &Reference, wall: Timestamp) -> LogEntry {
    let message = format!("{} som posten hänvisar till finns inte.", reference.kind.object_type());
    LogEntry::new("4001", 404, "Ogiltigt värde", message, wall)
        .resource(reference.kind, reference.id)
        .attribute(reference.attribute, None)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::tests::sample;

    type Entry = Map<String, Value>;

    /// These are stored, whatever they are, and nobody has an EPPN.
    struct Stored<'a>(&'a [Uuid], Register);

    impl Known for Stored<'_> {
        fn is_stored(&self, _: Kind, id: Uuid) -> bool {
            self.0.contains(&id)
        }

        fn is_taken(&self, _: &str, _: Uuid) -> bool {
            false
        }

        fn has_work_address(&self, _: Uuid) -> bool {
            true
        }

        fn registers(&self) -> (&Register, &str) {
            (&self.1, "5567044268")
        }
    }

    fn checked(kind: Kind, record: &Value, stored: &[Uuid]) -> (Vec<Entry>, Vec<Entry>) {
        let id = crate::shape::id(&record["id"]).unwrap();
        let known = Stored(stored, Register::new());
        let found = check(kind, id, record, &known, Timestamp::UNIX_EPOCH);
        let shown = |entries: Vec<LogEntry>| {
            let shown = |entry| serde_json::to_value(entry).unwrap().as_object().unwrap().clone();
            entries.into_iter().map(shown).collect::<Vec<_>>()
        };
        (shown(found.errors), shown(found.warnings))
    }

    #[test]
    fn a_school_year_out_of_range_is_an_error_with_its_number() {
        let id = Uuid::new_v4();
        let mut person = sample::person(id);
        for year in [0, 11] {
            person["enrolments"][0]["schoolYear"] = json!(year);
            let (errors, warnings) = checked(Kind::Persons, &person, &[]);
            assert!(warnings.is_empty());
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0]["id"], "2011");
            assert_eq!(errors[0]["statusCode"], 400);
            assert_eq!(errors[0]["messageType"], "Ogiltigt format");
            assert_eq!(errors[0]["attributeName"], "Enrolment.schoolYear");
            assert_eq!(errors[0]["attributeValue"], year);
            assert_eq!(errors[0]["resourceType"], "Person");
            assert_eq!(errors[0]["resourceId"], json!(id));
            assert_eq!(errors[0]["severityLevel"], "Error");
            assert_eq!(errors[0]["timeOfOccurance"], "1970-01-01T00:00:00.000Z");
        }
    }

    #[test]
    fn what_a_school_type_requires_must_be_there() {
        for (school_type, attribute) in
            [("GR", Some("schoolYear")), ("GY", Some("educationCode")), ("VUXGY", None)]
        {
            let mut person = sample::person(Uuid::new_v4());
            person["enrolments"] = json!([{"enroledAt": {"id": Uuid::new_v4()}, "schoolType": school_type}]);
            let (errors, _) = checked(Kind::Persons, &person, &[]);
            let named: Vec<_> = errors.iter().map(|entry| entry["attributeName"].as_str().unwrap()).collect();
            assert_eq!(
                named,
                attribute.map(|name| format!("Enrolment.{name}")).into_iter().collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn an_eppn_made_of_the_name_is_a_warning_that_quotes_it() {
        let mut person = sample::person(Uuid::new_v4());
        person["familyName"] = json!("Löfgren");
        person["eduPersonPrincipalNames"] = json!(["lofgren1@edu.example.se"]);
        let (errors, warnings) = checked(Kind::Persons, &person, &[]);
        assert!(errors.is_empty());
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0]["id"], "3047");
        assert_eq!(warnings[0]["statusCode"], 400);
        assert_eq!(warnings[0]["attributeName"], "eppn");
        assert_eq!(warnings[0]["attributeValue"], "lofgren1@edu.example.se");
        assert_eq!(warnings[0]["severityLevel"], "Warning");
    }

    #[test]
    fn missing_references_refuse_duties_and_activities_but_not_groups() {
        let (person, group, duty) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());

        let record = sample::duty(duty, person);
        assert!(checked(Kind::Duties, &record, &[person]).0.is_empty());
        let (errors, _) = checked(Kind::Duties, &record, &[]);
        assert_eq!(errors.len(), 1);
        assert_eq!((&errors[0]["id"], &errors[0]["statusCode"]), (&json!("4001"), &json!(404)));
        assert_eq!(
            (&errors[0]["resourceType"], &errors[0]["resourceId"]),
            (&json!("Person"), &json!(person))
        );

        let record = sample::group(group, &[person, duty]);
        let (errors, warnings) = checked(Kind::Groups, &record, &[duty]);
        assert!(errors.is_empty());
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0]["resourceId"], json!(person));

        let record = sample::activity(Uuid::new_v4(), &[group], &[duty]);
        assert!(checked(Kind::Activities, &record, &[group, duty]).0.is_empty());
        let (errors, _) = checked(Kind::Activities, &record, &[]);
        let missing: Vec<_> = errors.iter().map(|entry| entry["resourceType"].as_str().unwrap()).collect();
        assert_eq!(missing, ["Group", "Duty"]);
    }

    #[test]
    fn unknown_attributes_are_the_judges_matter_only() {
        let id = Uuid::new_v4();
        let mut person = sample::person(id);
        person["nickname"] = json!("marked");
        let (errors, warnings) = checked(Kind::Persons, &person, &[]);
        assert!(errors.is_empty() && warnings.is_empty());
        let found = unknown_attributes(Kind::Persons, id, &person);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule, Rule::UnknownAttribute);
        assert_eq!(found[0].what, format!("persons: attribute nickname of record {id} is not in the schema"));
    }
}
