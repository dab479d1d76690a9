//! What a person is held to beyond the schema's types.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::log_entry::LogEntry;
use crate::record_check::malformed;
use crate::{Kind, eppn};

/// Attributes of an enrolment that its school type requires: `schoolYear` for GR, SP and SAM, `educationCode` for GY
/// (the schema says so in its text only).
pub(crate) fn missing_of_enrolments(person: &Value, id: Uuid, wall: Timestamp) -> Vec<LogEntry> {
    let enrolments = person["enrolments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let missing = enrolments.iter().filter_map(|enrolment| {
        let attribute = match enrolment["schoolType"].as_str()? {
            "GR" | "SP" | "SAM" => "schoolYear",
            "GY" => "educationCode",
            _ => return None,
        };
        enrolment.get(attribute).is_none().then(|| format!("Enrolment.{attribute}"))
    });
    missing.map(|attribute| malformed(Kind::Persons, id, attribute, None, wall)).collect()
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
