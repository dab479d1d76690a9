//! A record held against the registers: school units, study paths, national tests.

use serde_json::Value;

use crate::Kind;
use crate::person::Fault;
use crate::register::Register;

/// The contradictions between a record of this organisation's and the registers.
pub(crate) fn faults(kind: Kind, record: &Value, register: &Register, organisation: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut hold = |attribute: &str, value: &Value, good: bool| {
        if !good {
            faults.push(Fault { attribute: attribute.to_owned(), value: Some(value.clone()) });
        }
    };
    let mut unit = |attribute: &str, unit: &Value, school_type: Option<&str>, of_type: &str| {
        let Some(id) = crate::shape::id(unit) else { return };
        let belongs = register.may_use(id, organisation);
        hold(attribute, unit, belongs);
        if let Some(school_type) = school_type.filter(|_| belongs) {
            hold(of_type, &school_type.into(), register.offers(id, school_type));
        }
    };
    match kind {
        Kind::Persons => {
            let enrolments = record["enrolments"].as_array().into_iter().flatten();
            // A cancelled enrolment is history.
            for enrolment in enrolments.filter(|enrolment| enrolment["cancelled"] != true) {
                let school_type = enrolment["schoolType"].as_str();
                unit(
                    "Enrolment.enroledAt",
                    &enrolment["enroledAt"]["id"],
                    school_type,
                    "Enrolment.schoolType",
                );
            }
        }
        Kind::Duties => unit("dutyAt", &record["dutyAt"]["id"], None, ""),
        Kind::Groups => {
            unit("organisation", &record["organisation"]["id"], record["schoolType"].as_str(), "schoolType");
        }
        Kind::Activities => {
            unit("organisation", &record["organisation"]["id"], None, "");
            let test = &record["parentActivity"]["id"];
            hold("parentActivity", test, crate::shape::id(test).is_none_or(|id| register.is_test(id)));
        }
    }
    if kind == Kind::Persons {
        for enrolment in record["enrolments"].as_array().into_iter().flatten() {
            let code = &enrolment["educationCode"];
            let known = code.as_str().is_none_or(|code| code.is_empty() || register.is_study_path(code));
            hold("Enrolment.educationCode", code, known || enrolment["cancelled"] == true);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::tests::sample;

    fn id(code: &str) -> Uuid {
        Uuid::new_v5(&Uuid::nil(), code.as_bytes())
    }

    fn wrong(kind: Kind, record: &Value) -> Vec<String> {
        let faults = faults(kind, record, &Register::new(), "5567044268");
        faults.into_iter().map(|fault| fault.attribute).collect()
    }

    #[test]
    fn a_school_unit_is_there_ones_own_and_of_the_type() {
        let mut person = sample::person(Uuid::new_v4());
        let mut at = |code: &str| {
            person["enrolments"][0]["enroledAt"]["id"] = json!(id(code));
            wrong(Kind::Persons, &person)
        };
        assert!(at("31279295").is_empty());
        // One that has ceased is a matter for a warning.
        assert!(at("31279311").is_empty());
        assert_eq!(at("00000001"), ["Enrolment.enroledAt"]);
        assert_eq!(at("45678902"), ["Enrolment.enroledAt"], "another organiser's");
        assert_eq!(at("31279303"), ["Enrolment.schoolType"], "GY only");

        let mut duty = sample::duty(Uuid::new_v4(), Uuid::new_v4());
        duty["dutyAt"]["id"] = json!(id("99999999"));
        assert_eq!(wrong(Kind::Duties, &duty), ["dutyAt"]);
        let mut group = sample::group(Uuid::new_v4(), &[]);
        group["organisation"]["id"] = json!(id("31279303"));
        assert_eq!(wrong(Kind::Groups, &group), ["schoolType"]);
    }

    #[test]
    fn tests_and_study_paths_are_in_their_registers() {
        let mut activity = sample::activity(Uuid::new_v4(), &[], &[]);
        assert!(wrong(Kind::Activities, &activity).is_empty());
        activity["parentActivity"]["id"] = json!(id("GRGRNIX01_6"));
        assert_eq!(wrong(Kind::Activities, &activity), ["parentActivity"]);

        let mut person = sample::person(Uuid::new_v4());
        let mut path = |code: &str| {
            let unit = json!({"id": id("31279295")});
            person["enrolments"] = json!([{"enroledAt": unit, "schoolType": "GY", "educationCode": code}]);
            wrong(Kind::Persons, &person)
        };
        assert!(path("EKJURV").is_empty() && path("XXUPP").is_empty());
        for unusable in ["NIX", "XXKOM"] {
            assert_eq!(path(unusable), ["Enrolment.educationCode"], "{unusable}");
        }
    }
}
