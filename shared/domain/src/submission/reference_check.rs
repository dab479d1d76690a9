//! Ids and references over the four lists of a body (domain rules 1 and 2).

use std::collections::{HashMap, HashSet};

use crate::kind::finding_code::FindingCode;
use crate::kind::id::RecordId;
use crate::kind::per_kind::PerKind;
use crate::kind::record_kind::RecordKind;
use crate::rules::finding::{Detail, Finding, FindingKind, Findings};
use crate::submission::form::{FormCheck, Named, is_uuid};

/// The kinds of record that have an id, by the id in lower case: as a text, so that a malformed id and a
/// reference to it still meet, and only the id is reported.
type Kinds = HashMap<String, PerKind<bool>>;

/// Adds the faults of ids and references to a form's. `lengths`: how many records each list has; `None` where there is
/// no list, and then references to that kind are not checked. `external`: a record that is not there may be at
/// Skolverket already.
pub(crate) fn check(form: &mut FormCheck, lengths: PerKind<Option<usize>>, external: bool) {
    let mut kinds = Kinds::new();
    for id in &form.ids {
        let key = id.text.to_lowercase();
        let taken = kinds.entry(key).or_default();
        if taken.values().any(|taken| *taken) && is_uuid(&id.text.to_lowercase()) {
            duplicate_id(&mut form.findings, id.within, || id.pointer.clone());
        }
        taken[id.kind] = true;
    }
    for (kind, length) in lengths {
        if let Some(length) = length {
            check_references_to(kind, form, &kinds, length, external);
        }
    }
}

fn check_references_to(kind: RecordKind, form: &mut FormCheck, kinds: &Kinds, length: usize, external: bool) {
    let of_kind = |named: &&Named| named.kind == kind;
    let named: HashSet<String> =
        form.references.iter().filter(of_kind).map(|reference| reference.text.to_lowercase()).collect();
    let missing: Vec<&Named> = form
        .references
        .iter()
        .filter(of_kind)
        .filter(|reference| is_uuid(&reference.text) && !has(kinds, &reference.text, kind))
        .collect();

    // A record whose id cannot be read is missed by whatever points at it. As long as those records can be all
    // that is missed, the fault is at their ids and is reported there.
    let known = form.ids.iter().filter(of_kind).filter(|id| {
        let text = id.text.to_lowercase();
        is_uuid(&text) || named.contains(&text)
    });
    let unreadable = length.saturating_sub(known.count());
    let elsewhere = |reference: &Named| kinds.contains_key(&reference.text);
    let lost: HashSet<&str> = missing
        .iter()
        .filter(|reference| !elsewhere(reference))
        .map(|reference| reference.text.as_str())
        .collect();
    let explained = lost.len() <= unreadable;

    for reference in missing {
        let (within, at) = (reference.within, || reference.pointer.clone());
        if elsewhere(reference) {
            of_another_kind(&mut form.findings, reference.kind, within, at);
        } else if !explained {
            self::missing(&mut form.findings, reference.kind, external, within, at);
        }
    }
}

fn has(kinds: &Kinds, id: &str, kind: RecordKind) -> bool {
    kinds.get(id).is_some_and(|kinds| kinds[kind])
}

/// Two records have the id at this place, of which `within` is the second.
pub(crate) fn duplicate_id(findings: &mut Findings, within: Option<RecordId>, at: impl FnOnce() -> String) {
    let kind = FindingKind::form(FindingCode::DuplicateId, Some(1));
    findings.add(kind, within, || Finding::new(kind, at()).with(Detail::SharedId));
}

/// No record has the id at this place, which names one of that kind. `external`: it may be at Skolverket already.
/// `within`: the record that it stands in.
pub(crate) fn missing(
    findings: &mut Findings,
    to: RecordKind,
    external: bool,
    within: Option<RecordId>,
    at: impl FnOnce() -> String,
) {
    let kind = FindingKind::form(FindingCode::MissingReference, Some(2));
    let kind = if external { kind.warning() } else { kind };
    findings.add(kind, within, || Finding::new(kind, at()).with(Detail::NotInSend { to, external }));
}

/// A record of another kind has the id at this place. `within`: the record that it stands in.
pub(crate) fn of_another_kind(
    findings: &mut Findings,
    to: RecordKind,
    within: Option<RecordId>,
    at: impl FnOnce() -> String,
) {
    let kind = FindingKind::form(FindingCode::MissingReference, Some(2));
    findings.add(kind, within, || Finding::new(kind, at()).with(Detail::OfAnotherKind { to }));
}
