//! The content of a send that arrived in parts. It reads every record once and keeps only a few bodies in memory at a
//! time.

use futures::{StreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stafett_domain::register::{At, Mentions};
use stafett_domain::upload_check::{CheckedUpload, Origin, UploadCheck};
use stafett_domain::{
    Activity, ActivityRecords, ActivitySummary, Duty, Facts, Group, PerKind, Person, Read, Record,
    RecordFindings, RecordId, RecordKind, References,
};
use stafett_history::{
    Body, History, HistoryError, NewBatch, NewBody, NewJob, PartBody, SendRef, StoredPart,
};

/// The number of bodies to read at the same time. A read mostly waits for a few milliseconds. Eight reads keep the
/// API's share of a core busy and hold at most 1.6 MB.
const BODIES_AT_ONCE: usize = 8;

/// The content of a send, without its bodies.
pub(crate) struct UploadContent {
    pub(crate) jobs: Vec<NewJob<Facts>>,
    pub(crate) activities: Vec<ActivitySummary>,
    activity_records: ActivityRecords,
    /// Findings from when the parts arrived. The facts of the records already include them.
    found_before: RecordFindings,
}

/// A batch of a part, with its body read.
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

impl UploadContent {
    /// Reads all parts of a send, and adds the register entries that they refer to to `mentions`.
    pub(crate) async fn read(
        history: &History,
        send: &SendRef,
        references: References,
        parts: &[StoredPart],
        mentions: &mut Mentions,
    ) -> Result<Read<Self>, HistoryError> {
        let mut check = UploadCheck::new(references);
        let reader = PartReader { history, send, parts };
        let mut batches = PerKind::default();

        reader.each(|batch: Opened<Duty>| check.roles(&batch.records)).await?;
        reader
            .each(|mut batch: Opened<Person>| {
                batch.each(|at, person| mentions.person(at, person));
                let changed = check.persons(batch.origin, &batch.records, &mut batch.facts);
                batch.place_in(&mut batches, changed);
            })
            .await?;
        reader
            .each(|mut batch: Opened<Duty>| {
                batch.each(|at, duty| mentions.duty(at, duty));
                let changed = check.duties(batch.origin, &batch.records, &mut batch.facts);
                batch.place_in(&mut batches, changed);
            })
            .await?;
        reader.each(|batch: Opened<Activity>| check.summarize(&batch.records, &batch.facts)).await?;
        reader
            .each(|batch: Opened<Group>| {
                batch.each(|at, group| mentions.group(at, group));
                check.groups(batch.origin, &batch.records, &batch.facts);
                batch.place_in(&mut batches, false);
            })
            .await?;
        reader
            .each(|batch: Opened<Activity>| {
                batch.each(|at, activity| mentions.activity(at, activity));
                check.activities(batch.origin, &batch.records, &batch.facts);
                batch.place_in(&mut batches, false);
            })
            .await?;
        if batches[RecordKind::Activity].is_empty() {
            check.no_activities();
        }
        let jobs = batches.into_iter().map(|(stage, batches)| NewJob { stage, batches });
        let Read { content: CheckedUpload { activities, activity_records, found_before }, mut findings } =
            check.finish();
        for part in parts {
            findings.add_counts(&part.findings);
        }
        Ok(Read {
            content: Self { jobs: jobs.collect(), activities, activity_records, found_before },
            findings,
        })
    }

    /// Adds the findings of the check across all records to the facts of the records, and counts them for the
    /// activities. Nearly all batches stay unchanged.
    pub(crate) async fn mark(
        &mut self,
        history: &History,
        send: &SendRef,
        findings: &RecordFindings,
    ) -> Result<(), HistoryError> {
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
                None => facts.insert(history.part_body::<Facts>(send, at).await?.facts),
            };
            for (id, facts) in ids.iter().zip(marked) {
                facts.findings = all.of(*id).to_vec();
            }
        }
        Ok(())
    }
}

impl<T: Record> Opened<T> {
    /// Calls `take` with each record and its place.
    fn each(&self, mut take: impl FnMut(At, &T)) {
        for (index, record) in self.records.iter().enumerate() {
            take(At { part: Some(self.origin.part), index: self.origin.first + index }, record);
        }
    }

    /// Adds the batch to the batches of its job. The body stays where it is stored.
    fn place_in(self, batches: &mut PerKind<Vec<NewBatch<Facts>>>, facts_changed: bool) {
        let ids: Vec<RecordId> = self.records.iter().map(Record::id).collect();
        let facts = facts_changed.then_some(self.facts);
        batches[T::KIND].push(NewBatch { ids, body: NewBody::Part { at: self.at, facts } });
    }
}

/// Reads the bodies of a send's parts in order, and reads some ahead.
struct PartReader<'a> {
    history: &'a History,
    send: &'a SendRef,
    parts: &'a [StoredPart],
}

impl PartReader<'_> {
    async fn each<T: Record + DeserializeOwned>(
        &self,
        mut take: impl FnMut(Opened<T>),
    ) -> Result<(), HistoryError> {
        let mut wanted = Vec::new();
        for part in self.parts {
            let batches = &part.batches[T::KIND];
            wanted.extend(batches.iter().map(|batch| PartBody { part: part.part, name: batch.name.clone() }));
        }
        let read = |at| async move {
            let body = self.history.part_body::<Facts>(self.send, &at).await;
            (at, body)
        };
        let mut bodies = stream::iter(wanted.into_iter().map(read)).buffered(BODIES_AT_ONCE);
        // The part that was read last, and the number of its records so far.
        let mut last: Option<(u32, usize)> = None;
        while let Some((at, body)) = bodies.next().await {
            let Body { body, facts } = body?;
            let unreadable = |_| HistoryError::Corrupt("a part's body that cannot be read");
            let records = serde_json::from_str::<Data<T>>(&body).map_err(unreadable)?.data;
            let first = last.filter(|(part, _)| *part == at.part).map_or(0, |(_, records)| records);
            last = Some((at.part, first + records.len()));
            take(Opened { origin: Origin { part: at.part, first }, at, records, facts });
        }
        Ok(())
    }
}
