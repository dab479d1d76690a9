//! The rule for a single group (rule 14).

use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::record::Group;
use crate::rules::finding::Findings;
use crate::rules::named_twice::named_twice;
use crate::rules::place::Place;

/// Holds a group against the rules about one alone.
pub(crate) fn group(place: Place, group: &Group, findings: &mut Findings) {
    if characters::is_blank(&group.display_name) {
        findings.broken(FindingCode::DisplayNameBlank, group.id, || place.pointer("/displayName"));
    }
    if group.members().next().is_none() {
        findings.broken(FindingCode::GroupWithoutMembers, group.id, || place.pointer("/groupMemberships"));
    }
    named_twice(place, group, findings);
}
