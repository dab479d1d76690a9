//! What corrected records change in the facts of a send's other records: a row's facts and an activity's summary hold
//! values of other records too, and must not keep those from before the correction.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::kind::id::RecordId;
use crate::kind::personal::Personal;
use crate::kind::record::{Activity, Duty, Group, Person, Record};
use crate::kind::record_kind::RecordKind;
use crate::kind::relation::Relation;
use crate::kind::vocabulary::DutyRole;
use crate::rules::record_findings::RecordFindings;
use crate::state::activity_summary::ActivitySummary;
use crate::state::facts::{Facts, STUDENT_ROLE};
use crate::state::row::Row;
use crate::submission::activity_records::ActivityRecords;
use crate::submission::body::Submission;
use crate::submission::entry::Entry;

/// The corrected records, and what the send's other records say beside. Call [`Corrected::note`] for every record of
/// the send first, in the order of the kinds.
pub struct Corrected<'a> {
    persons: HashMap<RecordId, &'a Person>,
    duties: HashMap<RecordId, &'a Duty>,
    groups: HashMap<RecordId, &'a Group>,
    activities: HashMap<RecordId, &'a Activity>,
    /// Of the persons of corrected duties: the name, and whether the identity is protected.
    named: HashMap<RecordId, (Option<Personal>, bool)>,
    /// By person.
    roles: HashMap<RecordId, Vec<DutyRole>>,
    /// Whose roles a corrected duty may have changed.
    concerned: HashSet<RecordId>,
    /// What the send's activities are made of now.
    activity_records: ActivityRecords,
    /// The findings of the send's records that still hold.
    findings: RecordFindings,
}

impl<'a> Corrected<'a> {
    /// Nothing but the corrections is known yet.
    pub fn of(corrections: &'a Submission) -> Self {
        let duties = by_id(&corrections.duties);
        Self {
            concerned: duties.values().map(|duty| duty.person.id).collect(),
            persons: by_id(&corrections.persons),
            duties,
            groups: by_id(&corrections.groups),
            activities: by_id(&corrections.activities),
            named: HashMap::new(),
            roles: HashMap::new(),
            activity_records: ActivityRecords::default(),
            findings: RecordFindings::default(),
        }
    }

    /// Takes a record of the send as it was before, whatever became of it. `row` shows all; `facts` are what it shows
    /// beside the record.
    pub fn note(&mut self, row: &Row, record: &Value, facts: &Facts) {
        match row {
            Row::Person(row) => {
                self.keep_findings(RecordKind::Person, row.id, facts);
                if self.concerned.contains(&row.id) {
                    self.named.insert(row.id, (row.name.clone().map(Into::into), row.protected));
                }
            }
            Row::Duty(row) => {
                self.keep_findings(RecordKind::Duty, row.id, facts);
                let before = Relation::DUTY_PERSON.ids(record).next();
                let role = row.role.clone().and_then(|role| serde_json::from_value(role.into()).ok());
                let mut duty = (before, role);
                if let Some(corrected) = self.duties.get(&row.id) {
                    if before == Some(corrected.person.id) {
                        let known = || (row.name.clone().map(Into::into), row.protected);
                        self.named.entry(corrected.person.id).or_insert_with(known);
                    }
                    self.concerned.extend(before);
                    duty = (Some(corrected.person.id), Some(corrected.duty_role));
                }
                if let Some(person) = duty.0 {
                    self.activity_records.duty(row.id, person);
                }
                if let (Some(person), Some(role)) = duty {
                    let roles = self.roles.entry(person).or_default();
                    if !roles.contains(&role) {
                        roles.push(role);
                    }
                }
            }
            Row::Group(row) => {
                self.keep_findings(RecordKind::Group, row.id, facts);
                match self.groups.get(&row.id) {
                    Some(corrected) => self.activity_records.group(row.id, corrected.members()),
                    None => {
                        self.activity_records.group(row.id, Relation::GROUP_MEMBERS.ids(record));
                    }
                }
            }
            Row::Activity(row) => {
                self.keep_findings(RecordKind::Activity, row.id, facts);
                match self.activities.get(&row.id) {
                    Some(now) => self.activity_records.activity(row.id, now.groups(), now.duties()),
                    None => self.activity_records.activity(
                        row.id,
                        Relation::ACTIVITY_GROUPS.ids(record),
                        Relation::ACTIVITY_TEACHERS.ids(record),
                    ),
                }
            }
        }
    }

    /// Keeps what was found about a record that is not corrected, but for what a correction of another may have changed.
    fn keep_findings(&mut self, kind: RecordKind, id: RecordId, facts: &Facts) {
        if self.is_corrected(kind, id) {
            return;
        }
        for code in &facts.findings {
            if !code.found_by().iter().any(|kind| self.corrects(*kind)) {
                self.findings.add(id, *code);
            }
        }
    }

    fn is_corrected(&self, kind: RecordKind, id: RecordId) -> bool {
        match kind {
            RecordKind::Person => self.persons.contains_key(&id),
            RecordKind::Duty => self.duties.contains_key(&id),
            RecordKind::Group => self.groups.contains_key(&id),
            RecordKind::Activity => self.activities.contains_key(&id),
        }
    }

    /// Whether a record of this kind is corrected.
    fn corrects(&self, kind: RecordKind) -> bool {
        match kind {
            RecordKind::Person => !self.persons.is_empty(),
            RecordKind::Duty => !self.duties.is_empty(),
            RecordKind::Group => !self.groups.is_empty(),
            RecordKind::Activity => !self.activities.is_empty(),
        }
    }

    /// The findings of the send's records that still hold after the corrections; none of the corrected records.
    pub fn findings(&self) -> &RecordFindings {
        &self.findings
    }

    /// The summaries of the send's activities after the corrections.
    pub fn activity_records(&self) -> &ActivityRecords {
        &self.activity_records
    }

    /// The facts of a record after the corrections. `wire`: the record as it was, `facts`: its facts before.
    pub fn facts(&self, kind: RecordKind, id: RecordId, wire: &str, facts: Facts) -> Facts {
        match kind {
            RecordKind::Person => self.facts_of_person(id, wire, facts),
            RecordKind::Duty => self.facts_of_duty(id, wire, facts),
            RecordKind::Group => facts,
            RecordKind::Activity => {
                self.activities.get(&id).map_or(facts, |activity| Facts::of_activity(activity))
            }
        }
    }

    fn facts_of_person(&self, id: RecordId, wire: &str, facts: Facts) -> Facts {
        let roles = || self.roles.get(&id).map(|roles| DutyRole::list(roles));
        if let Some(person) = self.persons.get(&id) {
            let alone = Facts::of_person(person);
            return Facts { role: roles().or(alone.role), ..alone };
        }
        if !self.concerned.contains(&id) {
            return facts;
        }
        let record: Value = serde_json::from_str(wire).unwrap_or_default();
        let enrolments = record.get("enrolments").and_then(Value::as_array);
        let enrolled = enrolments.is_some_and(|enrolments| !enrolments.is_empty());
        Facts { role: roles().or_else(|| enrolled.then(|| STUDENT_ROLE.to_owned())), ..facts }
    }

    fn facts_of_duty(&self, id: RecordId, wire: &str, facts: Facts) -> Facts {
        let corrected = self.duties.get(&id);
        if corrected.is_none() && self.persons.is_empty() {
            return facts;
        }
        let person = match corrected {
            Some(duty) => Some(duty.person.id),
            None => Relation::DUTY_PERSON.ids(&serde_json::from_str(wire).unwrap_or_default()).next(),
        };
        if let Some(person) = person.and_then(|person| self.persons.get(&person)) {
            return Facts { name: Some(person.full_name()), protected: person.is_protected(), ..facts };
        }
        if corrected.is_none() {
            return facts;
        }
        let known = person.and_then(|person| self.named.get(&person)).cloned();
        let (name, protected) = known.unwrap_or_default();
        Facts { name, protected, ..facts }
    }

    /// An activity of the send as it is now.
    #[must_use]
    pub fn summary(&self, before: ActivitySummary) -> ActivitySummary {
        let corrected = self.activities.get(&before.id);
        // Of groups that are at Skolverket already, from an earlier send, nothing is known here.
        let counted = self.activity_records.students(before.id);
        let students = if corrected.is_some() { counted } else { counted.or(before.students) };
        let Some(activity) = corrected else { return ActivitySummary { students, ..before } };
        let mut after = ActivitySummary::of(activity, &Facts::of_activity(activity), students);
        // What is known from the registers about the same school unit and the same test still holds.
        if after.school_unit.id == before.school_unit.id {
            after.school_unit.name = before.school_unit.name;
            after.school_unit.code = after.school_unit.code.or(before.school_unit.code);
        }
        if after.test_activity_id == before.test_activity_id {
            after.test_code = after.test_code.or(before.test_code);
        }
        after
    }
}

fn by_id<T: Record>(entries: &[Entry<T>]) -> HashMap<RecordId, &T> {
    entries.iter().map(|entry| (entry.record().id(), entry.record())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::{ACTIVITY, ATTESTED, DUTY, GROUP, STUDENT, TEACHER, complete, parse};
    use crate::state::row::rows;
    use crate::submission::plan::Plan;

    /// The facts of the complete send's records by id, and its activity, after corrections.
    fn after(corrections: &Value) -> (HashMap<RecordId, Facts>, ActivitySummary) {
        let body = corrections.to_string();
        let read = Submission::read_corrections(body.as_bytes(), ATTESTED).unwrap();
        let (activities, batches) = Plan::of(&parse(&complete()).unwrap()).into_parts();
        let mut corrected = Corrected::of(&read.content);
        let mut found = Vec::new();
        for (kind, batches) in batches {
            let [batch] = <[_; 1]>::try_from(batches).unwrap();
            let body: Value = serde_json::from_str(&batch.body).unwrap();
            let rows = rows(kind, &batch.body, &batch.facts).unwrap();
            for ((row, record), facts) in rows.iter().zip(body["data"].as_array().unwrap()).zip(batch.facts) {
                corrected.note(row, record, &facts);
                found.push((kind, row.id(), record.to_string(), facts));
            }
        }
        let facts = found
            .into_iter()
            .map(|(kind, id, wire, facts)| (id, corrected.facts(kind, id, &wire, facts)))
            .collect();
        (facts, corrected.summary(activities.into_iter().next().unwrap()))
    }

    fn of<'f>(facts: &'f HashMap<RecordId, Facts>, id: &str) -> &'f Facts {
        &facts[&id.parse::<RecordId>().unwrap()]
    }

    fn named(name: &str, protected: bool) -> Facts {
        Facts { name: Some(name.to_owned().into()), protected, ..Facts::default() }
    }

    fn with_role(role: Option<&str>, protected: bool) -> Facts {
        Facts { role: role.map(str::to_owned), protected, ..Facts::default() }
    }

    #[test]
    fn nothing_changes_without_corrections() {
        let (facts, activity) = after(&json!({}));
        let plan = Plan::of(&parse(&complete()).unwrap());
        assert!(activity == plan.activities[0]);
        assert!(*of(&facts, DUTY) == named("Siv Rönnhed", true));
        assert!(*of(&facts, TEACHER) == with_role(Some("Lärare"), true));
        assert!(*of(&facts, STUDENT) == with_role(Some("Elev"), false));
    }

    #[test]
    fn a_corrected_person_is_named_and_protected_as_it_is_now_in_its_duties_too() {
        let mut teacher = complete()["persons"][1].clone();
        teacher["familyName"] = json!("Sjölund");
        teacher["securityMarking"] = json!("Ingen");
        let (facts, _) = after(&json!({"persons": [teacher]}));
        assert!(*of(&facts, DUTY) == named("Siv Sjölund", false));
        assert!(*of(&facts, TEACHER) == with_role(Some("Lärare"), false));
        teacher["securityMarking"] = json!("Sekretessmarkering");
        let (facts, _) = after(&json!({"persons": [teacher]}));
        assert!(*of(&facts, DUTY) == named("Siv Sjölund", true));
        assert!(*of(&facts, TEACHER) == with_role(Some("Lärare"), true));
        let mut pupil = complete()["persons"][0].clone();
        pupil["enrolments"] = json!([]);
        let (facts, _) = after(&json!({"persons": [pupil]}));
        assert!(*of(&facts, STUDENT) == with_role(None, false));
        assert!(*of(&facts, DUTY) == named("Siv Rönnhed", true));
    }

    #[test]
    fn a_duty_that_has_become_anothers_has_the_name_and_gives_the_role_to_that_one() {
        let mut duty = complete()["duties"][0].clone();
        duty["dutyRole"] = json!("Kurator");
        let (facts, _) = after(&json!({"duties": [duty]}));
        assert!(*of(&facts, DUTY) == named("Siv Rönnhed", true), "still the same person's");
        assert!(*of(&facts, TEACHER) == with_role(Some("Kurator"), true));
        duty["person"]["id"] = json!(STUDENT);
        let (facts, _) = after(&json!({"duties": [duty]}));
        assert!(*of(&facts, DUTY) == named("Åke Öster Ängdal", false));
        assert!(*of(&facts, STUDENT) == with_role(Some("Kurator"), false));
        assert!(*of(&facts, TEACHER) == with_role(None, true));
        // Of somebody whom only Skolverket has nothing is known.
        duty["person"]["id"] = json!(crate::sample::NOBODY);
        assert!(*of(&after(&json!({"duties": [duty]})).0, DUTY) == Facts::default());
    }

    #[test]
    fn a_corrected_activity_has_its_codes_and_is_summed_up_anew() {
        let mut activity = complete()["activities"][0].clone();
        activity["displayName"] = json!("Prov i biologi");
        activity["parentActivity"] = json!({"testCode": "GRGRBIO01_6"});
        activity["teachers"] = json!([]);
        let (facts, summary) = after(&json!({"activities": [activity]}));
        let code = of(&facts, ACTIVITY).test_code.as_ref().map(ToString::to_string);
        assert_eq!(code.as_deref(), Some("GRGRBIO01_6"));
        let shown = serde_json::to_value(&summary).unwrap();
        assert_eq!(
            (&shown["displayName"], &shown["testCode"]),
            (&json!("Prov i biologi"), &json!("GRGRBIO01_6"))
        );
        assert_eq!(shown["testActivityId"], json!(crate::skolverket_id("GRGRBIO01_6")));
        assert_eq!((summary.groups, summary.students, summary.teachers), (1, Some(1), 0));
    }

    #[test]
    fn the_students_of_a_corrected_group_are_counted_anew() {
        let mut group = complete()["groups"][0].clone();
        group["groupMemberships"] = json!([{"person": {"id": STUDENT}}, {"person": {"id": TEACHER}}]);
        let (facts, summary) = after(&json!({"groups": [group]}));
        assert_eq!(summary.students, Some(2));
        assert!(*of(&facts, GROUP) == Facts::default());
        let before = Plan::of(&parse(&complete()).unwrap()).activities.remove(0);
        assert!(ActivitySummary { students: Some(1), ..summary } == before);
        // A group that is not of the send: nobody knows.
        let mut activity = complete()["activities"][0].clone();
        activity["groups"] = json!([{"id": crate::sample::NOBODY}]);
        assert_eq!(after(&json!({"activities": [activity]})).1.students, None);
    }
}
