//! What an activity is held to alone (rule 15).

use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::record::Activity;
use crate::rules::finding::{Finding, FindingKind, Findings};
use crate::rules::named_twice::named_twice;
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
    named_twice(place, activity, findings);
}
