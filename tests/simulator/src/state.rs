use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Moment;
use crate::job::Job;
use crate::log_entry::LogEntry;
use crate::organisation::Organisation;
use crate::quota::{Bucket, Quota};
use crate::reference::references;
use crate::reply::Reply;
use crate::target::{BASE_PATH, OLD_BASE_PATH, TOKEN_PATH, Target};
use crate::token::{Refusal, Tokens, Unauthorised, seconds, wanted};
use crate::{Call, Kind, Limits, Rule, ScriptedOutcome, Violation, record_check, shape};

/// Everything the server remembers. It has no clock and does no input or output: every method that depends on time
/// gets the moment, and jobs that have come due by then are carried out first.
pub(crate) struct State {
    /// Scheme, host and port.
    root: String,
    limits: Limits,
    bucket: Bucket,
    tokens: Tokens,
    scripts: HashMap<Uuid, ScriptedOutcome>,
    organisations: HashMap<String, Organisation>,
    /// Jobs under way, by when they are due and by number.
    due: BTreeMap<(Instant, u64), (String, Uuid)>,
    held: bool,
    last_job: u64,
    last_arrival: u64,
    calls: Vec<(u64, Call)>,
    violations: Vec<Violation>,
}

/// What was found when a call's headers had come.
pub(crate) struct Arrival {
    /// Grows from call to call.
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) organisation: Option<String>,
    /// For calls that count against the rate limit.
    pub(crate) quota: Option<Quota>,
    /// How long the call is to take.
    pub(crate) call_time: Duration,
    /// The answer, if the call goes no further.
    pub(crate) refusal: Option<Reply>,
}

/// A call's body, as far as it was read.
pub(crate) struct Content {
    pub(crate) bytes: usize,
    pub(crate) declared_json: bool,
    /// None if it was not JSON, or too large to be read.
    pub(crate) json: Option<Value>,
}

impl State {
    pub(crate) fn new(root: String, limits: Limits, now: Instant) -> State {
        State {
            root,
            bucket: Bucket::new(limits.calls_per_second, now),
            limits,
            tokens: Tokens::new(),
            scripts: HashMap::new(),
            organisations: HashMap::new(),
            due: BTreeMap::new(),
            held: false,
            last_job: 0,
            last_arrival: 0,
            calls: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn provisioning_url(&self) -> String {
        format!("{}{BASE_PATH}", self.root)
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}{TOKEN_PATH}", self.root)
    }

    pub(crate) fn script(&mut self, record: Uuid, outcome: Option<ScriptedOutcome>, now: Moment) {
        self.carry_out(now);
        match outcome {
            Some(outcome) => self.scripts.insert(record, outcome),
            None => self.scripts.remove(&record),
        };
    }

    pub(crate) fn set_limits(&mut self, limits: Limits, now: Moment) {
        self.bucket.set_rate(limits.calls_per_second, now.at);
        self.limits = limits;
    }

    pub(crate) fn hold_jobs(&mut self, held: bool, now: Moment) {
        self.carry_out(now);
        self.held = held;
        self.carry_out(now);
    }

    pub(crate) fn stored(&mut self, organisation: &str, kind: Kind, now: Moment) -> Vec<Uuid> {
        self.carry_out(now);
        self.organisations.get(organisation).map(|known| known.stored(kind)).unwrap_or_default()
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations.clone()
    }

    /// In order of arrival, which is not that of the answers.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by_key(|(number, _)| *number);
        calls.into_iter().map(|(_, call)| call.clone()).collect()
    }

    pub(crate) fn answered(&mut self, number: u64, call: Call) {
        self.calls.push((number, call));
    }

    /// Takes in a call by its headers: the path, the rate and the token are judged here, in this order.
    pub(crate) fn arrive(
        &mut self,
        target: &Target,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        now: Moment,
    ) -> Arrival {
        self.carry_out(now);
        self.last_arrival += 1;
        let caller = self.tokens.organisation(authorization, now.at);
        let limited = target.kind().is_some();
        let quota = limited.then(|| self.bucket.take(now.at));
        let refusal = match (target, quota, &caller) {
            (Target::Token, ..) => None,
            (Target::Nothing, ..) => Some(self.no_such_path(method, path, now)),
            (Target::WrongMethod { allowed }, ..) => Some(self.wrong_method(method, allowed, path, now)),
            (_, Some(Quota { allowed: false, .. }), _) => Some(self.too_many(method, path, now)),
            (_, _, Err(why)) => Some(self.unauthorised(*why, method, path, now)),
            (_, _, Ok(_)) => None,
        };
        Arrival {
            number: self.last_arrival,
            at: now.at,
            organisation: caller.ok(),
            quota,
            call_time: if limited { self.limits.call_time } else { Duration::ZERO },
            refusal,
        }
    }

    fn no_such_path(&mut self, method: &str, path: &str, now: Moment) -> Reply {
        self.find(Rule::Path, format!("{method} {path}: there is no such path"));
        Reply::log(LogEntry::new("4001", 404, "Ogiltigt värde", "Adressen finns inte.", now.wall))
    }

    fn wrong_method(&mut self, method: &str, allowed: &str, path: &str, now: Moment) -> Reply {
        self.find(Rule::Method, format!("{method} {path}: {allowed} is what it takes"));
        Reply::log(LogEntry::new("4005", 405, "Ogiltigt värde", "Adressen tar inte den metoden.", now.wall))
    }

    fn too_many(&mut self, method: &str, path: &str, now: Moment) -> Reply {
        self.find(
            Rule::Rate,
            format!("{method} {path}: above {} calls a second", self.limits.calls_per_second),
        );
        let message = "Antalet anrop är för högt. Försök igen senare.";
        Reply::log(LogEntry::new("5021", 429, "Teknisk begränsning", message, now.wall))
    }

    fn unauthorised(&mut self, why: Unauthorised, method: &str, path: &str, now: Moment) -> Reply {
        if let Some(why) = why.violation() {
            self.find(Rule::Token, format!("{method} {path}: {why}"));
        }
        let message = "Anropets token är ogiltig eller har gått ut.";
        Reply::log(LogEntry::new("5002", 403, "Behörighet saknas", message, now.wall))
    }

    /// Answers a request to the authorization server; beside the reply, the organisation that asked.
    pub(crate) fn token(&mut self, content: &Content, now: Moment) -> (Reply, Option<String>) {
        let understood = match &content.json {
            Some(request) => wanted(request, &self.provisioning_url()),
            None => Err(Refusal::Malformed("the body is not JSON")),
        };
        let wanted = match understood {
            Ok(wanted) => wanted,
            Err(Refusal::Malformed(what)) => {
                self.find(Rule::Token, format!("{TOKEN_PATH}: {what}"));
                return (Reply::token_error(400, "invalid_request", what), None);
            }
            Err(Refusal::Unknown(what)) => return (Reply::token_error(401, "invalid_client", what), None),
        };
        if let Some(what) = wanted.useless {
            self.find(Rule::Token, format!("{TOKEN_PATH}: {what}"));
        }
        let life = self.limits.token_life;
        let Some(jwt) = self.tokens.issue(&wanted, life, now) else {
            return (Reply::token_error(500, "server_error", "the token could not be signed"), None);
        };
        let answer = json!({
            "access_token": {
                "value": jwt,
                "expires_in": seconds(life),
                "flags": ["bearer"],
                "access": wanted.access,
            }
        });
        (Reply::new(200, answer), Some(wanted.organisation))
    }

    /// Answers a bulk call: size, query, body and order are judged, and the job is started.
    pub(crate) fn bulk(
        &mut self,
        kind: Kind,
        organisation: &str,
        query: &[(String, String)],
        content: &Content,
        call_time: Duration,
        now: Moment,
    ) -> Reply {
        self.carry_out(now);
        if content.bytes > self.limits.max_body_bytes {
            let (bytes, most) = (content.bytes, self.limits.max_body_bytes);
            self.find(Rule::Size, format!("{kind}/bulk: {bytes} bytes, {most} are allowed"));
            let message = "Anropets datamängd är för stor.";
            return Reply::log(LogEntry::new("5020", 413, "Teknisk begränsning", message, now.wall));
        }
        let update = match self.update_if_exists(kind, query, now) {
            Ok(update) => update,
            Err(refusal) => return refusal,
        };
        if !content.declared_json {
            self.find(Rule::Body, format!("{kind}/bulk: the content type is not application/json"));
        }
        let records = match self.records(kind, content.json.as_ref(), now) {
            Ok(records) => records,
            Err(refusal) => return refusal,
        };
        self.judge_records(kind, organisation, &records);

        self.last_job += 1;
        let (id, number) = (Uuid::new_v4(), self.last_job);
        let known = self.organisations.entry(organisation.to_owned()).or_default();
        known.order.sent(kind, id, number, records.iter().map(|(record, _)| *record).collect());
        known.jobs.insert(id, Job { id, kind, update, accepted: now.wall, records, results: None });
        // The job's time starts when the caller has its answer.
        let due = now.at + call_time + self.limits.job_time;
        self.due.insert((due, number), (organisation.to_owned(), id));

        let message = "Uppgifterna är mottagna och behandlas asynkront.";
        let location = format!("{}{OLD_BASE_PATH}/{kind}/bulk/jobs/{id}", self.root);
        Reply { location: Some(location), ..Reply::new(202, json!({"jobId": id, "message": message})) }
    }

    /// Answers a job call. Once the outcomes have been answered, they count as read.
    pub(crate) fn job(
        &mut self,
        kind: Kind,
        id: &str,
        is_completed: bool,
        organisation: &str,
        query: &[(String, String)],
        now: Moment,
    ) -> Reply {
        self.carry_out(now);
        for (name, _) in query {
            self.find(Rule::Query, format!("{kind}/bulk/jobs: parameter {name} is not to be used"));
        }
        let Some(job_id) = shape::id(&id.into()) else {
            self.find(Rule::Path, format!("{kind}/bulk/jobs: the id is not a UUID"));
            let message = "Parametern <id> ska vara en UUID.";
            let entry = LogEntry::new("2011", 400, "Ogiltigt format", message, now.wall);
            return Reply::log(entry.parameter("id", id).resource_type(kind));
        };
        let known = self.organisations.get_mut(organisation);
        let Some((job, order)) = known.and_then(|known| {
            let job = known.jobs.get(&job_id).filter(|job| job.kind == kind)?;
            Some((job, &mut known.order))
        }) else {
            let entry = LogEntry::new("4001", 404, "Ogiltigt värde", "Jobbet hittades inte.", now.wall)
                .parameter("id", id);
            return Reply::log(entry.resource_type(kind));
        };
        if is_completed {
            return Reply::new(200, job.results.is_some().into());
        }
        if job.results.is_some() {
            order.read(job_id);
        }
        let only_errors = query.iter().any(|(name, value)| name == "showOnlyError" && value == "true");
        let location_base = format!("{}{OLD_BASE_PATH}", self.root);
        Reply::new(200, job.answer(&location_base, only_errors))
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

    fn judge_records(&mut self, kind: Kind, organisation: &str, records: &[(Uuid, Value)]) {
        let mut found = Vec::new();
        let order = self.organisations.get(organisation).map(|known| &known.order);
        for (other, job) in order.into_iter().flat_map(|order| order.open_beside(kind)) {
            let what = format!("{kind}/bulk: sent before the outcomes of {other} job {job} were read");
            found.push(Violation::new(Rule::Order, what));
        }
        for (id, record) in records {
            found.extend(record_check::unknown_attributes(kind, *id, record));
            let referred = references(kind, record).into_iter();
            // A group is taken without its members: only the stage as a whole has to wait for the persons.
            for reference in referred.filter(|_| kind != Kind::Groups) {
                if order.is_some_and(|order| order.unread(&reference)) {
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

    fn find(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation::new(rule, what));
    }

    /// Carries out the jobs that have come due, in the order in which they did.
    fn carry_out(&mut self, now: Moment) {
        while !self.held {
            let Some(next) = self.due.first_entry().filter(|next| next.key().0 <= now.at) else { return };
            let (organisation, job) = next.remove();
            if let Some(known) = self.organisations.get_mut(&organisation) {
                known.complete(job, &self.scripts, now.wall);
            }
        }
    }
}
