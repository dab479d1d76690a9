//! `POST /v1/sends/{id}/submit`: a send that came in parts is looked at as a whole, one batch at a time, and accepted.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stafett_domain::register::{At, Mentions};
use stafett_domain::upload_check::{CheckedUpload, Origin, UploadCheck};
use stafett_domain::{
    Activity, ActivityRecords, ActivitySummary, Duty, Facts, Group, Person, Read, Record, RecordFindings,
    RecordId, RecordKind, SendStatus, Submission, Validation,
};
use stafett_engine::Relay;
use stafett_engine::history::{
    Body, NewBatch, NewBody, NewJob, NewSend, PartBody, Sealed, SendRef, StoredPart, UploadParts,
};

use crate::Shared;
use crate::address::Address;
use crate::body::unpacked;
use crate::caller::Sender;
use crate::problem::Problem;
use crate::records::unreadable;
use crate::registers;
use crate::sends::{Started, answer_accepted, store_and_start};
use crate::terms::terms;

/// Accepts a send that came in parts: `{"parts": n}`. Can be repeated: what was accepted is answered alike.
pub(crate) async fn submit(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    Address(id): Address<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let send = SendRef::new(caller.organisation.clone(), id.parse().map_err(|_| Problem::NotFound)?);
    let count = Submission::parse_submit(&unpacked(&headers, body)?)?;
    let found = relay.history.upload(&send).await?.ok_or(Problem::NotFound)?;
    if found.upload.submitted.is_some_and(|submitted| submitted != count) {
        return Err(Problem::Submitted);
    }
    if found.header.was_accepted() {
        return answer_accepted(&relay, &send, caller.audience()).await;
    }
    if found.header.status != SendStatus::Receiving {
        return Err(Problem::Ended);
    }
    all_there(&found.parts, count)?;
    if found.upload.submitted.is_none() {
        let organiser = relay.organisers.get(&send.organisation, relay.clock.now()).await?;
        terms(&relay, &organiser, found.header.options)?;
    }
    let mut mentions = Mentions::default();
    let mut read = match Whole::read(&relay, &send, &found, &mut mentions).await {
        Ok(read) => read,
        // A part that is replaced takes its bodies with it.
        Err(problem) => return Err(overtaken(&relay, &send, found.upload.rev).await?.unwrap_or(problem)),
    };
    let checked = registers::check(&relay, &send.organisation, &mentions, &mut read.findings).await;
    // What was sealed had been found good: a repeat carries on with it, whatever the registers say by now.
    let validation = match found.upload.submitted {
        None => found.header.options.validation,
        Some(_) => Validation::WarnOnly,
    };
    let (mut whole, findings) = read.accepted(validation)?;
    checked.known.name(&mut whole.activities);
    if let Err(problem) = whole.mark(&relay, &send, findings.records()).await {
        return Err(overtaken(&relay, &send, found.upload.rev).await?.unwrap_or(problem));
    }
    let new = NewSend {
        requested_by: found.header.requested_by,
        activities: whole.activities,
        options: found.header.options,
        findings: findings.counts().to_vec(),
        not_checked: checked.not_checked,
        jobs: whole.jobs,
        retention_days: 0,
        certificate_days_left: None,
        resume_of: None,
    };
    let sealed = relay.history.seal_upload(&send, found.upload.rev, count, &new).await?;
    if sealed == Sealed::Yes && store_and_start(&relay, &send, &new, None).await? == Started::Accepted {
        return answer_accepted(&relay, &send, caller.audience()).await;
    }
    // Somebody else was faster: a part, a cancellation, the watchdog, or another who submitted the same.
    match overtaken(&relay, &send, found.upload.rev).await? {
        Some(problem) => Err(problem),
        None => answer_accepted(&relay, &send, caller.audience()).await,
    }
}

/// What has become of a send meanwhile of which `rev` was read, if that keeps it from being accepted.
async fn overtaken(relay: &Relay, send: &SendRef, rev: u64) -> Result<Option<Problem>, Problem> {
    let Some((header, upload)) = relay.history.upload_header(send).await? else {
        return Ok(Some(Problem::NotFound));
    };
    Ok(if header.status == SendStatus::Cancelled && !header.was_accepted() {
        Some(Problem::Ended)
    } else {
        (upload.rev != rev).then_some(Problem::PartsMoved)
    })
}

/// The parts 1 to `count`, and no other.
fn all_there(parts: &[StoredPart], count: u32) -> Result<(), Problem> {
    let there = |number| parts.iter().any(|part| part.part == number);
    let missing: Vec<u32> = (1..=count).filter(|number| !there(*number)).collect();
    let beyond: Vec<u32> = parts.iter().map(|part| part.part).filter(|part| *part > count).collect();
    if missing.is_empty() && beyond.is_empty() { Ok(()) } else { Err(Problem::Parts { missing, beyond }) }
}

/// What a send is, seen as a whole: without its bodies, of which never more than a few are held.
struct Whole {
    jobs: Vec<NewJob<Facts>>,
    activities: Vec<ActivitySummary>,
    activity_records: ActivityRecords,
    /// What was found about records when their parts came, and stands with them already.
    found_before: RecordFindings,
}

/// A batch of a part, opened.
struct Opened<T> {
    origin: Origin,
    at: PartBody,
    records: Vec<T>,
    facts: Vec<Facts>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: Vec<T>,
}

impl Whole {
    async fn read(
        relay: &Relay,
        send: &SendRef,
        found: &UploadParts,
        mentions: &mut Mentions,
    ) -> Result<Read<Self>, Problem> {
        let mut check = UploadCheck::new(found.header.options.references);
        let reader = PartReader { relay, send, parts: &found.parts };
        let mut jobs: Vec<NewJob<Facts>> =
            RecordKind::ALL.map(|stage| NewJob { stage, batches: Vec::new() }).into();
        let [persons, duties, groups, activities] = jobs.as_mut_slice() else {
            return Err(Problem::Internal);
        };

        reader.each(|batch: Opened<Duty>| check.roles(&batch.records)).await?;
        reader
            .each(|mut batch: Opened<Person>| {
                batch.each(|at, person| mentions.person(at, person));
                let changed = check.persons(batch.origin, &batch.records, &mut batch.facts);
                persons.batches.push(batch.placed(changed));
            })
            .await?;
        reader
            .each(|mut batch: Opened<Duty>| {
                batch.each(|at, duty| mentions.duty(at, duty));
                let changed = check.duties(batch.origin, &batch.records, &mut batch.facts);
                duties.batches.push(batch.placed(changed));
            })
            .await?;
        reader.each(|batch: Opened<Activity>| check.ahead(&batch.records, &batch.facts)).await?;
        reader
            .each(|batch: Opened<Group>| {
                batch.each(|at, group| mentions.group(at, group));
                check.groups(batch.origin, &batch.records, &batch.facts);
                groups.batches.push(batch.placed(false));
            })
            .await?;
        reader
            .each(|batch: Opened<Activity>| {
                batch.each(|at, activity| mentions.activity(at, activity));
                check.activities(batch.origin, &batch.records, &batch.facts);
                activities.batches.push(batch.placed(false));
            })
            .await?;
        if activities.batches.is_empty() {
            check.no_activities();
        }
        let Read { content: CheckedUpload { activities, activity_records, found_before }, mut findings } =
            check.finish();
        for part in &found.parts {
            findings.add_counts(&part.findings);
        }
        Ok(Read { content: Self { jobs, activities, activity_records, found_before }, findings })
    }

    /// Marks records with what was found about them when all was seen together, and counts it for the activities. Nearly
    /// all batches are left as they came.
    async fn mark(
        &mut self,
        relay: &Relay,
        send: &SendRef,
        findings: &RecordFindings,
    ) -> Result<(), Problem> {
        let mut all = self.found_before.clone();
        all.extend(findings);
        self.activity_records.count_findings(&mut self.activities, &all);
        for batch in self.jobs.iter_mut().flat_map(|job| &mut job.batches) {
            let NewBatch { ids, body: NewBody::Part { at, facts } } = batch else { continue };
            if ids.iter().all(|id| findings.of(*id).is_empty()) {
                continue;
            }
            let marked = match facts {
                Some(facts) => facts,
                None => facts.insert(relay.history.part_body::<Facts>(send, at).await?.facts),
            };
            for (id, facts) in ids.iter().zip(marked) {
                facts.findings = all.of(*id).to_vec();
            }
        }
        Ok(())
    }
}

impl<T: Record> Opened<T> {
    /// Gives each record with its place.
    fn each(&self, mut take: impl FnMut(At, &T)) {
        for (index, record) in self.records.iter().enumerate() {
            take(At { part: Some(self.origin.part), index: self.origin.first + index }, record);
        }
    }

    /// The batch as it is stored: its body stays where it is.
    fn placed(self, facts_changed: bool) -> NewBatch<Facts> {
        let ids: Vec<RecordId> = self.records.iter().map(Record::id).collect();
        NewBatch { ids, body: NewBody::Part { at: self.at, facts: facts_changed.then_some(self.facts) } }
    }
}

/// Bodies that are read at the same time. A read is a few milliseconds of waiting and less of work: eight keep the API's
/// share of a core busy, and hold at most 1.6 MB.
const BODIES_AT_ONCE: usize = 8;

/// Goes through a send's parts in their order, some bodies ahead.
struct PartReader<'a> {
    relay: &'a Relay,
    send: &'a SendRef,
    parts: &'a [StoredPart],
}

impl PartReader<'_> {
    async fn each<T: Record + DeserializeOwned>(
        &self,
        mut take: impl FnMut(Opened<T>),
    ) -> Result<(), Problem> {
        let mut wanted = Vec::new();
        for part in self.parts {
            let batches = part.stages.get(T::KIND.index()).into_iter().flatten();
            wanted.extend(batches.map(|batch| PartBody { part: part.part, name: batch.name.clone() }));
        }
        let read = |at| async move {
            let body = self.relay.history.part_body::<Facts>(self.send, &at).await;
            (at, body)
        };
        let mut bodies = stream::iter(wanted.into_iter().map(read)).buffered(BODIES_AT_ONCE);
        let mut next = Origin { part: 0, first: 0 };
        while let Some((at, body)) = bodies.next().await {
            let Body { body, facts } = body?;
            let records = serde_json::from_str::<Data<T>>(&body).map_err(unreadable)?.data;
            let first = if next.part == at.part { next.first } else { 0 };
            next = Origin { part: at.part, first: first + records.len() };
            take(Opened { origin: Origin { part: at.part, first }, at, records, facts });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_without_a_gap() {
        let part = |part| StoredPart {
            part,
            request: uuid::Uuid::nil(),
            stages: Default::default(),
            findings: Vec::new(),
            expires: 0,
        };
        assert!(all_there(&[part(1), part(2)], 2).is_ok());
        let Err(Problem::Parts { missing, beyond }) = all_there(&[part(2), part(5)], 3) else {
            panic!("taken")
        };
        assert_eq!((missing, beyond), (vec![1, 3], vec![5]));
    }
}
