use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::job::{Job, Meta, RecordResult, Status};
use crate::log_entry::LogEntry;
use crate::order::Order;
use crate::script::Script;
use crate::{Kind, Log, ScriptedOutcome, record_check};

/// All that is kept of one organisation.
#[derive(Default)]
pub(crate) struct Organisation {
    pub(crate) order: Order,
    pub(crate) jobs: HashMap<Uuid, Job>,
    stored: Stored,
}

/// Accepted records: when, and in which order they first were.
#[derive(Default)]
struct Stored {
    metas: HashMap<(Kind, Uuid), Meta>,
    accepted: Vec<(Kind, Uuid)>,
}

impl Organisation {
    /// The ids of accepted records of a kind, in the order in which they were first accepted.
    pub(crate) fn stored(&self, kind: Kind) -> Vec<Uuid> {
        self.stored.accepted.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect()
    }

    /// Takes a record as accepted before.
    pub(crate) fn restore(&mut self, kind: Kind, id: Uuid, wall: Timestamp) {
        self.stored.accept(kind, id, Vec::new(), wall);
    }

    /// Carries out a job, record by record in their order, so that a record meets what the ones before it left. Gives
    /// the records that were accepted for the first time.
    pub(crate) fn complete(&mut self, job: Uuid, script: &mut Script, wall: Timestamp) -> &[(Kind, Uuid)] {
        let known = self.stored.accepted.len();
        let Some(job) = self.jobs.get_mut(&job) else { return &[] };
        let stored = &mut self.stored;
        let results = job
            .records
            .iter()
            .map(|(id, record)| stored.take(job.kind, *id, record, job.update, script.outcome(*id), wall));
        job.results = Some(results.collect());
        &self.stored.accepted[known..]
    }
}

impl Stored {
    fn take(
        &mut self,
        kind: Kind,
        id: Uuid,
        record: &Value,
        update: bool,
        script: Option<ScriptedOutcome>,
        wall: Timestamp,
    ) -> RecordResult {
        let log = |log: &Log| vec![LogEntry::scripted(log, kind, id, wall)];
        let refused = |status, errors: Vec<LogEntry>, warnings| RecordResult {
            status,
            status_code: errors.first().map_or(400, |entry| entry.status_code),
            errors,
            warnings,
            meta: Meta::new(wall),
        };
        match script {
            Some(ScriptedOutcome::Error(error)) => return refused(Status::Error, log(&error), Vec::new()),
            Some(ScriptedOutcome::TemporaryError(error)) => {
                return refused(Status::TemporaryError, log(&error), Vec::new());
            }
            Some(ScriptedOutcome::Warning(warning)) => {
                let warnings = log(&warning).into_iter().map(LogEntry::warning).collect();
                return self.accept(kind, id, warnings, wall);
            }
            None => {}
        }
        let mut found =
            record_check::check(kind, id, record, |kind, id| self.metas.contains_key(&(kind, id)), wall);
        if !update && self.metas.contains_key(&(kind, id)) {
            found.errors.push(record_check::exists(kind, id, wall));
        }
        if found.errors.is_empty() {
            self.accept(kind, id, found.warnings, wall)
        } else {
            refused(Status::Error, found.errors, found.warnings)
        }
    }

    fn accept(&mut self, kind: Kind, id: Uuid, warnings: Vec<LogEntry>, wall: Timestamp) -> RecordResult {
        let known = self.metas.get(&(kind, id)).copied();
        let meta = Meta { created: known.map_or(wall, |meta| meta.created), modified: wall };
        self.metas.insert((kind, id), meta);
        if known.is_none() {
            self.accepted.push((kind, id));
        }
        RecordResult {
            status: if warnings.is_empty() { Status::Success } else { Status::Warning },
            status_code: if known.is_none() { 201 } else { 200 },
            errors: Vec::new(),
            warnings,
            meta,
        }
    }
}
