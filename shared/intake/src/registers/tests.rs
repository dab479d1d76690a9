use stafett_domain::register::KnownUnit;
use stafett_domain::{Conditions, ProtectedIdentities, Submission, skolverket_id};

use super::cache::Wanted;
use super::*;

const OWN: &str = "31279295";
const NEW: &str = "12345678";

fn organisation() -> OrganisationNumber {
    "5567044268".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// The example send, with the school unit `code` in one of its places.
fn mentions(code: &str) -> Mentions {
    let body = include_str!("../../../../tests/fixtures/prov-biologi.json");
    let body = body.replacen(OWN, code, 1);
    let conditions = Conditions::at(at(0), ProtectedIdentities::NotAttested);
    Mentions::of(&Submission::read(body.as_bytes(), conditions).unwrap().content)
}

fn unit<T: serde::de::DeserializeOwned>(code: &str, of: &str) -> T {
    let parent = serde_json::json!({"id": skolverket_id(of), "organisationNumber": of});
    let unit =
        serde_json::json!({"id": skolverket_id(code), "schoolUnitCode": code, "parentOrganisation": parent});
    serde_json::from_value(unit).unwrap()
}

/// A cache with the organiser's own school unit and no tests, valid for ten seconds.
fn cache() -> Cache {
    let own = by_id(vec![unit(OWN, "5567044268")], |unit: &stafett_domain::register::SchoolUnit| unit.id);
    Cache {
        own_units: [(organisation(), Entry { until: at(10), value: own })].into(),
        tests: Some(Entry { until: at(10), value: HashMap::new() }),
        ..Cache::default()
    }
}

#[test]
fn a_cached_answer_is_not_looked_up_until_it_is_too_old() {
    let wanted = |own_units, tests| Wanted { own_units, programmes: false, tests };
    let mentions = mentions(OWN);
    assert_eq!(Cache::default().wanted(&organisation(), &mentions, at(0)), wanted(true, true));
    assert_eq!(cache().wanted(&organisation(), &mentions, at(9)), wanted(false, false));
    assert_eq!(cache().wanted(&organisation(), &mentions, at(10)), wanted(true, true));
    let other = "2120000142".parse().unwrap();
    assert_eq!(cache().wanted(&other, &mentions, at(0)), wanted(true, false));
    assert_eq!(cache().wanted(&other, &Mentions::default(), at(0)), wanted(false, false));
}

#[test]
fn what_is_not_in_a_register_is_asked_for_by_itself_once() {
    let (mentions, mut cache) = (mentions(NEW), cache());
    let (new, test) = (skolverket_id(NEW), skolverket_id("GRGRBIO01_6"));
    let unlisted = |cache: &Cache, now| cache.unlisted(&organisation(), &mentions, now);
    assert_eq!(unlisted(&cache, at(0)), [Unlisted::SchoolUnit(new), Unlisted::Test(test)]);
    assert_eq!(cache.known(&organisation(), &mentions, at(0)).school_units.len(), 1);
    put(&mut cache.other_units, new, Some(unit(NEW, "2120000142")), at(5), at(0));
    put(&mut cache.other_tests, test, None, at(2), at(0));
    assert_eq!(unlisted(&cache, at(1)), []);
    let known = cache.known(&organisation(), &mentions, at(1));
    assert!(matches!(known.school_units[&new], KnownUnit::Others(_)));
    assert!(matches!(known.school_units[&skolverket_id(OWN)], KnownUnit::Own(_)));
    assert!(known.tests[&test].is_none());
    // A missing entry is cached for a short time only.
    assert_eq!(unlisted(&cache, at(3)), [Unlisted::Test(test)]);
    assert!(!cache.known(&organisation(), &mentions, at(3)).tests.contains_key(&test));
    // If a whole register could not be read, its entries are not read one by one.
    assert_eq!(unlisted(&Cache::default(), at(0)), []);
}

#[test]
fn what_is_too_old_is_thrown_away() {
    let mut single = HashMap::new();
    put::<u8>(&mut single, skolverket_id("a"), None, at(5), at(0));
    put::<u8>(&mut single, skolverket_id("b"), None, at(9), at(5));
    assert_eq!(single.keys().copied().collect::<Vec<_>>(), [skolverket_id("b")]);
}
