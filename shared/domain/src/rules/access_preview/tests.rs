use serde_json::{Value, json};

use super::*;
use crate::kind::record_kind::RecordKind;
use crate::sample::{DUTY, GROUP, STUDENT, TEACHER, UNIT, complete, parse};
use crate::submission::plan::Plan;

const OTHER_GROUP: &str = "33333333-0000-4000-8000-000000000002";
const OTHER_DUTY: &str = "22222222-0000-4000-8000-000000000002";
const PRINCIPAL: &str = "22222222-0000-4000-8000-000000000003";

/// Who sees what of a body, `most` duties from the `first` on.
fn seen(body: &Value, access: Access, first: usize, most: usize) -> Vec<Viewer> {
    let plan = Plan::of(&parse(body).unwrap());
    let batch = |kind| &plan.batches(kind)[0];
    let mut preview = Preview::new(access);
    let duties = batch(RecordKind::Duty);
    preview.duties(&duties.body, &duties.facts, first, most).unwrap();
    let activities = batch(RecordKind::Activity);
    preview.activities(&activities.body, &activities.facts).unwrap();
    preview.groups(&batch(RecordKind::Group).body).unwrap();
    preview.finish()
}

/// Two groups that share a student, two teachers in one activity, and a principal.
fn shared() -> Value {
    let mut body = complete();
    let mut group = body["groups"][0].clone();
    group["id"] = json!(OTHER_GROUP);
    body["groups"].as_array_mut().unwrap().push(group);
    body["groups"][0]["groupMemberships"].as_array_mut().unwrap().push(json!({"person": {"id": TEACHER}}));
    for (id, role) in [(OTHER_DUTY, "Lärare"), (PRINCIPAL, "Rektor")] {
        let mut duty = body["duties"][0].clone();
        (duty["id"], duty["dutyRole"]) = (json!(id), json!(role));
        body["duties"].as_array_mut().unwrap().push(duty);
    }
    body["activities"][0]["parentActivity"] = json!({"testCode": "GRGRMAT01_6"});
    body["activities"][0]["groups"] = json!([{"id": GROUP}, {"id": OTHER_GROUP}, {"id": GROUP}]);
    body["activities"][0]["teachers"] = json!([{"duty": {"id": DUTY}}, {"duty": {"id": OTHER_DUTY}}]);
    body
}

#[test]
fn a_teacher_sees_the_students_of_all_groups_and_a_principal_the_school_unit() {
    let viewers = seen(&shared(), Access::Personal, 0, 10);
    assert_eq!(viewers.len(), 3);
    for viewer in &viewers[..2] {
        let groups: Vec<_> =
            viewer.groups.iter().map(|group| (group.id.to_string(), group.students)).collect();
        assert_eq!(groups, [(GROUP.to_owned(), Some(2)), (OTHER_GROUP.to_owned(), Some(1))]);
        assert_eq!((viewer.students, viewer.sees_school_unit), (2, false));
        let [activity] = &viewer.activities[..] else { panic!() };
        assert_eq!((activity.teachers, activity.groups), (2, 2));
        assert_eq!(activity.test_code.as_ref().unwrap().as_str(), "GRGRMAT01_6");
        assert!(activity.warning.unwrap().0.text().0.contains("every student in all"));
    }
    let principal = &viewers[2];
    assert!(principal.sees_school_unit && principal.groups.is_empty() && principal.students == 0);
    assert_eq!(principal.school_unit_id.unwrap().to_string(), UNIT);
}

#[test]
fn one_teacher_or_one_group_is_no_ground_for_a_warning() {
    for list in ["groups", "teachers"] {
        let mut body = shared();
        body["activities"][0][list].as_array_mut().unwrap().truncate(1);
        let viewers = seen(&body, Access::Personal, 0, 1);
        assert!(viewers[0].activities[0].warning.is_none(), "{list}");
    }
}

#[test]
fn a_teacher_of_another_school_unit_is_marked() {
    let mut body = shared();
    body["duties"][1]["dutyAt"] = json!({"schoolUnitCode": "31279296"});
    let viewers = seen(&body, Access::Personal, 0, 10);
    let warned: Vec<_> = viewers
        .iter()
        .map(|viewer| viewer.activities.first()?.school_unit_warning.map(|warning| warning.0))
        .collect();
    assert_eq!(warned, [None, Some(FindingCode::TeacherOfOtherSchoolUnit), None]);
}

#[test]
fn a_page_is_as_many_duties_as_are_asked_for() {
    let page = |first, most| {
        let viewers = seen(&shared(), Access::Personal, first, most);
        viewers.iter().map(|viewer| viewer.duty_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 2), [DUTY, OTHER_DUTY]);
    assert_eq!(page(2, 2), [PRINCIPAL]);
}

#[test]
fn names_are_shown_as_rows_show_them() {
    // The sample's teacher is protected.
    let name = |access| {
        let viewer = &seen(&complete(), access, 0, 1)[0];
        assert!(viewer.protected);
        (viewer.name.clone(), viewer.masked)
    };
    assert_eq!(name(Access::Personal), (Some("Siv Rönnhed".to_owned()), false));
    assert_eq!(name(Access::Masked), (None, true));
}

#[test]
fn a_group_that_is_not_in_the_send_is_named_by_its_id() {
    let mut body = complete();
    body["options"]["references"] = json!("external");
    let gone = body["groups"].as_array_mut().unwrap().pop().unwrap();
    let mut other = gone.clone();
    other["id"] = json!(OTHER_GROUP);
    other["groupMemberships"] = json!([{"person": {"id": STUDENT}}]);
    body["groups"] = json!([other]);
    let viewers = seen(&body, Access::Personal, 0, 1);
    let [group] = &viewers[0].groups[..] else { panic!() };
    assert_eq!((group.id.to_string().as_str(), group.students, viewers[0].students), (GROUP, None, 0));
}

/// Ids that look like those of records.
fn ids(of: u32, count: u32) -> Vec<String> {
    (0..count).map(|number| format!("{of:08}-0000-4000-8000-{number:012}")).collect()
}

/// Every one of a hundred teachers meets every group: each is counted, few are shown, and nobody is counted twice.
#[test]
fn of_many_groups_and_activities_the_first_are_shown_and_all_are_counted() {
    let (duties, groups, activities) = (ids(1, 100), ids(2, 900), ids(3, 60));
    let long = "\u{1}".repeat(5_000);
    let refer = |ids: &[String]| ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
    let teachers: Vec<_> = duties.iter().map(|id| json!({"duty": {"id": id}})).collect();
    let batch = |records: Vec<Value>| json!({"data": records}).to_string();
    let mut preview = Preview::new(Access::Personal);
    let facts = |count: usize| vec![Facts { name: Some(long.clone().into()), ..Facts::default() }; count];
    preview.duties(&batch(refer(&duties)), &facts(100), 0, 100).unwrap();
    for activity in &activities {
        let record =
            json!({"id": activity, "displayName": long, "groups": refer(&groups), "teachers": teachers});
        preview.activities(&batch(vec![record]), &facts(1)).unwrap();
    }
    assert_eq!(preview.wanted().count(), 900);
    let members = [json!({"person": {"id": STUDENT}}), json!({"person": {"id": TEACHER}})];
    for (index, group) in groups.iter().enumerate() {
        let own = json!({"person": {"id": ids(4, 900)[index]}});
        let record = json!({"id": group, "displayName": long,
            "groupMemberships": [&members[index % 2], &members[index % 2], own]});
        preview.groups(&batch(vec![record])).unwrap();
    }
    assert_eq!(preview.wanted().count(), 0);
    let viewers = preview.finish();
    for viewer in &viewers {
        assert_eq!((viewer.group_count, viewer.groups.len()), (900, 50));
        assert_eq!((viewer.activity_count, viewer.activities.len()), (60, 50));
        assert_eq!((viewer.students, viewer.groups[7].students), (902, Some(2)));
    }
    let shown: Vec<_> = viewers[99].groups.iter().map(|group| group.id.to_string()).collect();
    assert_eq!(shown, groups[..50]);
    // An answer is at most 6 MB.
    let answer = serde_json::to_string(&viewers).unwrap();
    assert!((1_000_000..5_500_000).contains(&answer.len()), "{} bytes", answer.len());
}

#[test]
fn a_name_is_cut_between_letters() {
    assert_eq!(cut("Siv Rönnhed".to_owned()), "Siv Rönnhed");
    assert_eq!(cut("å".repeat(50)), "å".repeat(50));
    assert_eq!(cut("å".repeat(51)), format!("{}…", "å".repeat(50)));
    assert_eq!(cut("\"".repeat(51)), format!("{}…", "\"".repeat(50)));
}
