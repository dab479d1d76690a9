//! What an activity is held to alone (rule 15).

use std::collections::HashSet;

use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::record::Activity;
use crate::rules::finding::{Finding, FindingKind, Findings};
use crate::rules::place::Place;

/// Holds an activity against the rules about one alone.
pub(crate) fn activity(place: Place, activity: &Activity, findings: &mut Findings) {
    let id = activity.id;
    if characters::is_blank(&activity.display_name) {
        let kind = FindingKind { rule: Some(15), ..FindingKind::of(FindingCode::DisplayNameBlank) };
        findings.add(kind, Some(id), || Finding::new(kind, place.pointer("/displayName")));
    }
    if activity.teachers.as_ref().is_none_or(Vec::is_empty) {
        findings.broken(FindingCode::ActivityWithoutTeachers, id, || place.pointer("/teachers"));
    }
    let mut named = HashSet::new();
    for (index, group) in activity.groups.iter().enumerate() {
        if !named.insert(group.id) {
            let at = || place.pointer(&format!("/groups/{index}/id"));
            findings.broken(FindingCode::GroupNamedTwice, id, at);
        }
    }
    let mut named = HashSet::new();
    for (index, teacher) in activity.teachers.iter().flatten().enumerate() {
        if !named.insert(teacher.duty.id) {
            let at = || place.pointer(&format!("/teachers/{index}/duty/id"));
            findings.broken(FindingCode::TeacherNamedTwice, id, at);
        }
    }
}
