//! Ids and references over the four lists of a body (domain rules 1 and 2).

use std::collections::{HashMap, HashSet};

use crate::fault::{Fault, FaultCode};
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
            walk.faults.add(|| duplicate_id(id.pointer.clone()));
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
        if elsewhere(reference) {
            walk.faults.add(|| of_another_kind(reference.pointer.clone(), reference.stage));
        } else if !explained && !external {
            walk.faults.add(|| self::missing(reference.pointer.clone(), reference.stage));
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

/// Two records have the id at `pointer`.
pub(crate) fn duplicate_id(pointer: String) -> Fault {
    Fault::new(
        FaultCode::DuplicateId,
        pointer,
        Some(1),
        "Another record of the send has this id. Ids are unique over persons, duties, groups and \
         activities together; give each record its own.",
        "En annan post i sändningen har detta id. Id:n är unika över personer, tjänstgöringar, grupper och \
         aktiviteter tillsammans; ge varje post ett eget.",
    )
}

/// No record has the id at `pointer`, which names one of that stage.
pub(crate) fn missing(pointer: String, stage: StageName) -> Fault {
    let (en, sv, list) = words(stage);
    Fault::new(
        FaultCode::MissingReference,
        pointer,
        Some(2),
        format!("There is no {en} with this id in the send. Add it to {list} or remove the reference."),
        format!(
            "Det finns ingen {sv} med detta id i sändningen. Lägg till den i {list} eller ta bort hänvisningen."
        ),
    )
}

/// A record of another stage has the id at `pointer`.
pub(crate) fn of_another_kind(pointer: String, stage: StageName) -> Fault {
    let (en, sv, list) = words(stage);
    Fault::new(
        FaultCode::MissingReference,
        pointer,
        Some(2),
        format!("This id is a record of another kind. Give the id of a {en} in {list}."),
        format!("Detta id hör till en annan sorts post. Ange id för en {sv} i {list}."),
    )
}

fn words(stage: StageName) -> (&'static str, &'static str, &'static str) {
    match stage {
        StageName::Users => ("person", "person", "persons"),
        StageName::Duties => ("duty", "tjänstgöring", "duties"),
        StageName::Groups => ("group", "grupp", "groups"),
        StageName::Activities => ("test activity", "aktivitet", "activities"),
    }
}
