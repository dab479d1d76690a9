//! `POST /v1/sends/{id}/resume`: a new send with what was not accepted, and what depended on it.

use std::collections::{HashMap, HashSet};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use stafett_domain::register::Mentions;
use stafett_domain::{
    Access, ActivitySummary, BatchId, BatchRecord, Conditions, Corrected, Entry, Facts, Findings, JobStatus,
    Options, Outcome, Record, RecordId, RecordKind, References, SendId, Submission, cut,
};
use stafett_engine::Relay;
use stafett_engine::history::{NewJob, NewSend, SendRef, StoredSend};
use uuid::Uuid;

use crate::Shared;
use crate::address::Address;
use crate::body::unpacked;
use crate::caller::Sender;
use crate::problem::Problem;
use crate::records::{BATCHES_AT_ONCE, ReadBatch, read_batch, unreadable};
use crate::registers;
use crate::sends::{
    Started, answer_accepted, answer_repeated, idempotency_key, new_batch, send_of_key, store_and_start,
};
use crate::terms::{Terms, terms};

/// How often a place is asked for when others take it.
const TRIES: u32 = 10;

/// A record that is to be sent again.
struct Again {
    id: RecordId,
    wire: String,
    facts: Facts,
}

/// Records of a stage that were not accepted, and those that were.
#[derive(Default)]
struct Stage {
    refused: Vec<Again>,
    accepted: Vec<(Again, Vec<RecordId>)>,
}

/// Makes a new send of a send that has ended: what was not accepted, corrected where the caller corrects it, and the
/// groups and activities that depended on it. What was accepted is at Skolverket already.
pub(crate) async fn resume(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    Address(id): Address<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let old = SendRef::new(caller.organisation.clone(), id.parse().map_err(|_| Problem::NotFound)?);
    let stored = relay.history.send(&old, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    if !stored.header.status.has_ended() {
        return Err(Problem::NotEnded);
    }
    let body = unpacked(&headers, body)?;
    let organiser = relay.organisers.get(&caller.organisation, relay.clock.now()).await?;
    let conditions = Conditions::at(relay.clock.now(), organiser.protected);
    let mut read = Submission::read_corrections(if body.is_empty() { b"{}" } else { &body }, conditions)?;
    let mentions = Mentions::of(&read.content);
    let checked = registers::check(&relay, &caller.organisation, &mentions, &mut read.findings).await;
    let key = idempotency_key_of(&old, &headers)?;
    let (corrections, mut findings) = match read.accepted(stored.header.options.validation) {
        Ok(accepted) => accepted,
        Err(rejection) => {
            let repeated = match &key {
                Some(key) => answer_repeated(&relay, &caller, key, &body).await?,
                None => None,
            };
            return repeated.ok_or_else(|| rejection.into());
        }
    };
    let send = match &key {
        Some(key) => send_of_key(&relay, &old.organisation, key, &body).await?,
        None => SendRef::new(old.organisation.clone(), SendId(Uuid::now_v7())),
    };
    if relay.history.send(&send, relay.clock.now()).await?.is_some() {
        return answer_accepted(&relay, &send, caller.audience()).await;
    }

    let mut corrected = Corrected::of(&corrections);
    let mut again = records_again(&relay, &old, &stored, &corrections, &mut corrected).await?;
    let ids: Vec<RecordId> = again.iter().flatten().map(|record| record.id).collect();
    if ids.is_empty() {
        return Err(Problem::NothingToResume);
    }
    let mut activities = relay.history.activities(&old, relay.clock.now()).await?.ok_or(Problem::NotFound)?;
    // Those that do not go again stay as the send has them that they were accepted of last: this one or a newer.
    let [.., go_again] = &again;
    let go_again: HashSet<RecordId> = go_again.iter().map(|record| record.id).collect();
    activities.retain(|activity| go_again.contains(&activity.id));
    let mut activities: Vec<_> = activities.into_iter().map(|activity| corrected.summary(activity)).collect();
    checked.known.name(&mut activities);
    mark(&mut again, &mut activities, &corrected, &mut findings);
    let terms = terms(&relay, &organiser, stored.header.options)?;
    let new = NewSend {
        findings: findings.counts().to_vec(),
        not_checked: checked.not_checked,
        ..new_send(&stored, activities, &again, caller.subject.clone(), terms)
    };
    for _ in 0..TRIES {
        let organiser = relay.history.organiser(&old.organisation).await?.ok_or(Problem::Internal)?;
        let seq = stored.header.seq.ok_or(Problem::Internal)?;
        if relay.history.is_superseded(&old.organisation, seq, send.send, &ids).await? {
            return Err(Problem::Superseded);
        }
        // Accepted only at the place up to which was looked.
        match store_and_start(&relay, &send, &new, Some(organiser.next_seq)).await? {
            Started::Accepted => return answer_accepted(&relay, &send, caller.audience()).await,
            Started::Moved => {}
            // What an earlier request left is being removed: a repeat begins anew.
            Started::Closed => break,
        }
    }
    Err(Problem::Unavailable)
}

/// Marks what goes again with what was found about it: what was before still holds of what is not corrected. An activity
/// counts that of its records too that do not go again: they belong to it as they did.
fn mark(
    again: &mut [Vec<Again>; 4],
    activities: &mut [ActivitySummary],
    corrected: &Corrected<'_>,
    findings: &mut Findings,
) {
    for record in again.iter().flatten() {
        corrected.findings().of(record.id).iter().for_each(|code| findings.carry(record.id, *code));
    }
    for record in again.iter_mut().flatten() {
        record.facts.findings = findings.records().of(record.id).to_vec();
    }
    let mut all = corrected.findings().clone();
    all.extend(findings.records());
    corrected.activity_records().count_findings(activities, &all);
}

/// The key by which a repeat finds the same new send, where the caller gives one: a key of this send's alone.
fn idempotency_key_of(old: &SendRef, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if !headers.contains_key("idempotency-key") {
        return Ok(None);
    }
    Ok(Some(format!("resume {} {}", old.send, idempotency_key(headers)?)))
}

fn new_send(
    stored: &StoredSend,
    activities: Vec<ActivitySummary>,
    again: &[Vec<Again>; 4],
    requested_by: String,
    terms: Terms,
) -> NewSend<Facts> {
    let header = &stored.header;
    let part = |record: &'_ Again| (record.id, record.facts.clone());
    let jobs = RecordKind::ALL.into_iter().zip(again).map(|(stage, records)| {
        let parts = records.iter().map(|record| {
            let (id, facts) = part(record);
            BatchRecord { wire: &record.wire, id, facts }
        });
        NewJob { stage, batches: cut(parts).into_iter().map(new_batch).collect() }
    });
    NewSend {
        requested_by,
        activities,
        options: Options { references: References::External, ..terms.options },
        findings: Vec::new(),
        not_checked: Vec::new(),
        jobs: jobs.collect(),
        retention_days: terms.retention_days,
        certificate_days_left: terms.certificate_days_left,
        resume_of: Some(header.id),
    }
}

/// What is to be sent again, by stage.
async fn records_again(
    relay: &Relay,
    old: &SendRef,
    stored: &StoredSend,
    corrections: &Submission,
    corrected: &mut Corrected<'_>,
) -> Result<[Vec<Again>; 4], Problem> {
    let mut wires = HashMap::new();
    take_wires(&mut wires, &corrections.persons);
    take_wires(&mut wires, &corrections.duties);
    take_wires(&mut wires, &corrections.groups);
    take_wires(&mut wires, &corrections.activities);

    let mut refused = HashSet::new();
    let mut again: [Vec<Again>; 4] = Default::default();
    for (job, records) in stored.jobs.iter().zip(&mut again) {
        let stage = read_stage(relay, old, job.stage, job.status, corrected).await?;
        let mut sent_again: Vec<Again> = stage.refused;
        refused.extend(sent_again.iter().map(|record| record.id));
        for (record, without) in stage.accepted {
            if !without.is_empty() || depends_on(job.stage, &record.wire, &refused) {
                sent_again.push(record);
            }
        }
        *records = sent_again;
    }
    // Only now: what is known of a person stands in its duties too.
    for (stage, records) in RecordKind::ALL.into_iter().zip(&mut again) {
        for record in records {
            let facts = std::mem::take(&mut record.facts);
            record.facts = corrected.facts(stage, record.id, &record.wire, facts);
            if let Some(wire) = wires.remove(&(stage, record.id)) {
                record.wire = wire;
            }
        }
    }
    // A correction of something that is not sent again would be lost without a word.
    if wires.is_empty() { Ok(again) } else { Err(Problem::NotPartOfIt) }
}

fn take_wires<T: Record>(wires: &mut HashMap<(RecordKind, RecordId), String>, entries: &[Entry<T>]) {
    wires.extend(entries.iter().map(|entry| ((T::KIND, entry.record().id()), entry.wire().to_owned())));
}

async fn read_stage(
    relay: &Relay,
    send: &SendRef,
    stage: RecordKind,
    status: JobStatus,
    corrected: &mut Corrected<'_>,
) -> Result<Stage, Problem> {
    let mut read = Stage::default();
    let mut first = BatchId(0);
    loop {
        let batches = relay.history.batches(send, stage, first, BATCHES_AT_ONCE).await?;
        for batch in &batches {
            first = BatchId(batch.batch.0 + 1);
            let ReadBatch { records, body, facts } =
                read_batch(relay, send, stage, batch, status, Access::Personal).await?;
            let mut body: Value = serde_json::from_str(&body).map_err(unreadable)?;
            let Some(Value::Array(wires)) = body.get_mut("data").map(Value::take) else {
                return Err(Problem::Internal);
            };
            for ((record, wire), facts) in records.into_iter().zip(wires).zip(facts) {
                corrected.note(&record.row, &wire, &facts);
                let again = Again { id: record.row.id(), wire: wire.to_string(), facts };
                match record.outcome {
                    Outcome::Success | Outcome::Warning => read.accepted.push((again, record.without)),
                    _ => read.refused.push(again),
                }
            }
        }
        if batches.len() < BATCHES_AT_ONCE {
            return Ok(read);
        }
    }
}

/// Whether an accepted record refers to one that is sent again because it was not accepted: Skolverket took a group
/// without its missing members, and must be sent it again once they are there (skolverket/README, behaviour 6).
fn depends_on(stage: RecordKind, wire: &str, refused: &HashSet<RecordId>) -> bool {
    let pointers: &[(&str, &str)] = match stage {
        RecordKind::Person => return false,
        RecordKind::Duty => &[],
        RecordKind::Group => &[("groupMemberships", "/person/id")],
        RecordKind::Activity => &[("groups", "/id"), ("teachers", "/duty/id")],
    };
    let record: Value = serde_json::from_str(wire).unwrap_or_default();
    pointers.iter().any(|(list, pointer)| {
        let entries = record.get(*list).and_then(Value::as_array);
        entries.into_iter().flatten().any(|entry| {
            let id = entry.pointer(pointer).and_then(Value::as_str).and_then(|id| id.parse().ok());
            id.is_some_and(|id| refused.contains(&id))
        })
    })
}
