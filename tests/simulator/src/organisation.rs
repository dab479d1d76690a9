use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::job::{Job, Meta, RecordResult, Status};
use crate::log_entry::LogEntry;
use crate::order::Order;
use crate::record_check::Known;
use crate::register::Register;
use crate::script::Script;
use crate::{Kind, Log, ScriptedOutcome, magic, person, record_check};

/// The state of one organisation.
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
    /// Whose an EPPN is, as EPPNs are compared; and the other way round.
    eppns: HashMap<String, Uuid>,
    eppn_of: HashMap<Uuid, String>,
    /// Persons that cannot be written to at work.
    without_work_address: HashSet<Uuid>,
}

/// The state that the records of a job are checked against.
struct Met<'a> {
    stored: &'a Stored,
    register: &'a Register,
    organisation: &'a str,
}

impl Known for Met<'_> {
    fn is_stored(&self, kind: Kind, id: Uuid) -> bool {
        self.stored.metas.contains_key(&(kind, id))
    }

    fn is_taken(&self, eppn: &str, person: Uuid) -> bool {
        self.stored.eppns.get(&person::compared(eppn)).is_some_and(|holder| *holder != person)
    }

    fn has_work_address(&self, person: Uuid) -> bool {
        !self.stored.without_work_address.contains(&person)
    }

    fn registers(&self) -> (&Register, &str) {
        (self.register, self.organisation)
    }
}

/// Where a job's records are processed: whose they are, by which registers, and what is to become of them.
pub(crate) struct Processing<'a> {
    pub(crate) organisation: &'a str,
    pub(crate) register: &'a Register,
    pub(crate) script: &'a mut Script,
    /// How many calls have carried a record.
    pub(crate) sent: &'a HashMap<Uuid, u32>,
    pub(crate) wall: Timestamp,
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
    pub(crate) fn complete(&mut self, job: Uuid, processing: &mut Processing<'_>) -> &[(Kind, Uuid)] {
        let known = self.stored.accepted.len();
        let Some(job) = self.jobs.get_mut(&job) else { return &[] };
        let stored = &mut self.stored;
        let results =
            job.records.iter().map(|(id, record)| stored.take(job.kind, *id, record, job.update, processing));
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
        processing: &mut Processing<'_>,
    ) -> RecordResult {
        let wall = processing.wall;
        let sent = processing.sent.get(&id).copied().unwrap_or_default();
        let script = processing.script.outcome(id).or_else(|| magic::outcome(id, sent));
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
        let met = Met { stored: self, register: processing.register, organisation: processing.organisation };
        let mut found = record_check::check(kind, id, record, &met, wall);
        if !update && self.metas.contains_key(&(kind, id)) {
            found.errors.push(record_check::exists(kind, id, wall));
        }
        if found.errors.is_empty() {
            if kind == Kind::Persons {
                self.keep_person(id, record);
            }
            self.accept(kind, id, found.warnings, wall)
        } else {
            refused(Status::Error, found.errors, found.warnings)
        }
    }

    /// Keeps what other records are held against.
    fn keep_person(&mut self, id: Uuid, person: &Value) {
        if let Some(before) = self.eppn_of.remove(&id) {
            self.eppns.remove(&before);
        }
        if let Some(eppn) = person["eduPersonPrincipalNames"][0].as_str().map(person::compared) {
            self.eppns.insert(eppn.clone(), id);
            self.eppn_of.insert(id, eppn);
        }
        if person::has_work_address(person) {
            self.without_work_address.remove(&id);
        } else {
            self.without_work_address.insert(id);
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
