//! Made-up people: birth numbers 980–999, right check digits, EPPNs that say nothing of the name.

use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const SCHOOL_UNIT: &str = "31279295";

/// The sizes of a send, and the number that distinguishes its records from those of other sends.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) students: u32,
    pub(crate) teachers: u32,
    pub(crate) groups: u32,
    pub(crate) series: u16,
}

/// A send of one activity a group, its students spread over the groups, its first thirty teachers in all activities.
pub(crate) fn send(size: Size) -> Value {
    let Size { students, teachers, groups, series } = size;
    let ids =
        |kind: u16, count: u32| (0..count).map(move |number| id(series, kind, number)).collect::<Vec<_>>();
    let (student_ids, teacher_ids) = (ids(1, students), ids(2, teachers));
    let (duty_ids, group_ids, activity_ids) = (ids(3, teachers), ids(4, groups), ids(5, groups));

    let student = |(number, id): (u32, &String)| {
        json!({
            "id": id, "givenName": "Förnamn", "familyName": "Öqvist",
            "eduPersonPrincipalNames": [eppn(id)],
            "civicNo": {"value": civic_number(2014, number), "nationality": "SE"},
            "enrolments": [{
                "enroledAt": {"schoolUnitCode": SCHOOL_UNIT}, "schoolYear": 6, "schoolType": "GR",
            }],
        })
    };
    let teacher = |(number, id): (u32, &String)| {
        json!({
            "id": id, "givenName": "Lärarnamn", "familyName": "Åström",
            "eduPersonPrincipalNames": [eppn(id)],
            "civicNo": {"value": civic_number(1974, number)},
            "emails": [{"value": format!("{}@example.se", &id[24..]), "type": "Skola personal"}],
        })
    };
    let persons: Vec<_> =
        (0..).zip(&student_ids).map(student).chain((0..).zip(&teacher_ids).map(teacher)).collect();
    let duties: Vec<_> = duty_ids
        .iter()
        .zip(&teacher_ids)
        .map(|(id, person)| {
            json!({"id": id, "person": {"id": person}, "dutyAt": {"schoolUnitCode": SCHOOL_UNIT}, "dutyRole": "Lärare"})
        })
        .collect();
    let members = |group: usize| {
        // Every student in two groups, as a class and a teaching group would be.
        let chosen =
            |number: usize| number % group_ids.len() == group || (number + 1) % group_ids.len() == group;
        let members = student_ids.iter().enumerate().filter(|(number, _)| chosen(*number));
        members.map(|(_, id)| json!({"person": {"id": id}})).collect::<Vec<_>>()
    };
    let groups: Vec<_> = group_ids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            json!({
                "id": id, "displayName": format!("Grupp {number}"), "groupType": "Undervisning", "schoolType": "GR",
                "organisation": {"schoolUnitCode": SCHOOL_UNIT}, "groupMemberships": members(number),
            })
        })
        .collect();
    let activities: Vec<_> = activity_ids
        .iter()
        .zip(&group_ids)
        .map(|(id, group)| {
            let teachers: Vec<_> = duty_ids.iter().take(30).map(|duty| json!({"duty": {"id": duty}})).collect();
            json!({
                "id": id, "displayName": "Prov Biologi", "activityType": "Undervisning",
                "groups": [{"id": group}], "teachers": teachers,
                "organisation": {"schoolUnitCode": SCHOOL_UNIT}, "parentActivity": {"testCode": "GRGRBIO01_6"},
            })
        })
        .collect();
    json!({"activities": activities, "groups": groups, "duties": duties, "persons": persons})
}

/// One class: six students, two teachers, one group.
pub(crate) fn class(series: u16) -> Value {
    send(Size { students: 6, teachers: 2, groups: 1, series })
}

/// The id of a record of a send.
pub(crate) fn record_id(send: &Value, list: &str, index: usize) -> Uuid {
    send[list][index]["id"].as_str().unwrap().parse().unwrap()
}

/// Twenty birth numbers a day, from 1 January on.
pub(crate) fn civic_number(year: u32, number: u32) -> String {
    let (day, birth_number) = (number / 20, 980 + number % 20);
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    let year = year + number / (20 * 28 * 12);
    let ten = format!("{:02}{month:02}{day:02}{birth_number}", year % 100);
    let sum: u32 = ten
        .bytes()
        .map(|digit| u32::from(digit - b'0'))
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    format!("{year:04}{month:02}{day:02}{birth_number}{}", (10 - sum % 10) % 10)
}

fn id(series: u16, kind: u16, number: u32) -> String {
    let bits =
        (u128::from(series) << 96) | (4 << 76) | (2 << 62) | (u128::from(kind) << 40) | u128::from(number);
    Uuid::from_u128(bits).to_string()
}

fn eppn(id: &str) -> String {
    format!("k{}@edu.example.se", id.replace('-', ""))
}

#[test]
fn made_up_civic_numbers_have_right_check_digits() {
    // 811228-9874: a published example of the algorithm.
    assert_eq!(civic_number(1981, (11 * 28 + 27) * 20 + 7), "198112289874");
    assert_eq!(civic_number(2014, 0).len(), 12);
}
