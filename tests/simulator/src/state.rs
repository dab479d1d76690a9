mod bulk;
mod job;
mod token;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use uuid::Uuid;

pub(crate) use bulk::BulkCall;
pub(crate) use job::JobCall;

use crate::client::Clients;
use crate::clock::Moment;
use crate::content::Content;
use crate::fault::{Faults, Seen};
use crate::log_entry::LogEntry;
use crate::open_data::{self, Resource};
use crate::organisation::{Organisation, Processing};
use crate::quota::{Arrivals, Quota};
use crate::register::Register;
use crate::reply::Reply;
use crate::script::Script;
use crate::target::{BASE_PATH, TOKEN_PATH, Target};
use crate::token::{Tokens, Unauthorised};
use crate::{Call, CallKind, Fault, FaultTarget, Kind, Limits, Rule, Violation, magic, refusal};

/// Everything the server remembers. It has no clock and does no input or output: every method that depends on time
/// gets the moment, and jobs that have come due by then are carried out first.
pub(crate) struct State {
    /// Scheme, host and port of the API.
    root: String,
    /// Those of the authorization server.
    token_root: String,
    limits: Limits,
    arrivals: Arrivals,
    /// Shared with the simulators for other environments.
    tokens: SharedTokens,
    /// Those who are known by certificates; none without TLS, where everybody is who he says.
    clients: Option<Clients>,
    /// Whose school units are whose, where a test says so.
    owners: HashMap<String, String>,
    script: Script,
    faults: Faults,
    down: bool,
    /// How many bulk calls carried a record.
    sent: HashMap<Uuid, u32>,
    organisations: HashMap<String, Organisation>,
    /// Jobs under way, by when they are due and by number.
    due: BTreeMap<(Instant, u64), (String, Uuid)>,
    held: bool,
    last_job: u64,
    last_arrival: u64,
    calls: Vec<(u64, Call)>,
    open_data_calls: Vec<(u64, Call)>,
    register: Register,
    violations: Vec<Violation>,
    on_accepted: Option<OnAccepted>,
}

/// The tokens of an authorization server, which more than one API may take.
pub(crate) type SharedTokens = Arc<Mutex<Tokens>>;

/// Scheme, host and port of the two servers.
pub(crate) struct Roots {
    pub(crate) api: String,
    pub(crate) authorization: String,
}

/// Called with each record that is accepted for the first time, before anybody can ask for the outcome.
pub(crate) type OnAccepted = Box<dyn FnMut(&str, Kind, Uuid) + Send>;

/// The findings of the judge when a call's headers had come.
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

impl State {
    /// A server at these addresses. `clients`: those who are known by certificates, where TLS shows any.
    pub(crate) fn new(
        Roots { api, authorization }: Roots,
        tokens: SharedTokens,
        clients: Option<Clients>,
        limits: Limits,
        now: Instant,
    ) -> State {
        let state = State {
            root: api,
            token_root: authorization,
            arrivals: Arrivals::new(&limits, now),
            limits,
            tokens,
            clients,
            owners: HashMap::new(),
            script: Script::default(),
            faults: Faults::default(),
            down: false,
            sent: HashMap::new(),
            organisations: HashMap::new(),
            due: BTreeMap::new(),
            held: false,
            last_job: 0,
            last_arrival: 0,
            calls: Vec::new(),
            open_data_calls: Vec::new(),
            register: Register::new(),
            violations: Vec::new(),
            on_accepted: None,
        };
        state.tokens().add_location(state.provisioning_url());
        state
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared_tokens(&self) -> (SharedTokens, String) {
        (Arc::clone(&self.tokens), self.token_root.clone())
    }

    /// What the keys of tokens are.
    pub(crate) fn keys(&self) -> serde_json::Value {
        self.tokens().keys()
    }

    pub(crate) fn clients(&mut self) -> Option<&mut Clients> {
        self.clients.as_mut()
    }

    pub(crate) fn set_owner(&mut self, school_unit: Uuid, organisation: &str) {
        self.owners.insert(school_unit.to_string(), organisation.to_owned());
    }

    /// A client certificate was shown where it is nobody's business.
    pub(crate) fn certificate_shown(&mut self, method: &str, path: &str) {
        self.find(
            Rule::Organisation,
            format!("{method} {path}: a client certificate is for the authorization server"),
        );
    }

    pub(crate) fn on_accepted(&mut self, notify: OnAccepted) {
        self.on_accepted = Some(notify);
    }

    pub(crate) fn restore(&mut self, organisation: &str, kind: Kind, id: Uuid, now: Moment) {
        self.organisations.entry(organisation.to_owned()).or_default().restore(kind, id, now.wall);
    }

    pub(crate) fn provisioning_url(&self) -> String {
        format!("{}{BASE_PATH}", self.root)
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}{TOKEN_PATH}", self.token_root)
    }

    pub(crate) fn open_data_url(&self) -> String {
        format!("{}{}", self.root, open_data::BASE_PATH)
    }

    /// The script for records and jobs. Jobs that are due keep the script from before.
    pub(crate) fn script(&mut self, now: Moment) -> &mut Script {
        self.carry_out(now);
        &mut self.script
    }

    pub(crate) fn add_fault(&mut self, target: FaultTarget, times: u32, fault: Fault) {
        self.faults.add(target, times, fault);
    }

    pub(crate) fn faults_left(&self, organisation: &str, records: &[Uuid]) -> u32 {
        let scripted = records.iter().map(|record| self.script.left(*record)).sum::<u32>();
        self.faults.left(organisation) + scripted
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.script.clear_jobs();
    }

    pub(crate) fn set_down(&mut self, down: bool) {
        self.down = down;
    }

    pub(crate) fn expire_tokens(&mut self) {
        self.tokens().withdraw();
    }

    pub(crate) fn times_sent(&self, record: Uuid) -> u32 {
        self.sent.get(&record).copied().unwrap_or_default()
    }

    /// How much longer than usual the way here takes this call.
    pub(crate) fn jitter(&self, target: &Target) -> Duration {
        if target.kind().is_some() { self.limits.jitter.mul_f64(fastrand::f64()) } else { Duration::ZERO }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.arrivals.set(&limits);
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

    pub(crate) fn calls(&self) -> Vec<Call> {
        in_order(&self.calls)
    }

    pub(crate) fn open_data_calls(&self) -> Vec<Call> {
        in_order(&self.open_data_calls)
    }

    pub(crate) fn answered(&mut self, number: u64, call: Call) {
        let calls = if call.call == CallKind::OpenData { &mut self.open_data_calls } else { &mut self.calls };
        calls.push((number, call));
    }

    /// The caller of a job's bulk call hung up before its answer: it cannot know the job.
    pub(crate) fn hide_job(&mut self, organisation: &str, job: Uuid) {
        if let Some(known) = self.organisations.get_mut(organisation) {
            known.order.set_aside(job);
        }
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
        let caller = self.tokens().organisation(authorization, &self.provisioning_url(), now.at);
        let limited = target.kind().is_some();
        let quota = limited.then(|| self.arrivals.take(now.at));
        let refusal = match (target, quota, &caller) {
            (Target::Token, ..) => None,
            (Target::OpenData(_), ..) => {
                if authorization.is_some() {
                    self.find(Rule::Token, format!("{method} {path}: a token that nobody asked for"));
                }
                None
            }
            (Target::Nothing, ..) => Some(self.no_such_path(method, path, now)),
            (Target::WrongMethod { allowed }, ..) => Some(self.wrong_method(method, allowed, path, now)),
            (_, Some(Quota { allowed: false, .. }), _) => Some(self.too_many(method, path, now)),
            (_, _, Err(why)) => Some(self.unauthorised(*why, method, path, now)),
            (_, _, Ok(_)) => None,
        };
        // Judged all the same: being down is no licence.
        let refusal = if self.down { Some(refusal::unavailable(target.call(), now.wall)) } else { refusal };
        let refusal = match refusal {
            Some(reply) if open_data::is_below(path) => Some(open_data::shaped(reply, now.wall)),
            other => other,
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
        refusal::too_many(now.wall)
    }

    fn unauthorised(&mut self, why: Unauthorised, method: &str, path: &str, now: Moment) -> Reply {
        if let Some(why) = why.violation() {
            self.find(Rule::Token, format!("{method} {path}: {why}"));
        }
        refusal::token_refused(now.wall)
    }

    /// What goes wrong with a call that was not refused on arrival. `organisation` is that of the call's token.
    pub(crate) fn fault(
        &mut self,
        target: &Target,
        organisation: Option<&str>,
        content: &Content,
        certificates: Option<&[CertificateDer<'static>]>,
        now: Moment,
    ) -> Option<Fault> {
        let (call, kind) = (target.call(), target.kind());
        let asking = match &content.json {
            Some(request) if call == CallKind::Token => self.wanted(request, certificates, now).ok(),
            _ => None,
        };
        let organisation = asking.as_ref().map(|wanted| wanted.organisation.as_str()).or(organisation);
        let records = if call == CallKind::Bulk { content.record_ids() } else { Vec::new() };
        let scripted = self.faults.take(&Seen { call, kind, organisation, records: &records });
        scripted.or_else(|| records.iter().find_map(|record| magic::fault(*record, self.times_sent(*record))))
    }

    /// Answers a call of the Open-data API.
    pub(crate) fn open_data(
        &mut self,
        resource: &Resource,
        query: &[(String, String)],
        fault: Option<Fault>,
        now: Moment,
    ) -> Reply {
        for (name, _) in query.iter().filter(|(name, value)| !resource.takes(name, value)) {
            self.find(Rule::Query, format!("{}: parameter {name} is not to be used", open_data::BASE_PATH));
        }
        let refused = fault.and_then(|fault| refusal::scripted(fault, CallKind::OpenData, None, now.wall));
        refused.unwrap_or_else(|| resource.answer(query, &self.register, now.wall).through(fault))
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
                let mut processing = Processing {
                    organisation: &organisation,
                    register: &self.register,
                    script: &mut self.script,
                    sent: &self.sent,
                    wall: now.wall,
                };
                for (kind, id) in known.complete(job, &mut processing) {
                    if let Some(notify) = &mut self.on_accepted {
                        notify(&organisation, *kind, *id);
                    }
                }
            }
        }
    }
}

/// In order of arrival, which is not that of the answers.
fn in_order(calls: &[(u64, Call)]) -> Vec<Call> {
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|(number, _)| *number);
    calls.into_iter().map(|(_, call)| call.clone()).collect()
}
