//! Answers to job calls.

use std::collections::HashSet;

use super::State;
use crate::clock::Moment;
use crate::log_entry::LogEntry;
use crate::reply::Reply;
use crate::target::OLD_BASE_PATH;
use crate::{CallKind, Fault, Kind, Rule, refusal, shape};

/// A call about a job, from a caller that is known.
pub(crate) struct JobCall<'a> {
    pub(crate) kind: Kind,
    /// As it stands in the path.
    pub(crate) id: &'a str,
    pub(crate) is_completed: bool,
    pub(crate) organisation: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) fault: Option<Fault>,
}

impl State {
    /// Answers a job call. Once the outcomes have been answered, they count as read.
    pub(crate) fn job(&mut self, call: &JobCall<'_>, now: Moment) -> Reply {
        self.carry_out(now);
        let JobCall { kind, id, is_completed, fault, .. } = *call;
        for (name, _) in call.query {
            self.find(Rule::Query, format!("{kind}/bulk/jobs: parameter {name} is not to be used"));
        }
        let Some(job_id) = shape::id(&id.into()) else {
            self.find(Rule::Path, format!("{kind}/bulk/jobs: the id is not a UUID"));
            let message = "Parametern <id> ska vara en UUID.";
            let entry = LogEntry::new("2011", 400, "Ogiltigt format", message, now.wall);
            return Reply::log(entry.parameter("id", id).resource_type(kind));
        };
        let refused = fault.and_then(|fault| refusal::scripted(fault, CallKind::Job, Some(kind), now.wall));
        let known = self.organisations.get_mut(call.organisation);
        let Some((job, order)) = known.and_then(|known| {
            let job = known.jobs.get(&job_id).filter(|job| job.kind == kind)?;
            Some((job, &mut known.order))
        }) else {
            return refused.unwrap_or_else(|| refusal::no_such_job(kind, id, now.wall));
        };
        if let Some(refused) = refused {
            if (300..500).contains(&refused.status) && refused.status != 429 {
                // No answer to wait for: the caller may give the job up.
                order.set_aside(job_id);
            }
            return refused;
        }
        let is_answered = fault.is_none_or(Fault::is_answered);
        if job.lost {
            if is_answered {
                order.read(job_id, &HashSet::new());
            }
            return refusal::no_such_job(kind, id, now.wall).through(fault);
        }
        if is_completed {
            return Reply::new(200, job.results.is_some().into()).through(fault);
        }
        let mut left_out = HashSet::new();
        if job.results.is_some() && is_answered {
            let records = || job.records.iter().map(|(record, _)| *record);
            left_out = self.script.left_out(records());
            let unnamed = records().filter(|record| self.script.is_unnamed(record));
            order.read(job_id, &left_out.iter().copied().chain(unnamed).collect());
        }
        let only_errors = call.query.iter().any(|(name, value)| name == "showOnlyError" && value == "true");
        let location_base = format!("{}{OLD_BASE_PATH}", self.root);
        let mut answer = job.answer(&location_base, only_errors, &left_out);
        if job.results.is_some() {
            self.script.change(&mut answer);
        }
        Reply::new(200, answer).through(fault)
    }
}
