//! A new send with what was not accepted of one that has ended, and with what depended on it.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;
use stafett_domain::register::{Known, Mentions, Register};
use stafett_domain::{
    ActivitySummary, BatchId, BatchRecord, Conditions, Corrected, Entry, Facts, Findings, Options, Outcome,
    PerKind, Record, RecordId, RecordKind, References, SendId, Submission, cut,
};
use stafett_history::{Contention, HistoryError, OpenedBatch, SendContent, SendRef, StoredSend};
use uuid::Uuid;

use crate::acceptance::Started;
use crate::draft::new_job;
use crate::error::IntakeError;
use crate::idempotency::{IdempotencyKey, RequestDigest};
use crate::intake::Intake;

/// A request to resume a send.
pub struct ResumeRequest<'a> {
    /// The send that has ended.
    pub old: &'a SendRef,
    /// Who asks: `sub` of the token.
    pub subject: &'a str,
    /// By which a repeat finds the same new send.
    pub key: Option<&'a IdempotencyKey>,
    /// Corrected records, `{persons?, duties?, groups?, activities?}`; may be empty.
    pub body: &'a [u8],
}

/// A record that is to be sent again.
struct Again {
    id: RecordId,
    wire: String,
    facts: Facts,
}

/// What the caller corrects, held against rules and registers.
struct Corrections {
    records: Submission,
    findings: Findings,
    not_checked: Vec<Register>,
    known: Known,
}

impl Intake {
    /// Makes a new send of a send that has ended: what was not accepted, corrected where the caller corrects it, and the
    /// groups and activities that depended on it. What was accepted is at Skolverket already.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing was accepted, and the request can be repeated.
    pub async fn resume(&self, request: ResumeRequest<'_>) -> Result<StoredSend, IntakeError> {
        let ResumeRequest { old, subject, key, body } = request;
        let organisation = &old.organisation;
        let stored = self.history.send(old, self.clock.now()).await?.ok_or(IntakeError::NotFound)?;
        if !stored.header.status.has_ended() {
            return Err(IntakeError::NotEnded);
        }
        let now = self.clock.now();
        let organiser = self.organisers.get(organisation, now).await?;
        let conditions = Conditions::at(now, organiser.protected);
        let repeated = key.map(|key| RequestDigest::of(&key.of_resume(old.send), body));
        let corrections = match (self.corrections(&stored, body, conditions).await, &repeated) {
            (Ok(corrections), _) => corrections,
            (Err(refusal), Some(request)) => {
                return self.unless_repeated(organisation, request, refusal).await;
            }
            (Err(refusal), None) => return Err(refusal),
        };
        let send = match &repeated {
            Some(request) => self.send_of(organisation, request).await?,
            None => SendRef::new(organisation.clone(), SendId(Uuid::now_v7())),
        };
        if let Some(accepted) = self.history.send(&send, self.clock.now()).await? {
            return Ok(accepted);
        }

        let content = self.content_again(old, &stored, corrections).await?;
        let options = Options { references: References::External, ..stored.header.options };
        let terms = self.terms(&organiser, subject, options, Some(stored.header.id))?;
        let ids: Vec<RecordId> = content.record_ids().collect();
        let seq = stored.header.seq.ok_or(HistoryError::Corrupt("an ended send without a place"))?;
        let mut contention = Contention::default();
        loop {
            let order = self.history.organiser(organisation).await?;
            let order =
                order.ok_or(HistoryError::Corrupt("an organiser with a send and without an order"))?;
            if self.history.is_superseded(organisation, seq, send.send, &ids).await? {
                return Err(IntakeError::Superseded);
            }
            // Accepted only at the place up to which was looked.
            match self.store_and_start(&send, &terms, &content, Some(order.next_seq)).await? {
                Started::Accepted => return self.accepted(&send).await,
                Started::Moved => contention.met_another().await.map_err(|_| IntakeError::Overtaken)?,
                Started::Closed => return Err(IntakeError::BeingRemoved),
            }
        }
    }

    async fn corrections(
        &self,
        stored: &StoredSend,
        body: &[u8],
        conditions: Conditions,
    ) -> Result<Corrections, IntakeError> {
        let body = if body.is_empty() { b"{}" } else { body };
        let mut read = Submission::read_corrections(body, conditions)?;
        let mentions = Mentions::of(&read.content);
        let organisation = &stored.header.organisation;
        let checked = self.registers.check(organisation, &mentions, &mut read.findings).await;
        let (records, findings) = read.accepted(stored.header.options.validation)?;
        Ok(Corrections { records, findings, not_checked: checked.not_checked, known: checked.known })
    }

    /// What goes again, as it is stored.
    async fn content_again(
        &self,
        old: &SendRef,
        stored: &StoredSend,
        corrections: Corrections,
    ) -> Result<SendContent<Facts>, IntakeError> {
        let Corrections { records, mut findings, not_checked, known } = corrections;
        let mut corrected = Corrected::of(&records);
        let mut again = self.records_again(old, stored, &records, &mut corrected).await?;
        if again.values().all(Vec::is_empty) {
            return Err(IntakeError::NothingToResume);
        }
        let activities =
            self.history.activities(old, self.clock.now()).await?.ok_or(IntakeError::NotFound)?;
        // Those that do not go again stay as the send has them that they were accepted of last: this one or a newer.
        let go_again: HashSet<RecordId> =
            again[RecordKind::Activity].iter().map(|record| record.id).collect();
        let activities = activities.into_iter().filter(|activity| go_again.contains(&activity.id));
        let mut activities: Vec<_> = activities.map(|activity| corrected.summary(activity)).collect();
        known.name(&mut activities);
        mark(&mut again, &mut activities, &corrected, &mut findings);
        let jobs = again.into_iter().map(|(stage, records)| {
            let parts = records.iter().map(|record| BatchRecord {
                wire: &record.wire,
                id: record.id,
                facts: record.facts.clone(),
            });
            new_job(stage, cut(parts))
        });
        Ok(SendContent {
            jobs: jobs.collect(),
            activities,
            findings: findings.counts().to_vec(),
            not_checked,
        })
    }

    /// What is to be sent again, by stage.
    async fn records_again(
        &self,
        old: &SendRef,
        stored: &StoredSend,
        corrections: &Submission,
        corrected: &mut Corrected<'_>,
    ) -> Result<PerKind<Vec<Again>>, IntakeError> {
        let mut refused = HashSet::new();
        let mut again: PerKind<Vec<Again>> = PerKind::default();
        for job in &stored.jobs {
            let again = &mut again[job.stage];
            let mut accepted = Vec::new();
            let key = old.job(job.stage);
            let mut batches = self.history.batches_from(&key, BatchId(0));
            while let Some(batch) = batches.try_next().await? {
                let OpenedBatch { records, body, facts } =
                    self.history.open_batch(&key, &batch, job.status).await?;
                for ((record, wire), facts) in records.into_iter().zip(wires(&body)?).zip(facts) {
                    corrected.note(&record.row, &wire, &facts);
                    let sent = Again { id: record.row.id(), wire: wire.to_string(), facts };
                    match record.outcome {
                        Outcome::Success | Outcome::Warning => accepted.push((sent, record.without)),
                        _ => again.push(sent),
                    }
                }
            }
            refused.extend(again.iter().map(|record| record.id));
            let depends = |(record, without): &(Again, Vec<RecordId>)| {
                !without.is_empty() || depends_on(job.stage, &record.wire, &refused)
            };
            again.extend(accepted.into_iter().filter(depends).map(|(record, _)| record));
        }
        replace(&mut again, corrections, corrected)?;
        Ok(again)
    }
}

/// The records of a batch's body, in order.
fn wires(body: &str) -> Result<Vec<Value>, HistoryError> {
    #[derive(Deserialize)]
    struct Data {
        data: Vec<Value>,
    }
    let read = serde_json::from_str::<Data>(body);
    Ok(read.map_err(|_| HistoryError::Corrupt("a batch that is no list of records"))?.data)
}

/// Puts corrected records in the place of those that were sent, and gives all of them the facts that hold now.
fn replace(
    again: &mut PerKind<Vec<Again>>,
    corrections: &Submission,
    corrected: &Corrected<'_>,
) -> Result<(), IntakeError> {
    let mut wires = HashMap::new();
    take_wires(&mut wires, &corrections.persons);
    take_wires(&mut wires, &corrections.duties);
    take_wires(&mut wires, &corrections.groups);
    take_wires(&mut wires, &corrections.activities);
    for (stage, records) in again.as_mut() {
        for record in records {
            let facts = std::mem::take(&mut record.facts);
            record.facts = corrected.facts(stage, record.id, &record.wire, facts);
            if let Some(wire) = wires.remove(&(stage, record.id)) {
                record.wire = wire;
            }
        }
    }
    // A correction of something that is not sent again would be lost without a word.
    if wires.is_empty() { Ok(()) } else { Err(IntakeError::CorrectionNotSent) }
}

fn take_wires<T: Record>(wires: &mut HashMap<(RecordKind, RecordId), String>, entries: &[Entry<T>]) {
    wires.extend(entries.iter().map(|entry| ((T::KIND, entry.record().id()), entry.wire().to_owned())));
}

/// Marks what goes again with what was found about it: what was before still holds of what is not corrected. An activity
/// counts that of its records too that do not go again: they belong to it as they did.
fn mark(
    again: &mut PerKind<Vec<Again>>,
    activities: &mut [ActivitySummary],
    corrected: &Corrected<'_>,
    findings: &mut Findings,
) {
    for record in again.values().flatten() {
        corrected.findings().of(record.id).iter().for_each(|code| findings.carry(record.id, *code));
    }
    for record in again.values_mut().flatten() {
        record.facts.findings = findings.records().of(record.id).to_vec();
    }
    let mut all = corrected.findings().clone();
    all.extend(findings.records());
    corrected.activity_records().count_findings(activities, &all);
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
