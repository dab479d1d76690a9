//! Resume: a new send with the records of an ended send that were not accepted, and the records that depend on them.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;
use stafett_domain::register::{Known, Mentions, Register};
use stafett_domain::{
    ActivitySummary, BatchId, BatchRecord, Conditions, Corrected, Entry, Facts, Findings, Options, Outcome,
    PerKind, Record, RecordId, RecordKind, References, Relation, SendId, Submission, cut,
};
use stafett_history::{Contention, HistoryError, OpenedBatch, SendContent, SendRef, StoredSend};
use uuid::Uuid;

use crate::acceptance::Started;
use crate::content::new_job;
use crate::error::IntakeError;
use crate::idempotency::{IdempotencyKey, RequestDigest};
use crate::intake::Intake;

/// A request to resume a send.
pub struct ResumeRequest<'a> {
    /// The ended send.
    pub old: &'a SendRef,
    /// The `sub` claim of the caller's token.
    pub subject: &'a str,
    /// A repeat with the same key returns the same new send.
    pub key: Option<&'a IdempotencyKey>,
    /// Corrected records: `{persons?, duties?, groups?, activities?}`. May be empty.
    pub body: &'a [u8],
}

/// A record that is sent again.
struct ResentRecord {
    id: RecordId,
    wire: String,
    facts: Facts,
}

/// The corrected records, after the checks against rules and registers.
struct Corrections {
    records: Submission,
    findings: Findings,
    not_checked: Vec<Register>,
    known: Known,
}

impl Intake {
    /// Creates a new send from an ended one. It contains the records that were not accepted, with the caller's
    /// corrections, and the groups and activities that depend on them. Skolverket already has the other records.
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

        let content = self.resent_content(old, &stored, corrections).await?;
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
            // The send is accepted only if no other send was accepted since the check above.
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

    /// The content of the new send.
    async fn resent_content(
        &self,
        old: &SendRef,
        stored: &StoredSend,
        corrections: Corrections,
    ) -> Result<SendContent<Facts>, IntakeError> {
        let Corrections { records, mut findings, not_checked, known } = corrections;
        let mut corrected = Corrected::of(&records);
        let mut resent = self.resent_records(old, stored, &records, &mut corrected).await?;
        if resent.values().all(Vec::is_empty) {
            return Err(IntakeError::NothingToResume);
        }
        let activities =
            self.history.activities(old, self.clock.now()).await?.ok_or(IntakeError::NotFound)?;
        // The other activities stay with the send that last had them accepted: the old send or a newer one.
        let resent_ids: HashSet<RecordId> =
            resent[RecordKind::Activity].iter().map(|record| record.id).collect();
        let activities = activities.into_iter().filter(|activity| resent_ids.contains(&activity.id));
        let mut activities: Vec<_> = activities.map(|activity| corrected.summary(activity)).collect();
        known.name(&mut activities);
        mark(&mut resent, &mut activities, &corrected, &mut findings);
        let jobs = resent.into_iter().map(|(stage, records)| {
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

    /// Collects the records to send again.
    async fn resent_records(
        &self,
        old: &SendRef,
        stored: &StoredSend,
        corrections: &Submission,
        corrected: &mut Corrected<'_>,
    ) -> Result<PerKind<Vec<ResentRecord>>, IntakeError> {
        let mut refused = HashSet::new();
        let mut resent: PerKind<Vec<ResentRecord>> = PerKind::default();
        for job in &stored.jobs {
            let of_stage = &mut resent[job.stage];
            let mut accepted = Vec::new();
            let key = old.job(job.stage);
            let mut batches = self.history.batches_from(&key, BatchId(0));
            while let Some(batch) = batches.try_next().await? {
                let OpenedBatch { records, body, facts } =
                    self.history.open_batch(&key, &batch, job.status).await?;
                for ((record, wire), facts) in records.into_iter().zip(wires(&body)?).zip(facts) {
                    corrected.note(&record.row, &wire, &facts);
                    let sent = ResentRecord { id: record.row.id(), wire: wire.to_string(), facts };
                    match record.outcome {
                        Outcome::Success | Outcome::Warning => accepted.push((sent, record.without)),
                        _ => of_stage.push(sent),
                    }
                }
            }
            refused.extend(of_stage.iter().map(|record| record.id));
            let depends = |(record, without): &(ResentRecord, Vec<RecordId>)| {
                !without.is_empty() || depends_on(job.stage, &record.wire, &refused)
            };
            of_stage.extend(accepted.into_iter().filter(depends).map(|(record, _)| record));
        }
        replace(&mut resent, corrections, corrected)?;
        Ok(resent)
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

/// Replaces records with their corrections, and updates the facts of all records.
fn replace(
    resent: &mut PerKind<Vec<ResentRecord>>,
    corrections: &Submission,
    corrected: &Corrected<'_>,
) -> Result<(), IntakeError> {
    let mut wires = HashMap::new();
    take_wires(&mut wires, &corrections.persons);
    take_wires(&mut wires, &corrections.duties);
    take_wires(&mut wires, &corrections.groups);
    take_wires(&mut wires, &corrections.activities);
    for (stage, records) in resent.as_mut() {
        for record in records {
            let facts = std::mem::take(&mut record.facts);
            record.facts = corrected.facts(stage, record.id, &record.wire, facts);
            if let Some(wire) = wires.remove(&(stage, record.id)) {
                record.wire = wire;
            }
        }
    }
    // Refuse a correction of a record that is not sent again. Otherwise it would be lost silently.
    if wires.is_empty() { Ok(()) } else { Err(IntakeError::CorrectionNotSent) }
}

fn take_wires<T: Record>(wires: &mut HashMap<(RecordKind, RecordId), String>, entries: &[Entry<T>]) {
    wires.extend(entries.iter().map(|entry| ((T::KIND, entry.record().id()), entry.wire().to_owned())));
}

/// Sets the findings of the records that are sent again. A record without a correction keeps its old findings. An
/// activity also counts the findings of its records that are not sent again.
fn mark(
    resent: &mut PerKind<Vec<ResentRecord>>,
    activities: &mut [ActivitySummary],
    corrected: &Corrected<'_>,
    findings: &mut Findings,
) {
    for record in resent.values().flatten() {
        corrected.findings().of(record.id).iter().for_each(|code| findings.carry(record.id, *code));
    }
    for record in resent.values_mut().flatten() {
        record.facts.findings = findings.records().of(record.id).to_vec();
    }
    let mut all = corrected.findings().clone();
    all.extend(findings.records());
    corrected.activity_records().count_findings(activities, &all);
}

/// Whether an accepted record refers to a refused record that is sent again. Skolverket accepts a group without its
/// missing members, so the group must be sent again once they exist (shared/README, Skolverket 6).
fn depends_on(stage: RecordKind, wire: &str, refused: &HashSet<RecordId>) -> bool {
    let mut relations = Relation::of(stage).peekable();
    if relations.peek().is_none() {
        return false;
    }
    let record: Value = serde_json::from_str(wire).unwrap_or_default();
    relations.any(|relation| relation.ids(&record).any(|id| refused.contains(&id)))
}
