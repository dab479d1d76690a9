use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde_json::Value;
use stafett_domain::{Conditions, ProtectedIdentities, Submission};

use crate::person::{PEOPLE_A_YEAR, check_digit, civic_number};
use crate::{LARGEST_PART, List, Preset, Send};

const PRESETS: [Preset; 4] = [Preset::Class, Preset::Small, Preset::Big, Preset::Morning];

fn counts(send: &Send) -> [u32; 4] {
    List::ALL.map(|list| send.count(list))
}

fn texts<'a>(records: &'a [Value], path: &str) -> Vec<&'a str> {
    records.iter().map(|record| record.pointer(path).unwrap().as_str().unwrap()).collect()
}

/// A send's records, by list.
type Lists = [Vec<Value>; 4];

fn lists(send: &Send) -> Lists {
    List::ALL.map(|list| send.list(list).collect())
}

/// A preset's sends.
type Made = Vec<(Send, Lists)>;

/// All sends of all presets, made once for all tests.
static ALL: LazyLock<Vec<(Preset, Made)>> = LazyLock::new(|| {
    let made = |send: Send| (send.clone(), lists(&send));
    PRESETS.map(|preset| (preset, preset.sends().map(made).collect())).into()
});

fn all() -> impl Iterator<Item = &'static (Send, Lists)> {
    ALL.iter().flat_map(|(_, sends)| sends)
}

#[test]
fn presets_have_their_sizes() {
    let sizes = |preset: Preset| preset.sends().map(|send| counts(&send)).collect::<Vec<_>>();
    assert_eq!(sizes(Preset::Class), [[35, 5, 2, 1]]);
    assert_eq!(sizes(Preset::Small), [[2_250, 250, 348, 261]]);
    assert_eq!(sizes(Preset::Big), [[67_500, 7_500, 10_400, 7_800]]);
    let morning = sizes(Preset::Morning);
    assert_eq!(morning.len(), 300);
    for activities in 1..=20 {
        assert_eq!(morning.iter().filter(|counts| counts[3] == activities).count(), 15, "{activities}");
    }
}

/// The benchmark measures what a careful sender sends: no rule finds an error or a warning in it.
#[test]
fn a_generated_send_has_no_findings() {
    for (send, _) in all() {
        let conditions = Conditions {
            protected: ProtectedIdentities::NotAttested,
            today: jiff::civil::date(2026, 11, 23),
        };
        let read = Submission::read(send.body().as_bytes(), conditions).unwrap();
        assert_eq!(read.findings.counts(), [], "{}", send.organisation());
    }
}

#[test]
fn a_send_says_how_many_records_it_has() {
    for (send, lists) in all() {
        assert_eq!(lists.each_ref().map(|records| records.len() as u32), counts(send));
    }
}

#[test]
fn the_same_preset_is_the_same_bytes_and_another_is_not() {
    let body = |preset: Preset| preset.sends().next().unwrap().body();
    assert_eq!(body(Preset::Small), body(Preset::Small));
    let morning: HashSet<_> = Preset::Morning.sends().map(|send| send.body()).collect();
    assert_eq!(morning.len(), 300);
    // Changes of the generator change what is measured: they are to be seen.
    assert_eq!(fingerprint(&body(Preset::Class)), CLASS);
}

/// Of the class's body.
const CLASS: u64 = 6_469_762_025_832_647_517;

/// FNV-1a.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn ids_civic_numbers_and_eppns_are_nobody_elses() {
    for (preset, sends) in ALL.iter() {
        let (mut ids, mut civic_numbers, mut eppns) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (_, lists) in sends {
            for id in lists.iter().flat_map(|records| texts(records, "/id")) {
                assert!(ids.insert(id.to_owned()), "{preset:?} {id}");
            }
            for number in texts(&lists[0], "/civicNo/value") {
                assert!(civic_numbers.insert(number.to_owned()), "{preset:?} {number}");
            }
            for eppn in texts(&lists[0], "/eduPersonPrincipalNames/0") {
                assert!(eppns.insert(eppn.to_owned()), "{preset:?} {eppn}");
            }
        }
    }
}

#[test]
fn civic_numbers_are_those_of_made_up_people() {
    for (_, lists) in all() {
        for person in &lists[0] {
            let number = person["civicNo"]["value"].as_str().unwrap();
            assert_eq!(number.len(), 12);
            assert!((980..=999).contains(&number[8..11].parse::<u32>().unwrap()), "{number}");
            assert_eq!(number[11..], check_digit(&number[2..11]).to_string(), "{number}");
        }
    }
    // 811228-9874: a published example of the algorithm.
    assert_eq!(check_digit("811228987"), 4);
}

#[test]
fn a_year_has_room_for_its_people_on_real_dates() {
    let numbers: HashSet<_> = (0..PEOPLE_A_YEAR).map(|place| civic_number(2014, place)).collect();
    assert_eq!(numbers.len() as u32, PEOPLE_A_YEAR);
    let days: HashSet<_> = numbers.iter().map(|number| number[4..8].to_owned()).collect();
    assert_eq!(days.len(), 365);
    assert!(days.contains("0228") && days.contains("1231") && !days.contains("0229"));
}

#[test]
fn every_reference_is_to_a_record_of_the_send() {
    for (_, lists) in all() {
        let [persons, duties, groups, _] =
            [0, 1, 2, 3].map(|at| texts(&lists[at], "/id").into_iter().collect::<HashSet<_>>());
        assert!(texts(&lists[1], "/person/id").iter().all(|id| persons.contains(id)));
        for group in &lists[2] {
            let members = group["groupMemberships"].as_array().unwrap();
            let members = texts(members, "/person/id");
            assert!(!members.is_empty() && members.iter().all(|id| persons.contains(id)));
            assert_eq!(members.iter().collect::<HashSet<_>>().len(), members.len());
        }
        for activity in &lists[3] {
            let of = texts(activity["groups"].as_array().unwrap(), "/id");
            assert!(of.len() == 1 && groups.contains(of[0]));
            let teachers = texts(activity["teachers"].as_array().unwrap(), "/duty/id");
            assert!(!teachers.is_empty() && teachers.iter().all(|id| duties.contains(id)));
        }
    }
}

#[test]
fn every_student_is_in_one_class_and_members_share_their_school_and_year() {
    for (_, lists) in all() {
        let mut in_a_class = HashSet::new();
        for group in lists[2].iter().filter(|group| group["groupType"] == "Klass") {
            for member in texts(group["groupMemberships"].as_array().unwrap(), "/person/id") {
                assert!(in_a_class.insert(member));
            }
        }
        let students = lists[0].iter().filter(|person| person.get("enrolments").is_some());
        assert_eq!(students.count(), in_a_class.len());
    }
}

#[test]
fn only_the_big_one_needs_parts_and_they_hold_all_of_it() {
    for preset in [Preset::Class, Preset::Small, Preset::Morning] {
        for send in preset.sends() {
            assert!(!send.is_large() && send.body().len() <= LARGEST_PART, "{preset:?}");
        }
    }
    let send = Preset::Big.sends().next().unwrap();
    assert!(send.is_large());
    let mut found = [0; 4];
    for (part, number) in send.parts().zip(1_u32..) {
        assert_eq!(part.number, number);
        assert!(part.body.len() <= LARGEST_PART, "{}", part.body.len());
        let body: Value = serde_json::from_str(&part.body).unwrap();
        assert_eq!(body["part"], number);
        for (list, found) in List::ALL.into_iter().zip(&mut found) {
            *found += body[list.name()].as_array().map_or(0, Vec::len) as u32;
        }
    }
    assert_eq!(found, counts(&send));
}

#[test]
fn the_whole_body_holds_the_four_lists() {
    let send = Preset::Class.sends().next().unwrap();
    let body: Value = serde_json::from_str(&send.body()).unwrap();
    for (list, records) in List::ALL.into_iter().zip(lists(&send)) {
        assert_eq!(body[list.name()], Value::Array(records));
    }
    assert_eq!(body.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn the_simulators_registers_have_every_school_and_test() {
    let skolverket = stafett_simulator::Simulator::start(stafett_simulator::Limits::default()).await.unwrap();
    let (http, base) = (reqwest::Client::new(), skolverket.open_data_url());
    let get = async |path: &str| -> Value {
        http.get(format!("{base}{path}")).send().await.unwrap().json().await.unwrap()
    };
    let tests = get("/activities").await;
    let tests: HashSet<_> = texts(tests.as_array().unwrap(), "/displayName").into_iter().collect();
    let mut units: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (send, lists) in all() {
        let [_, duties, _, activities] = lists;
        assert!(texts(activities, "/parentActivity/testCode").iter().all(|test| tests.contains(test)));
        let of_send = texts(duties, "/dutyAt/schoolUnitCode");
        units.entry(send.organisation()).or_default().extend(of_send);
    }
    for (organisation, units) in units {
        let known = get(&format!("/organisations/code/{organisation}?expandSchoolUnits=true")).await;
        let known = texts(known["schoolUnits"].as_array().unwrap(), "/schoolUnitCode");
        assert!(units.iter().all(|unit| known.contains(unit)), "{organisation}: {units:?}");
    }
}
