//! The examples: for every rule a change of the sample that keeps it, and one that breaks it.

use serde_json::{Value, json};

use crate::kind::finding_code::FindingCode;
use crate::sample::{ACTIVITY, DUTY, GROUP, NOBODY, STUDENT, TEACHER, UNIT};

mod activities;
mod persons;

type Change = fn(&mut Value);

/// The rule, a change that keeps it, one that breaks it, and the finding of that: what, where, about which record.
pub(super) struct Row {
    pub(super) rule: u8,
    pub(super) kept: Change,
    pub(super) broken: Change,
    pub(super) code: FindingCode,
    pub(super) pointer: &'static str,
    pub(super) record: Option<&'static str>,
}

pub(super) const OTHER: &str = "55555555-0000-4000-8000-000000000001";
const OTHER_UNIT: &str = "66666666-0000-4000-8000-000000000001";

fn eppn(body: &mut Value, person: usize, eppn: &str) {
    body["persons"][person]["eduPersonPrincipalNames"][0] = json!(eppn);
}

fn civic_number(body: &mut Value, number: &str) {
    body["persons"][0]["civicNo"]["value"] = json!(number);
}

/// The sample's group once more, under another id.
fn another_group(body: &mut Value, group_type: &str) {
    let mut group = body["groups"][0].clone();
    group["id"] = json!(OTHER);
    group["groupType"] = json!(group_type);
    body["groups"].as_array_mut().unwrap().push(group);
}

fn two_classes(body: &mut Value) {
    another_group(body, "Klass");
    let mut class = body["groups"][1].clone();
    class["id"] = json!(NOBODY);
    body["groups"].as_array_mut().unwrap().push(class);
}

fn row(
    rule: u8,
    code: FindingCode,
    pointer: &'static str,
    record: Option<&'static str>,
    kept: Change,
    broken: Change,
) -> Row {
    Row { rule, kept, broken, code, pointer, record }
}

pub(super) fn rows() -> Vec<Row> {
    use FindingCode::*;
    let (student, teacher) = (Some(STUDENT), Some(TEACHER));
    let mut rows = vec![
        row(1, WrongFormat, "/persons/0/id", None, |_| {}, |body| body["persons"][0]["id"] = json!("X1")),
        row(
            1,
            DuplicateId,
            "/groups/0/id",
            Some(DUTY),
            |_| {},
            |body| {
                body["groups"][0]["id"] = json!(DUTY);
                body["activities"][0]["groups"][0]["id"] = json!(DUTY);
            },
        ),
        row(
            2,
            MissingReference,
            "/duties/0/person/id",
            Some(DUTY),
            |_| {},
            |body| {
                body["duties"][0]["person"]["id"] = json!(NOBODY);
            },
        ),
        row(
            3,
            WrongFormat,
            "/duties/0/dutyAt/schoolUnitCode",
            Some(DUTY),
            |body| {
                body["duties"][0]["dutyAt"] = json!({"schoolUnitCode": "31279295"});
            },
            |body| body["duties"][0]["dutyAt"] = json!({"schoolUnitCode": "312"}),
        ),
        row(
            4,
            WrongCount,
            "/persons/0/eduPersonPrincipalNames",
            student,
            |_| {},
            |body| {
                body["persons"][0]["eduPersonPrincipalNames"] = json!(["k7q2@example.se", "k7q3@example.se"]);
            },
        ),
        row(
            5,
            EppnMissing,
            "/persons/0/eduPersonPrincipalNames",
            student,
            |_| {},
            |body| body["persons"][0]["eduPersonPrincipalNames"] = json!([""]),
        ),
        row(
            5,
            EppnForm,
            "/persons/0/eduPersonPrincipalNames/0",
            student,
            |body| eppn(body, 0, "a.b+c@åäö.se"),
            |body| eppn(body, 0, "a@b@c.se"),
        ),
        row(
            5,
            EppnShared,
            "/persons/1/eduPersonPrincipalNames/0",
            teacher,
            |body| eppn(body, 1, "k7q2m@edu.example.se"),
            |body| eppn(body, 1, "K7Q2M9@edu.example.se"),
        ),
        row(
            5,
            StudentAndStaff,
            "/persons/1/enrolments",
            teacher,
            |body| {
                body["persons"][1]["enrolments"] = json!([
                    {"enroledAt": {"id": UNIT}, "schoolType": "VUXGY", "cancelled": true}
                ]);
            },
            |body| {
                body["persons"][1]["enrolments"] =
                    json!([{"enroledAt": {"id": UNIT}, "schoolType": "VUXGY"}]);
                body["persons"][1].as_object_mut().unwrap().remove("externalIdentifiers");
            },
        ),
        row(
            6,
            EppnShowsName,
            "/persons/0/eduPersonPrincipalNames/0",
            student,
            |body| eppn(body, 0, "an7@edu.example.se"),
            |body| eppn(body, 0, "Angak1@edu.example.se"),
        ),
        row(
            6,
            EppnShowsBirthDate,
            "/persons/0/eduPersonPrincipalNames/0",
            student,
            |body| eppn(body, 0, "k140102@edu.example.se"),
            |body| eppn(body, 0, "k140101@edu.example.se"),
        ),
        row(
            6,
            EppnShowsCivicNumber,
            "/persons/0/eduPersonPrincipalNames/0",
            student,
            |body| eppn(body, 0, "k9805@edu.example.se"),
            |body| eppn(body, 0, "140101-9805@edu.example.se"),
        ),
        row(
            7,
            CivicNumberForm,
            "/persons/0/civicNo/value",
            student,
            |body| civic_number(body, "201401619802"),
            |body| civic_number(body, "1401019805"),
        ),
        row(
            7,
            CivicNumberDate,
            "/persons/0/civicNo/value",
            student,
            |body| civic_number(body, "20140228TF20"),
            |body| civic_number(body, "20140229TF20"),
        ),
        row(
            7,
            CivicNumberCheckDigit,
            "/persons/0/civicNo/value",
            student,
            |body| civic_number(body, "201401019805"),
            |body| civic_number(body, "201401019806"),
        ),
        row(
            7,
            Nationality,
            "/persons/0/civicNo/nationality",
            student,
            |body| {
                body["persons"][0]["civicNo"].as_object_mut().unwrap().remove("nationality");
            },
            |body| body["persons"][0]["civicNo"]["nationality"] = json!("NO"),
        ),
        row(
            8,
            StaffEmailMissing,
            "/persons/1/emails",
            teacher,
            |body| {
                let emails =
                    json!([{"value": "a@example.se", "type": "Skola elev"}, body["persons"][1]["emails"][0]]);
                body["persons"][1]["emails"] = emails;
            },
            |body| body["persons"][1]["emails"][0]["type"] = json!("Skola elev"),
        ),
        row(
            8,
            EmailType,
            "/persons/0/emails/0",
            student,
            |body| {
                body["persons"][0]["emails"][0]["type"] = json!("Skola personal");
            },
            |body| body["persons"][0]["emails"][0]["type"] = json!("Privat"),
        ),
        row(
            9,
            SchoolYearMissing,
            "/persons/0/enrolments/1/schoolYear",
            student,
            |body| {
                body["persons"][0]["enrolments"][1]["schoolYear"] = json!(10);
                body["persons"][0]["enrolments"][0] =
                    json!({"enroledAt": {"id": UNIT}, "schoolType": "GR", "cancelled": true});
            },
            |body| {
                body["persons"][0]["enrolments"][1].as_object_mut().unwrap().remove("schoolYear");
            },
        ),
        row(
            9,
            EducationCodeMissing,
            "/persons/0/enrolments/0/educationCode",
            student,
            |body| {
                body["persons"][0]["enrolments"][0].as_object_mut().unwrap().remove("educationCode");
            },
            |body| {
                body["persons"][0]["enrolments"][0] = json!({"enroledAt": {"id": UNIT}, "schoolType": "GY"});
            },
        ),
        row(
            9,
            NotAllowed,
            "/persons/0/enrolments/1/schoolYear",
            student,
            |_| {},
            |body| {
                body["persons"][0]["enrolments"][1]["schoolYear"] = json!(11);
            },
        ),
        row(
            10,
            ExternalIdentifierOfStudent,
            "/persons/0/externalIdentifiers/0",
            student,
            |body| {
                body["persons"][0]["enrolments"][1]["cancelled"] = json!(true);
                body["persons"][0]["externalIdentifiers"] =
                    json!([{"value": "a@eduid.se", "context": "https://eduid.se"}]);
            },
            |body| {
                body["persons"][0]["externalIdentifiers"] =
                    json!([{"value": "a@eduid.se", "context": "https://eduid.se"}]);
            },
        ),
        row(
            10,
            ExternalIdentifierContext,
            "/persons/1/externalIdentifiers/0/context",
            teacher,
            |_| {},
            |body| {
                body["persons"][1]["externalIdentifiers"][0]["context"] = json!("https://eduid.example.se");
            },
        ),
        row(
            11,
            NotAllowed,
            "/persons/0/securityMarking",
            student,
            |body| {
                body["persons"][0]["securityMarking"] = json!("Sekretessmarkering");
            },
            |body| body["persons"][0]["securityMarking"] = json!("Hemlig"),
        ),
        row(
            12,
            NoEnrolmentNoDuty,
            "/persons/0",
            student,
            |_| {},
            |body| {
                body["persons"][0]["enrolments"] = json!([]);
            },
        ),
        row(
            12,
            LongName,
            "/persons/0/familyName",
            student,
            |body| {
                body["persons"][0]["familyName"] = json!("Å".repeat(64));
            },
            |body| body["persons"][0]["familyName"] = json!("Å".repeat(65)),
        ),
        row(
            13,
            NotAllowed,
            "/duties/0/dutyRole",
            Some(DUTY),
            |body| {
                body["duties"][0]["dutyRole"] = json!("Övrig arbetsledning");
            },
            |body| body["duties"][0]["dutyRole"] = json!("Vaktmästare"),
        ),
        row(
            13,
            SchoolUnitWithoutLeader,
            "/groups/1/organisation",
            Some(OTHER),
            |body| another_group(body, "Undervisning"),
            |body| {
                another_group(body, "Undervisning");
                body["groups"][1]["organisation"]["id"] = json!(OTHER_UNIT);
                let mut enrolment = body["persons"][0]["enrolments"][1].clone();
                enrolment["enroledAt"]["id"] = json!(OTHER_UNIT);
                body["persons"][0]["enrolments"].as_array_mut().unwrap().push(enrolment);
            },
        ),
        row(
            14,
            GroupWithoutMembers,
            "/groups/0/groupMemberships",
            Some(GROUP),
            |_| {},
            |body| {
                body["groups"][0]["groupMemberships"] = json!([]);
            },
        ),
        row(
            14,
            StudentInTwoClasses,
            "/groups/2/groupMemberships/0/person/id",
            student,
            |body| another_group(body, "Klass"),
            two_classes,
        ),
        row(
            14,
            MemberOfOtherSchoolUnit,
            "/groups/0/groupMemberships/0/person/id",
            student,
            |body| {
                // At two school units, one of them the group's.
                let mut enrolment = body["persons"][0]["enrolments"][1].clone();
                enrolment["enroledAt"]["id"] = json!(OTHER_UNIT);
                body["persons"][0]["enrolments"].as_array_mut().unwrap().push(enrolment);
            },
            |body| body["persons"][0]["enrolments"][1]["enroledAt"]["id"] = json!(OTHER_UNIT),
        ),
        row(
            14,
            MemberOfOtherSchoolType,
            "/groups/0/groupMemberships/0/person/id",
            student,
            |_| {},
            |body| {
                body["groups"][0]["schoolType"] = json!("SAM");
            },
        ),
        row(
            15,
            MissingAttribute,
            "/activities/0/parentActivity",
            Some(ACTIVITY),
            |_| {},
            |body| {
                body["activities"][0].as_object_mut().unwrap().remove("parentActivity");
            },
        ),
        row(
            16,
            SeveralTeachersAndGroups,
            "/activities/0/teachers",
            Some(ACTIVITY),
            |body| {
                another_group(body, "Undervisning");
                body["activities"][0]["groups"] = json!([{"id": GROUP}, {"id": OTHER}]);
            },
            |body| {
                another_group(body, "Undervisning");
                body["activities"][0]["groups"] = json!([{"id": GROUP}, {"id": OTHER}]);
                let mut duty = body["duties"][0].clone();
                (duty["id"], duty["dutyRole"]) = (json!(NOBODY), json!("Förstelärare"));
                body["duties"].as_array_mut().unwrap().push(duty);
                body["activities"][0]["teachers"] = json!([{"duty": {"id": DUTY}}, {"duty": {"id": NOBODY}}]);
            },
        ),
        row(
            16,
            GroupNotTeaching,
            "/activities/0/groups/0/id",
            Some(ACTIVITY),
            |body| another_group(body, "Klass"),
            |body| body["groups"][0]["groupType"] = json!("Klass"),
        ),
        row(
            16,
            MemberOfOtherSchoolYear,
            "/groups/0/groupMemberships/0/person/id",
            student,
            |body| {
                body["activities"][0]["parentActivity"] = json!({"testCode": "GRGRMAT01_6"});
            },
            |body| body["activities"][0]["parentActivity"] = json!({"testCode": "GRGRMAT01_9"}),
        ),
    ];
    rows.extend(persons::rows());
    rows.extend(activities::rows());
    rows.sort_by_key(|row| row.rule);
    rows
}
