//! What a group is held to alone (rule 14).

use super::Place;
use crate::finding::{FindingCode, Findings};
use crate::record::Group;

/// Holds a group against the rules about one alone.
pub(crate) fn group(place: Place, group: &Group, findings: &mut Findings) {
    if group.members().next().is_none() {
        let at = || (place.pointer("/groupMemberships"), Some(group.id));
        findings.broken(FindingCode::GroupWithoutMembers, at);
    }
}
