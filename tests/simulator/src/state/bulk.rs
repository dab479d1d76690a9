use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::State;
use crate::clock::Moment;
use crate::content::Content;
use crate::job::Job;
use crate::log_entry::LogEntry;
use crate::order::Order;
use crate::reference::references;
use crate::reply::Reply;
use crate::target::OLD_BASE_PATH;
use crate::{CallKind, Fault, Kind, Rule, Violation, record_check, refusal, shape};

/// A bulk call, from a caller that is known.
pub(crate) struct BulkCall<'a> {
    pub(crate) kind: Kind,
    pub(crate) organisation: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) content: &'a Content,
    pub(crate) fault: Option<Fault>,
    /// How long until it is answered.
    pub(crate) answer_time: Duration,
}

impl State {
    /// Counts a bulk call for each of its records, whatever becomes of it.
    pub(crate) fn carried(&mut self, content: &Content) {
        for record in content.record_ids() {
            let times = self.sent.entry(record).or_default();
            *times = times.saturating_add(1);
        }
    }

    /// Answers a bulk call: size, query, body and order are judged, and the job is started. Beside the reply, the
    /// job's id.
    pub(crate) fn bulk(&mut self, call: &BulkCall<'_>, now: Moment) -> (Reply, Option<Uuid>) {
        self.carry_out(now);
        match self.accept(call, now) {
            Ok((reply, job)) => (reply, Some(job)),
            Err(refusal) => (refusal, None),
        }
    }

    fn accept(&mut self, call: &BulkCall<'_>, now: Moment) -> Result<(Reply, Uuid), Reply> {
        let BulkCall { kind, organisation, content, fault, .. } = *call;
        if content.bytes > self.limits.max_body_bytes {
            let (bytes, most) = (content.bytes, self.limits.max_body_bytes);
            self.find(Rule::Size, format!("{kind}/bulk: {bytes} bytes, {most} are allowed"));
            return Err(refusal::too_large(now.wall));
        }
        let update = self.update_if_exists(kind, call.query, now)?;
        if !content.declared_json {
            self.find(Rule::Body, format!("{kind}/bulk: the content type is not application/json"));
        }
        let records = self.records(kind, content.json.as_ref(), now)?;
        self.judge_records(kind, organisation, &records);
        let ids: Vec<Uuid> = records.iter().map(|(record, _)| *record).collect();
        let known = self.organisations.entry(organisation.to_owned()).or_default();
        if let Some(fault) = fault
            && let Some(reply) = refusal::scripted(fault, CallKind::Bulk, Some(kind), now.wall)
        {
            if let Some(refused) = fault.refused_record(&ids) {
                known.order.refused(kind, refused);
            }
            return Err(reply);
        }

        self.last_job += 1;
        let (id, number) = (Uuid::new_v4(), self.last_job);
        let sticks = self.script.sticks(kind);
        let lost = self.script.loses(kind) || fault == Some(Fault::JobLost);
        known.order.sent(kind, id, number, ids);
        if sticks || fault.is_some_and(Fault::hides_job) {
            known.order.set_aside(id);
        }
        known.jobs.insert(id, Job { id, kind, update, accepted: now.wall, records, results: None, lost });
        if !sticks {
            // The job's time starts when the caller has its answer.
            let due = now.at + call.answer_time + self.limits.job_time;
            self.due.insert((due, number), (organisation.to_owned(), id));
        }

        let message = "Uppgifterna är mottagna och behandlas asynkront.";
        let location = format!("{}{OLD_BASE_PATH}/{kind}/bulk/jobs/{id}", self.root);
        let reply = Reply::new(202, json!({"jobId": id, "message": message}));
        Ok((Reply { location: Some(location), ..reply }.through(fault), id))
    }

    fn update_if_exists(
        &mut self,
        kind: Kind,
        query: &[(String, String)],
        now: Moment,
    ) -> Result<bool, Reply> {
        const NAME: &str = "updateIfExists";
        for (name, _) in query.iter().filter(|(name, _)| name != NAME) {
            self.find(Rule::Query, format!("{kind}/bulk: parameter {name} is unknown"));
        }
        let value = query.iter().find(|(name, _)| name == NAME).map(|(_, value)| value.as_str());
        if value == Some("true") {
            return Ok(true);
        }
        self.find(Rule::Query, format!("{kind}/bulk: {NAME} is not true"));
        match value {
            None | Some("false") => Ok(false),
            Some(other) => {
                let message = format!("Parametern <{NAME}> ska vara true eller false.");
                let entry = LogEntry::new("2025", 400, "Ogiltigt format", message, now.wall);
                Err(Reply::log(entry.parameter(NAME, other)))
            }
        }
    }

    /// The body's records with their ids. A record without one could not be answered for: it refuses the whole call.
    fn records(
        &mut self,
        kind: Kind,
        body: Option<&Value>,
        now: Moment,
    ) -> Result<Vec<(Uuid, Value)>, Reply> {
        let data = body.and_then(|body| body["data"].as_array()).filter(|data| !data.is_empty());
        let Some(data) = data else {
            let why = if body.is_none() { "is not JSON" } else { "has no data" };
            self.find(Rule::Body, format!("{kind}/bulk: the body {why}"));
            let message = "Anropets innehåll ska vara JSON med minst en post i <data>.";
            let entry = LogEntry::new("2010", 400, "Ogiltigt format", message, now.wall);
            return Err(Reply::log(entry.attribute("data", None)));
        };
        for name in body.and_then(Value::as_object).into_iter().flat_map(|body| body.keys()) {
            if name != "data" {
                let what = format!("{kind}/bulk: attribute {name} of the body is not in the schema");
                self.find(Rule::UnknownAttribute, what);
            }
        }
        let records = data.iter().map(|record| Some((shape::id(&record["id"])?, record.clone())));
        records.collect::<Option<Vec<_>>>().ok_or_else(|| {
            self.find(Rule::Body, format!("{kind}/bulk: a record has no id that is a UUID"));
            let message = "Varje post ska ha ett <id> som är en UUID.";
            let entry = LogEntry::new("2011", 400, "Ogiltigt format", message, now.wall);
            Reply::log(entry.resource_type(kind).attribute("id", None))
        })
    }

    /// Whose a record is, by the first school unit that it names of which that is known.
    fn owner(&self, record: &Value) -> Option<&str> {
        let enrolments = record["enrolments"].as_array().into_iter().flatten();
        let units = enrolments.map(|enrolment| &enrolment["enroledAt"]["id"]);
        let mut units = units.chain([&record["dutyAt"]["id"], &record["organisation"]["id"]]);
        units.find_map(|unit| self.owners.get(unit.as_str()?)).map(String::as_str)
    }

    fn judge_records(&mut self, kind: Kind, organisation: &str, records: &[(Uuid, Value)]) {
        let mut found = Vec::new();
        let order = self.organisations.get(organisation).map(|known| &known.order);
        for (other, job) in order.into_iter().flat_map(|order| order.open_beside(kind)) {
            let what = format!("{kind}/bulk: sent before the outcomes of {other} job {job} were read");
            found.push(Violation::new(Rule::Order, what));
        }
        for (id, record) in records {
            found.extend(record_check::unknown_attributes(kind, *id, record));
            if let Some(owner) = self.owner(record).filter(|owner| *owner != organisation) {
                let what = format!("{kind}/bulk: record {id} is {owner}'s, and the token {organisation}'s");
                found.push(Violation::new(Rule::Organisation, what));
            }
            let referred = references(kind, record).into_iter();
            for reference in referred {
                // A group is taken without its members: only the stage as a whole has to wait for the persons. Where
                // it cannot, because the caller does not know the job, the members decide.
                let too_early = |order: &Order| match kind {
                    Kind::Groups => order.is_aside(&reference),
                    Kind::Persons | Kind::Duties | Kind::Activities => order.unread(&reference),
                };
                if order.is_some_and(too_early) {
                    let what = format!(
                        "{kind}/bulk: {} of record {id} is {}, whose outcome was not read",
                        reference.attribute, reference.id
                    );
                    found.push(Violation::new(Rule::Order, what));
                }
            }
        }
        self.violations.extend(found);
    }
}
