//! The registers behind the Open-data API: made up, and the same in every run.
//!
//! | school unit | whose | what |
//! |---|---|---|
//! | 31279295 | 5567044268, and any other that is asked for | takes every school type |
//! | 31279303 | 5567044268 | GY only |
//! | 31279311 | 5567044268 | has ceased |
//! | 45678902 | 2120000142 | GR |
//! | 99001000 to 99003999, as far as the load generator has schools | 5567044268 | GR |
//! | 99004000 and so on | 9900000000 and so on | GR: the load generator's morning |
//!
//! Any organisation number of ten digits is an organiser, and has the first of these units beside its own. So that
//! made-up sends go through, everything else is there, too, when it is asked for by itself: a school unit takes every
//! school type and is nobody's in particular. Only these codes stand for nothing: school units 00000000 to 00000999
//! and 99999000 to 99999999, study paths NIX and NIX1 to NIX9, tests GRGRNIX01 and GRGRNIX01_1 to GRGRNIX01_9.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use uuid::Uuid;

/// The example organiser.
const EXAMPLE: &str = "5567044268";
/// An organiser with a school unit that nobody else has.
const OTHER: &str = "2120000142";
/// The school unit that every organiser has, so that any organisation number can send the example.
const SHARED: &str = "31279295";
/// Organisers of the load generator's morning that are known.
const OF_A_MORNING: u32 = 1_000;

/// School types, each with its last school year; 0 where it has none.
type Types = &'static [(&'static str, u8)];

const ALL_TYPES: Types = &[("GR", 10), ("SP", 10), ("SAM", 10), ("GY", 3), ("VUXGY", 0)];
const COMPULSORY: Types = &[("GR", 9)];
const UPPER_SECONDARY: Types = &[("GY", 3)];

/// By what something is asked for, as it stands in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Id(String),
    Code(String),
}

struct Unit {
    name: &'static str,
    organisation: String,
    types: Types,
    status: &'static str,
}

/// Study paths: code, name, since when, status.
const PROGRAMMES: [(&str, &str, &str, &str); 18] = [
    ("BAHUS", "Bygg- och anläggningsprogrammet, husbyggnad", "2011-07-01", "Active"),
    ("BFFRI", "Barn- och fritidsprogrammet, fritid och hälsa", "2011-07-01", "Active"),
    ("EEEEL", "El- och energiprogrammet, elteknik", "2011-07-01", "Active"),
    ("EKEKO", "Ekonomiprogrammet, ekonomi", "2011-07-01", "Active"),
    ("EKJUR", "Ekonomiprogrammet, juridik", "2011-07-01", "Active"),
    (
        "EKJURV",
        "Ekonomiprogrammet, Juridik, särskild variant inom det estetiska området",
        "2011-07-01",
        "Active",
    ),
    ("ESBIL", "Estetiska programmet, bild och formgivning", "2011-07-01", "Active"),
    ("ESMUS", "Estetiska programmet, musik", "2011-07-01", "Active"),
    ("HUKUL", "Humanistiska programmet, kultur", "2011-07-01", "Active"),
    ("HUSPR", "Humanistiska programmet, språk", "2011-07-01", "Active"),
    ("NANAS", "Naturvetenskapsprogrammet, naturvetenskap och samhälle", "2011-07-01", "Active"),
    ("NANAT", "Naturvetenskapsprogrammet, naturvetenskap", "2011-07-01", "Active"),
    ("SABET", "Samhällsvetenskapsprogrammet, beteendevetenskap", "2011-07-01", "Active"),
    ("SASAM", "Samhällsvetenskapsprogrammet, samhällsvetenskap", "2011-07-01", "Active"),
    ("TEINF", "Teknikprogrammet, informations- och medieteknik", "2011-07-01", "Active"),
    ("TETEK", "Teknikprogrammet, teknikvetenskap", "2011-07-01", "Active"),
    ("XXKOM", "Studieväg som inte får användas än", "2199-07-01", "New"),
    ("XXUPP", "Studieväg som har upphört", "2011-07-01", "Expired"),
];

/// Subjects with a test in every school year of GR.
const SUBJECTS: [&str; 11] = ["BIO", "ENG", "FYS", "GEO", "HIS", "KEM", "MAT", "REL", "SAM", "SVA", "SVE"];

/// The other tests: code, school type, school year.
const OTHER_TESTS: [(&str, &str, Option<u8>); 6] = [
    ("GYGYENG01", "GY", None),
    ("GYGYMAT01", "GY", None),
    ("MATMAT01", "GR", Some(3)),
    ("SAMSAMMAT01_6", "SAM", Some(6)),
    ("SPSPMAT01_7", "SP", Some(7)),
    ("VUXGYENG01", "VUXGY", None),
];

/// The registers.
pub(crate) struct Register {
    units: BTreeMap<String, Unit>,
    unit_ids: HashMap<Uuid, String>,
    organisation_ids: HashMap<Uuid, String>,
    nothing: HashSet<Uuid>,
}

impl Register {
    pub(crate) fn new() -> Register {
        let unit = |name, organisation: &str, types, status| Unit {
            name,
            organisation: organisation.to_owned(),
            types,
            status,
        };
        let mut units = BTreeMap::from(
            [
                (SHARED, unit("Testskolan", EXAMPLE, ALL_TYPES, "Active")),
                ("31279303", unit("Testgymnasiet", EXAMPLE, UPPER_SECONDARY, "Active")),
                ("31279311", unit("Gamla testskolan", EXAMPLE, COMPULSORY, "Expired")),
                ("45678902", unit("Kommunens testskola", OTHER, COMPULSORY, "Active")),
            ]
            .map(|(code, unit)| (code.to_owned(), unit)),
        );
        // Class, small and big: series 1, 2 and 3.
        let of_load = (1_000..1_001).chain(2_000..2_005).chain(3_000..3_115);
        units.extend(
            of_load.map(|number| (unit_99(number), unit("Lastskolan", EXAMPLE, COMPULSORY, "Active"))),
        );
        units.extend((0..OF_A_MORNING).map(|number| {
            let organisation = format!("99{number:08}");
            (unit_99(4_000 + number), unit("Lastskolan", &organisation, COMPULSORY, "Active"))
        }));
        let unit_ids = units.keys().map(|code| (id(code), code.clone())).collect();
        let organisation_ids =
            units.values().map(|unit| (id(&unit.organisation), unit.organisation.clone())).collect();
        let nothing = nothing().iter().map(|code| id(code)).collect();
        Register { units, unit_ids, organisation_ids, nothing }
    }

    /// An organiser; by its id only one that has school units here, for the number cannot be computed from the id.
    pub(crate) fn organisation(&self, key: &Key, expand: bool) -> Option<Value> {
        let number = code(key, &self.organisation_ids)?;
        if number.len() != 10 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut organisation = json!({
            "id": id(number), "displayName": name_of(number), "organisationNumber": number,
            "countryCode": "SWE", "organisationType": "Huvudman",
            "legalForm": {"id": "49", "displayName": "Övriga aktiebolag"}, "status": "Active",
        });
        if expand {
            let of_it = |(code, unit): &(&String, &Unit)| *code == SHARED || unit.organisation == *number;
            let units = self.units.iter().filter(of_it);
            organisation["schoolUnits"] = units.map(|(code, unit)| unit.json(code, number)).collect();
        }
        Some(organisation)
    }

    pub(crate) fn school_unit(&self, key: &Key) -> Option<Value> {
        if let Some(code) = code(key, &self.unit_ids)
            && let Some(unit) = self.units.get(code)
        {
            return Some(unit.json(code, &unit.organisation));
        }
        let (id, code) = self.anything(key)?;
        Some(json!({
            "id": id, "displayName": "Påhittad skola", "schoolUnitCode": code, "status": "Active",
            "schoolTypes": offered(ALL_TYPES), "dnpStatus": true,
        }))
    }

    /// Whether there is such a school unit and the organisation may send of it. What is made up is nobody's.
    pub(crate) fn may_use(&self, unit: Uuid, organisation: &str) -> bool {
        match self.unit_ids.get(&unit).and_then(|code| Some((code, self.units.get(code)?))) {
            Some((code, unit)) => code == SHARED || unit.organisation == organisation,
            None => !self.nothing.contains(&unit),
        }
    }

    /// Whether a school unit has the school type.
    pub(crate) fn offers(&self, unit: Uuid, school_type: &str) -> bool {
        let known = self.unit_ids.get(&unit).and_then(|code| self.units.get(code));
        known.is_none_or(|unit| unit.types.iter().any(|(offered, _)| *offered == school_type))
    }

    /// Whether there is such a national test.
    pub(crate) fn is_test(&self, id: Uuid) -> bool {
        !self.nothing.contains(&id)
    }

    /// Whether there is such a study path, and students may have it by now.
    pub(crate) fn is_study_path(&self, code: &str) -> bool {
        match PROGRAMMES.iter().find(|(known, ..)| *known == code) {
            Some((.., status)) => *status != "New",
            None => !self.nothing.contains(&id(code)),
        }
    }

    pub(crate) fn programmes(&self) -> Value {
        PROGRAMMES.iter().map(programme).collect()
    }

    pub(crate) fn programme(&self, key: &Key) -> Option<Value> {
        if let Some(known) = PROGRAMMES.iter().find(|(code, ..)| is(key, code)) {
            return Some(programme(known));
        }
        let (id, code) = self.anything(key)?;
        Some(json!({
            "id": id, "displayName": "Påhittad studieväg", "educationCode": code, "schoolType": "GY",
            "status": "Active",
        }))
    }

    pub(crate) fn activities(&self) -> Value {
        tests().map(|test| activity(&test)).collect()
    }

    pub(crate) fn activity(&self, key: &Key) -> Option<Value> {
        if let Some(known) = tests().find(|(code, ..)| is(key, code)) {
            return Some(activity(&known));
        }
        let (id, code) = self.anything(key)?;
        Some(json!({"id": id, "displayName": code, "activityType": "Provaktivitet", "schoolType": "GR"}))
    }

    /// Something made up, with its id and its code, which cannot be computed from the id.
    fn anything(&self, key: &Key) -> Option<(Uuid, String)> {
        let (id, code) = match key {
            Key::Code(code) => (id(code), code.clone()),
            Key::Id(given) => {
                let id: Uuid = given.parse().ok()?;
                (id, format!("{:08}", id.as_u128() % 100_000_000))
            }
        };
        (!self.nothing.contains(&id)).then_some((id, code))
    }
}

impl Unit {
    /// `of`: the organiser under which it is shown.
    fn json(&self, code: &str, of: &str) -> Value {
        json!({
            "id": id(code), "displayName": self.name, "schoolUnitCode": code,
            "schoolTypes": offered(self.types),
            "municipalityCode": "1382", "municipalityName": "Falkenberg",
            "status": self.status, "dnpStatus": self.status == "Active",
            "parentOrganisation": {"id": id(of), "organisationNumber": of, "displayName": name_of(of)},
        })
    }
}

fn offered(types: Types) -> Value {
    let year = |year| json!({"schoolYear": year, "dnpStatus": true});
    let offer = |(school_type, last): &(&str, u8)| {
        let years: Vec<_> = (1..=*last).map(year).collect();
        json!({"schoolType": school_type, "dnpStatus": true, "schoolYears": years})
    };
    types.iter().map(offer).collect()
}

/// The codes that stand for nothing.
fn nothing() -> Vec<String> {
    let units = (0..1_000).chain(99_999_000..100_000_000).map(|unit| format!("{unit:08}"));
    let numbered = (1..=9).flat_map(|number| [format!("NIX{number}"), format!("GRGRNIX01_{number}")]);
    units.chain(numbered).chain(["NIX".to_owned(), "GRGRNIX01".to_owned()]).collect()
}

fn programme((code, name, valid_from, status): &(&str, &str, &str, &str)) -> Value {
    json!({
        "id": id(code), "displayName": name, "educationCode": code, "schoolType": "GY",
        "validFrom": format!("{valid_from}T00:00:00+02:00"), "status": status,
    })
}

fn tests() -> impl Iterator<Item = (String, &'static str, Option<u8>)> {
    let of_subject = |subject| (1..=9).map(move |year| (format!("GRGR{subject}01_{year}"), "GR", Some(year)));
    let others =
        OTHER_TESTS.iter().map(|(code, school_type, year)| ((*code).to_owned(), *school_type, *year));
    SUBJECTS.into_iter().flat_map(of_subject).chain(others)
}

fn activity((code, school_type, year): &(String, &str, Option<u8>)) -> Value {
    let mut activity = json!({
        "id": id(code), "displayName": code, "activityType": "Provaktivitet", "schoolType": school_type,
    });
    if let Some(year) = year {
        activity["schoolYear"] = json!(year);
    }
    activity
}

/// Skolverket's id of what has this code (shared/README, Skolverket 10).
fn id(code: &str) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), code.as_bytes())
}

/// The load generator's numbering of school units.
fn unit_99(number: u32) -> String {
    format!("99{number:06}")
}

fn name_of(organisation: &str) -> String {
    if organisation == EXAMPLE {
        "Testorganisation AB".to_owned()
    } else {
        format!("Huvudman {organisation}")
    }
}

/// The code that a key stands for.
fn code<'a>(key: &'a Key, ids: &'a HashMap<Uuid, String>) -> Option<&'a String> {
    match key {
        Key::Code(code) => Some(code),
        Key::Id(id) => ids.get(&id.parse::<Uuid>().ok()?),
    }
}

fn is(key: &Key, wanted: &str) -> bool {
    match key {
        Key::Code(code) => code == wanted,
        Key::Id(given) => given.parse() == Ok(id(wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_code(code: &str) -> Key {
        Key::Code(code.to_owned())
    }

    #[test]
    fn every_organiser_has_the_shared_unit_and_its_own() {
        let register = Register::new();
        let units = |number: &str| {
            let organisation = register.organisation(&by_code(number), true).unwrap();
            let units = organisation["schoolUnits"].as_array().unwrap().clone();
            units.iter().map(|unit| unit["schoolUnitCode"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(units("5590000001"), [SHARED]);
        assert_eq!(units(OTHER), [SHARED, "45678902"]);
        assert_eq!(units("9900000017"), [SHARED, "99004017"]);
        assert_eq!(units(EXAMPLE).len(), 3 + 121);
        assert!(register.organisation(&by_code("55900000010"), false).is_none());
    }

    #[test]
    fn ids_find_what_codes_find() {
        let register = Register::new();
        for code in [SHARED, "99003114", "99004999"] {
            let by_id = register.school_unit(&Key::Id(id(code).to_string()));
            assert!(by_id.is_some());
            assert_eq!(by_id, register.school_unit(&by_code(code)));
        }
        assert!(register.school_unit(&by_code("00000000")).is_none());
        assert!(register.school_unit(&Key::Id(id("99999999").to_string())).is_none());
        let made_up = register.school_unit(&Key::Id(id("12345678").to_string())).unwrap();
        assert_eq!((&made_up["id"], made_up.get("parentOrganisation")), (&json!(id("12345678")), None));
        let test = Key::Id("505c5ee0-7be4-560d-9c27-10ab0d96ac9a".to_owned());
        assert_eq!(register.activity(&test).unwrap()["displayName"], "MATMAT01");
        assert!(register.programme(&by_code("EKJURV")).is_some());
        assert!(register.programme(&by_code("NIX")).is_none());
        assert!(register.activity(&Key::Id(id("GRGRNIX01_6").to_string())).is_none());
    }
}
