//! What a group is held to alone (rule 14).

use std::collections::HashSet;

use crate::kind::characters;
use crate::kind::finding_code::FindingCode;
use crate::kind::record::Group;
use crate::rules::finding::Findings;
use crate::rules::place::Place;

/// Holds a group against the rules about one alone.
pub(crate) fn group(place: Place, group: &Group, findings: &mut Findings) {
    if characters::is_blank(&group.display_name) {
        findings.broken(FindingCode::DisplayNameBlank, group.id, || place.pointer("/displayName"));
    }
    if group.members().next().is_none() {
        findings.broken(FindingCode::GroupWithoutMembers, group.id, || place.pointer("/groupMemberships"));
    }
    let mut named = HashSet::new();
    for (index, member) in group.members().enumerate() {
        if !named.insert(member) {
            let at = || place.pointer(&format!("/groupMemberships/{index}/person/id"));
            findings.broken(FindingCode::MemberNamedTwice, group.id, at);
        }
    }
}
