//! Ids and references over the four lists of a body (domain rules 1 and 2).

use std::collections::{HashMap, HashSet};

use crate::finding::{Finding, FindingCode, Findings, Kind};
use crate::id::RecordId;
use crate::shape::{Named, Walk, is_uuid};
use crate::stage::StageName;

/// The kinds of record that have an id, by the id in lower case: as a text, so that a malformed id and a
/// reference to it still meet, and the admin is told of the id only.
type Kinds = HashMap<String, [bool; 4]>;

/// Adds the faults of ids and references to a walk's. `lengths`: how many records each list has, by the stage's
/// index; none where there is no list, about which nothing is said then. `external`: what is not there may be at
/// Skolverket already.
pub(crate) fn check(walk: &mut Walk, lengths: [Option<usize>; 4], external: bool) {
    let mut kinds = Kinds::new();
    for id in &walk.ids {
        let key = id.text.to_lowercase();
        let taken = kinds.entry(key).or_default();
        if taken.iter().any(|taken| *taken) && is_uuid(&id.text.to_lowercase()) {
            duplicate_id(&mut walk.findings, id.within, || id.pointer.clone());
        }
        mark(taken, id.stage);
    }
    for stage in StageName::ORDER {
        if let Some(length) = lengths.get(stage.index()).copied().flatten() {
            check_references_to(stage, walk, &kinds, length, external);
        }
    }
}

fn check_references_to(stage: StageName, walk: &mut Walk, kinds: &Kinds, length: usize, external: bool) {
    let of_stage = |named: &&Named| named.stage == stage;
    let named: HashSet<String> =
        walk.references.iter().filter(of_stage).map(|reference| reference.text.to_lowercase()).collect();
    let missing: Vec<&Named> = walk
        .references
        .iter()
        .filter(of_stage)
        .filter(|reference| is_uuid(&reference.text) && !has(kinds, &reference.text, stage))
        .collect();

    // A record whose id cannot be read is missed by whatever points at it. As long as those records can be all
    // that is missed, the fault is at their ids and is told there.
    let known = walk.ids.iter().filter(of_stage).filter(|id| {
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
            of_another_kind(&mut walk.findings, reference.stage, within, at);
        } else if !explained {
            self::missing(&mut walk.findings, reference.stage, external, within, at);
        }
    }
}

fn mark(kinds: &mut [bool; 4], stage: StageName) {
    if let Some(kind) = kinds.get_mut(stage.index()) {
        *kind = true;
    }
}

fn has(kinds: &Kinds, id: &str, stage: StageName) -> bool {
    kinds.get(id).and_then(|kinds| kinds.get(stage.index())).copied().unwrap_or_default()
}

/// Two records have the id at this place, of which `within` is the second.
pub(crate) fn duplicate_id(findings: &mut Findings, within: Option<RecordId>, at: impl FnOnce() -> String) {
    let kind = Kind::form(FindingCode::DuplicateId, Some(1));
    findings.add(kind, within, || {
        Finding::new(kind, at()).told(
            "Another record of the send has this id. Ids are unique over persons, duties, groups and \
             activities together; give each record its own.",
            "En annan post i sändningen har detta id. Id:n är unika över personer, tjänstgöringar, grupper och \
             aktiviteter tillsammans; ge varje post ett eget.",
        )
    });
}

/// No record has the id at this place, which names one of that stage. `external`: it may be at Skolverket already.
/// `within`: the record that it stands in.
pub(crate) fn missing(
    findings: &mut Findings,
    stage: StageName,
    external: bool,
    within: Option<RecordId>,
    at: impl FnOnce() -> String,
) {
    let (en, sv, list) = words(stage);
    let kind = Kind::form(FindingCode::MissingReference, Some(2));
    if external {
        told(findings, kind.warning(), within, at, || {
            (
                format!(
                    "There is no {en} with this id in the send. Skolverket refuses the record unless it has that one \
                     from an earlier send. If it has not, add it to {list}."
                ),
                format!(
                    "Det finns ingen {sv} med detta id i sändningen. Skolverket avvisar posten om den inte finns där \
                     från en tidigare sändning. Om den inte gör det, lägg till den i {list}."
                ),
            )
        });
    } else {
        told(findings, kind, within, at, || {
            (
                format!(
                    "There is no {en} with this id in the send. Add it to {list} or remove the reference."
                ),
                format!(
                    "Det finns ingen {sv} med detta id i sändningen. Lägg till den i {list} eller ta bort \
                     hänvisningen."
                ),
            )
        });
    }
}

/// A record of another stage has the id at this place. `within`: the record that it stands in.
pub(crate) fn of_another_kind(
    findings: &mut Findings,
    stage: StageName,
    within: Option<RecordId>,
    at: impl FnOnce() -> String,
) {
    let (en, sv, list) = words(stage);
    told(findings, Kind::form(FindingCode::MissingReference, Some(2)), within, at, || {
        (
            format!("This id is a record of another kind. Give the id of a {en} in {list}."),
            format!("Detta id hör till en annan sorts post. Ange id för en {sv} i {list}."),
        )
    });
}

fn told(
    findings: &mut Findings,
    kind: Kind,
    within: Option<RecordId>,
    at: impl FnOnce() -> String,
    words: impl FnOnce() -> (String, String),
) {
    findings.add(kind, within, || {
        let (en, sv) = words();
        Finding::new(kind, at()).told(en, sv)
    });
}

fn words(stage: StageName) -> (&'static str, &'static str, &'static str) {
    match stage {
        StageName::Users => ("person", "person", "persons"),
        StageName::Duties => ("duty", "tjänstgöring", "duties"),
        StageName::Groups => ("group", "grupp", "groups"),
        StageName::Activities => ("test activity", "aktivitet", "activities"),
    }
}
