use serde_json::{Value, json};
use stafett_simulator::certificate::{Issuing, KeyKind, Subject, self_signed_client};

use super::settings::Settings;
use super::*;

const SCHEMA: &str = include_str!("../../../../infra/aws/organiser.schema.json");
const NUMBER: &str = "5560000001";

fn read(settings: &Value) -> Result<Settings, Vec<String>> {
    let number = NUMBER.parse().unwrap();
    let read = Settings::read(&number, &settings.to_string(), [0; 32]);
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn complete() -> Value {
    let issuing = Issuing::new("Exempelutfärdare Å Ä Ö").unwrap();
    let client = issuing.client(&Subject::default(), KeyKind::Ec).unwrap();
    json!({
        "environments": ["verification", "production"],
        "entityId": "https://5560000001.example.se",
        "certificate": format!("Ämne: Exempelkommun\nUtfärdare: Å Ä Ö\n{}", client.certificate),
        "privateKey": client.key,
        "pinnedKeys": [client.pin(), format!("sha256//{}=", "A".repeat(43))],
        "pinnedKeysAlone": true,
        "roots": issuing.root(),
        "retentionDays": 30,
        "protectedIdentitiesAttested": true,
    })
}

fn with(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
    let mut settings = complete();
    change(settings.as_object_mut().unwrap());
    settings
}

#[test]
fn complete_settings_are_read() {
    let settings = read(&complete()).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(settings.environments, [Environment::Verification, Environment::Production]);
    assert_eq!(settings.retention_days, Some(30));
    assert_eq!(settings.protected, ProtectedIdentities::Attested);
    let certificate = settings.identity.credentials.as_ref().unwrap().certificate();
    assert!(certificate.subject.contains("Exempelkommun Å Ä Ö"), "{}", certificate.subject);
    assert!(certificate.issuer.contains("Exempelutfärdare Å Ä Ö"), "{}", certificate.issuer);
    assert_eq!(settings.identity.server.pins.len(), 2);
    assert!(settings.identity.server.pins_alone);
}

#[test]
fn a_byte_order_mark_before_settings_is_skipped() {
    let marked = format!("\u{feff}{}", complete());
    let read = Settings::read(&NUMBER.parse().unwrap(), &marked, [0; 32]);
    assert_eq!(read.map(|settings| settings.retention_days), Ok(Some(30)));
}

/// Tests every field in every wrong form: code and schema must agree. The next test covers what a schema cannot check.
#[test]
fn the_schema_says_what_the_code_does() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fields: Vec<String> = complete().as_object().unwrap().keys().cloned().collect();
    let described: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(fields.clone()), sorted(described), "the sample has every field");

    let mut cases = vec![json!({}), json!([]), json!("x"), json!({"entityId": "x"}), complete()];
    cases.push(with(|all| {
        all.insert("unknownField".to_owned(), json!(1));
    }));
    let no_pin = format!("sha256//{}=", "B".repeat(43));
    let pin = format!("sha256//{}=", "A".repeat(43));
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.5),
        json!(-1),
        json!(3660),
        json!(3661),
        json!(""),
        json!("x y"),
        json!("x".repeat(1025)),
        json!([]),
        json!({}),
        json!(["production"]),
        json!(["production", "production"]),
        json!(["staging"]),
        json!(["production", "verification", "x"]),
        json!([pin]),
        json!([pin, pin]),
        json!([no_pin]),
        json!(["sha256//"]),
        json!([1]),
        json!(vec![&pin; 11]),
    ];
    for field in &fields {
        cases.push(with(|all| {
            all.remove(field);
        }));
        for value in &values {
            // Only a PEM reader can check these texts.
            let is_pem = ["certificate", "privateKey", "roots"].contains(&field.as_str());
            if is_pem && value.as_str().is_some_and(|text| !text.is_empty()) {
                continue;
            }
            cases.push(with(|all| {
                all.insert(field.clone(), value.clone());
            }));
        }
    }
    cases.push(with(|all| {
        all.remove("pinnedKeys");
        all.insert("pinnedKeysAlone".to_owned(), json!(false));
    }));
    cases.push(with(|all| {
        all.remove("entityId");
        all.remove("certificate");
        all.remove("privateKey");
    }));
    assert!(cases.len() > 200);
    for case in &cases {
        let read = read(case);
        let faults = read.as_ref().err();
        assert_eq!(read.is_ok(), validator.is_valid(case), "{faults:?} {case}");
    }
}

#[test]
fn faults_name_the_field_and_never_the_value() {
    let other = self_signed_client(&Subject::default(), KeyKind::Ec).unwrap();
    let mark = "MARKERAD-HEMLIGHET";
    let pem = |label: &str| format!("-----BEGIN {label}-----\nTUFSS0VSQUQ=\n-----END {label}-----\n");
    let cases: [(&str, Value, &str); 9] = [
        ("certificate", json!(mark), "certificate: holds no certificate in PEM form"),
        ("certificate", json!(pem("CERTIFICATE")), "certificate: holds something that is no certificate"),
        (
            "privateKey",
            json!(mark),
            "privateKey: holds no private key in PEM form (PKCS #8, PKCS #1 or SEC 1)",
        ),
        ("privateKey", json!(other.key), "privateKey: is not the key of the first certificate"),
        (
            "privateKey",
            json!(pem("ENCRYPTED PRIVATE KEY")),
            "privateKey: is encrypted: store the key itself, the parameter is encrypted as a whole",
        ),
        ("privateKey", json!(format!("{0}{0}", other.key)), "privateKey: holds more than one private key"),
        ("roots", json!(mark), "roots: must be root certificates in PEM form"),
        ("pinnedKeys", json!([mark]), "pinnedKeys/0: must be sha256// and the base64 of 32 bytes"),
        ("protectedIdentitiesAttested", json!(mark), "protectedIdentitiesAttested: must be true or false"),
    ];
    for (field, value, expected) in cases {
        let faults = read(&with(|all| {
            all.insert(field.to_owned(), value);
        }));
        let faults = faults.err().unwrap();
        assert_eq!(faults, [expected]);
    }
    let garbage = read(&json!(mark)).err().unwrap();
    assert_eq!(garbage, ["the settings: are not a JSON object"]);
    let everything = with(|all| {
        for value in all.values_mut() {
            *value = json!({mark: mark});
        }
        all.insert(mark.to_owned(), json!(mark));
    });
    let faults = read(&everything).err().unwrap();
    assert_eq!(faults.len(), 10, "{faults:?}");
    assert!(!faults.join(" ").contains(mark), "{faults:?}");
    let number = NUMBER.parse().unwrap();
    let cut = Settings::read(&number, &format!("{{\"{mark}\": \"{mark}"), [0; 32]).err().unwrap();
    assert!(!format!("{cut:?}").contains(mark), "{cut:?}");
}

#[test]
fn keys_of_both_kinds_are_taken() {
    for kind in [KeyKind::Ec, KeyKind::Rsa] {
        let client = self_signed_client(&Subject::default(), kind).unwrap();
        let settings = read(&json!({"certificate": client.certificate, "privateKey": client.key}));
        assert!(settings.is_ok(), "{kind:?}");
    }
}

#[test]
fn what_a_certificate_says_decides_whether_its_organiser_can_send() {
    let organiser = |serial_number, last_day| {
        let subject = Subject { serial_number, last_day, ..Subject::default() };
        let client = self_signed_client(&subject, KeyKind::Ec).unwrap();
        let settings =
            read(&json!({"certificate": client.certificate, "privateKey": client.key})).ok().unwrap();
        Organiser {
            environments: settings.environments,
            identity: settings.identity,
            retention_days: 1,
            protected: settings.protected,
            certificate_needed: true,
        }
    };
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let own = organiser(Some("SE5560000001-ABCD"), (2026, 12, 31));
    assert_eq!((own.refusal(now), own.expiring(now)), (None, None));
    let soon: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
    assert_eq!((own.refusal(soon), own.expiring(soon)), (None, Some(29)));
    let over: Timestamp = "2026-12-31T00:00:00Z".parse().unwrap();
    assert_eq!(own.refusal(over), Some(AuthorizationCause::CertificateExpired));
    let early: Timestamp = "2019-12-31T00:00:00Z".parse().unwrap();
    assert_eq!(own.refusal(early), Some(AuthorizationCause::CertificateNotYetValid));
    let anothers = organiser(Some("165560000002"), (2026, 12, 31));
    assert_eq!(anothers.refusal(now), Some(AuthorizationCause::OtherOrganisation));
    let unnamed = organiser(None, (2026, 12, 31));
    assert_eq!(unnamed.refusal(now), None, "a federation's certificates may name nobody");
    assert_eq!(own.environment(None), Some(Environment::Production));
    assert_eq!(own.environment(Some(Environment::Verification)), None);
}
