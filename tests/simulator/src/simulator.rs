use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use crate::client::{Clients, FingerprintForm};
use crate::connection::{Connections, Peer};
use crate::server::router;
use crate::shared_state::SharedState;
use crate::state::{Roots, State};
use crate::tls::{self, Refusals, Tls, TlsConnections, TlsRefusal};
use crate::token::Tokens;
use crate::{Call, Fault, FaultTarget, Kind, Limits, ScriptedOutcome, Violation, clock};

/// A running simulator. Clones are handles to the same one; it serves until the last of them is dropped, or
/// [`stop`](Simulator::stop) is called.
#[derive(Clone)]
pub struct Simulator {
    state: SharedState,
    /// The server ends when this says so, or is gone.
    stopped: Arc<watch::Sender<bool>>,
    refusals: Refusals,
}

impl Simulator {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(limits: Limits) -> io::Result<Simulator> {
        Simulator::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), limits).await
    }

    /// Serves on that address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start_on(address: SocketAddr, limits: Limits) -> io::Result<Simulator> {
        let listener = TcpListener::bind(address).await?;
        let root = format!("http://{}", listener.local_addr()?);
        let tokens = Arc::new(Mutex::new(Tokens::new()?));
        let roots = Roots { api: root.clone(), authorization: root };
        Ok(Simulator::of(State::new(roots, tokens, None, limits, clock::now().at))
            .serving(Connections(listener)))
    }

    /// Serves by TLS on two free ports of 127.0.0.1: the API on one, the authorization server, which knows its clients
    /// by their certificates, on the other.
    ///
    /// # Errors
    /// When no port can be had, or a certificate not be shown.
    pub async fn start_tls(limits: Limits, tls: &Tls<'_>) -> io::Result<Simulator> {
        let refusals = Refusals::default();
        let open = async |shown| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let root = format!("https://{}", listener.local_addr()?);
            let config = tls::config(shown, tls.versions, &refusals).map_err(io::Error::other)?;
            io::Result::Ok((root, TlsConnections::new(listener, config)?))
        };
        let (api, api_connections) = open(tls.api).await?;
        let (authorization, authorization_connections) = open(tls.authorization).await?;
        let tokens = Arc::new(Mutex::new(Tokens::new()?));
        let clients = Some(Clients::new(tls.approved));
        let roots = Roots { api, authorization };
        let state = State::new(roots, tokens, clients, limits, clock::now().at);
        let simulator = Simulator { refusals, ..Simulator::of(state) };
        Ok(simulator.serving(api_connections).serving(authorization_connections))
    }

    /// Starts a simulator for another environment: its API takes tokens of this one's authorization server that are made
    /// for it. By plain HTTP, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start_verification(&self, limits: Limits) -> io::Result<Simulator> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let api = format!("http://{}", listener.local_addr()?);
        let (tokens, authorization) = self.state.lock().shared_tokens();
        let state = State::new(Roots { api, authorization }, tokens, None, limits, clock::now().at);
        Ok(Simulator::of(state).serving(Connections(listener)))
    }

    fn of(state: State) -> Simulator {
        let stopped = Arc::new(watch::channel(false).0);
        Simulator { state: SharedState::new(state), stopped, refusals: Refusals::default() }
    }

    fn serving<L>(self, connections: L) -> Simulator
    where
        L: Listener<Addr = SocketAddr>,
        Peer: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let mut stop = self.stopped.subscribe();
        let service = router(self.state.clone()).into_make_service_with_connect_info::<Peer>();
        let server = axum::serve(connections, service).with_graceful_shutdown(async move {
            // An error means that the last handle is gone: the same as a stop.
            drop(stop.wait_for(|stopped| *stopped).await);
        });
        // It ends only by that signal, without an error.
        tokio::spawn(async move { drop(server.await) });
        self
    }

    /// The federation's metadata has this entity: an organisation (10 digits) with that certificate.
    pub fn register(&self, entity: &str, organisation: &str, fingerprint: [u8; 32]) {
        if let Some(clients) = self.state.lock().clients() {
            clients.register(entity, organisation, fingerprint);
        }
    }

    /// From now on the certificate is refused with 401: it was revoked.
    pub fn revoke(&self, fingerprint: [u8; 32]) {
        if let Some(clients) = self.state.lock().clients() {
            clients.revoke(fingerprint);
        }
    }

    /// From now on these forms of a fingerprint are taken.
    pub fn take_fingerprints(&self, forms: &[FingerprintForm]) {
        if let Some(clients) = self.state.lock().clients() {
            clients.forms = forms.to_vec();
        }
    }

    /// From now on TLS itself refuses the certificate; or takes it again.
    pub fn refuse_in_tls(&self, fingerprint: [u8; 32], refusal: Option<TlsRefusal>) {
        self.refusals.set(fingerprint, refusal);
    }

    /// The school unit (Skolverket's UUID) is that organisation's (10 digits): records of it with another's token are a
    /// violation.
    pub fn own_school_unit(&self, school_unit: Uuid, organisation: &str) {
        self.state.lock().set_owner(school_unit, organisation);
    }

    /// Base URL of the Provisioning API, e.g. `http://127.0.0.1:4711/provisioning/v1`. What a token request names in
    /// `locations`.
    pub fn provisioning_url(&self) -> String {
        self.state.lock().provisioning_url()
    }

    /// Address of the authorization server, e.g. `http://127.0.0.1:4711/transaction`.
    pub fn token_url(&self) -> String {
        self.state.lock().token_url()
    }

    /// Base URL of the Open-data API, e.g. `http://127.0.0.1:4711/open-data/v1`.
    pub fn open_data_url(&self) -> String {
        self.state.lock().open_data_url()
    }

    /// Gives a record an outcome, in every job that completes from now on and whatever the record holds.
    pub fn script(&self, record: Uuid, outcome: ScriptedOutcome) {
        self.state.lock().script(clock::now()).set_outcome(record, outcome);
    }

    /// Gives a record a TemporaryError for so many times that it is processed (`u32::MAX`: always); after that it has
    /// its own outcome, scripted or not.
    pub fn script_temporary(&self, record: Uuid, times: u32) {
        self.state.lock().script(clock::now()).set_temporary(record, times);
    }

    /// From now on the record has the outcome that its content gives it.
    pub fn unscript(&self, record: Uuid) {
        self.state.lock().script(clock::now()).clear_outcome(record);
    }

    /// Adds a rule: calls of that target have that fault, so many times (`u32::MAX`: always). Of the rules, in the
    /// order in which they were added, the first that matches a call and has times left applies to it. A call that
    /// is refused for a reason of its own on arrival (path, method, rate, token) uses none up.
    pub fn fault(&self, target: FaultTarget, times: u32, fault: Fault) {
        self.state.lock().add_fault(target, times, fault);
    }

    /// How many faults have not happened yet: those of rules for this organisation, and those that the scripts of these
    /// records ask for. A test that expects a fault asserts that none is left.
    pub fn faults_left(&self, organisation: &str, records: &[Uuid]) -> u32 {
        self.state.lock().faults_left(organisation, records)
    }

    /// Forgets the rules of [`fault`](Simulator::fault), which records to leave out, and what was to happen to next
    /// jobs. Jobs that are stuck or lost stay so; so do the scripts of records and [`set_down`](Simulator::set_down).
    pub fn clear_faults(&self) {
        self.state.lock().clear_faults();
    }

    /// The next accepted job of that kind stays Pending for ever, and its records are not processed. Twice: two jobs.
    pub fn stick_next_job(&self, kind: Kind) {
        self.state.lock().script(clock::now()).stick_next(kind);
    }

    /// The next accepted job of that kind is not found (404/4001) when its caller asks for it; its records are
    /// processed like those of any job. Twice: two jobs.
    pub fn lose_next_job(&self, kind: Kind) {
        self.state.lock().script(clock::now()).lose_next(kind);
    }

    /// So many answers with outcomes leave that record out (`u32::MAX`: all). Answers of a job that is still under
    /// way show it and are not counted, nor are those that the caller does not get whole.
    pub fn leave_out(&self, record: Uuid, times: u32) {
        self.state.lock().script(clock::now()).leave_out(record, times);
    }

    /// From now on answers with outcomes have this value in that place of the record's entry, a JSON pointer such as
    /// `/response/status`, whatever the outcome is. Several places of an entry can be changed.
    pub fn change_entry(&self, record: Uuid, place: &str, value: Value) {
        self.state.lock().script(clock::now()).change_entry(record, place.to_owned(), value);
    }

    /// From now on answers with the record's outcome have this entry, too.
    pub fn add_entry(&self, record: Uuid, entry: Value) {
        self.state.lock().script(clock::now()).add_entry(record, entry);
    }

    /// From now on all tokens given out so far are refused with 403/5002, without blame; new ones are good.
    pub fn expire_tokens(&self) {
        self.state.lock().expire_tokens();
    }

    /// While it is down everything is answered with 503, the authorization server included. Jobs go on. The judge
    /// sees the rate and the tokens of those calls, not their bodies.
    pub fn set_down(&self, down: bool) {
        self.state.lock().set_down(down);
    }

    /// How many bulk calls carried the record, whichever their answers, refused calls included.
    pub fn times_sent(&self, record: Uuid) -> u32 {
        self.state.lock().times_sent(record)
    }

    /// Other limits from now on. Jobs under way and tokens given out keep theirs.
    pub fn set_limits(&self, limits: Limits) {
        self.state.lock().set_limits(limits);
    }

    /// Every call that has come to its end, in the order in which they arrived, but for those of
    /// [`open_data_calls`](Simulator::open_data_calls). One whose caller hung up while it was
    /// being answered, or whose connection was cut, has the status 0.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().calls()
    }

    /// The calls of the Open-data API that have come to their end, in the order in which they arrived.
    pub fn open_data_calls(&self) -> Vec<Call> {
        self.state.lock().open_data_calls()
    }

    /// The violations that the judge found, in order.
    pub fn violations(&self) -> Vec<Violation> {
        self.state.lock().violations()
    }

    /// The ids of an organisation's (10 digits) accepted records, in the order in which they were first accepted.
    pub fn stored(&self, organisation: &str, kind: Kind) -> Vec<Uuid> {
        self.state.lock().stored(organisation, kind, clock::now())
    }

    /// From now on `notify` is called with the organisation and each record that is accepted for the first time, before
    /// its outcome can be read. It must not call the simulator.
    pub fn on_accepted(&self, notify: impl FnMut(&str, Kind, Uuid) + Send + 'static) {
        self.state.lock().on_accepted(Box::new(notify));
    }

    /// Takes a record as accepted: what an earlier simulator gave to its [`on_accepted`](Simulator::on_accepted).
    pub fn restore(&self, organisation: &str, kind: Kind, id: Uuid) {
        self.state.lock().restore(organisation, kind, id, clock::now());
    }

    /// While jobs are held none completes, however long it takes; letting go completes those that are due.
    pub fn hold_jobs(&self, held: bool) {
        self.state.lock().hold_jobs(held, clock::now());
    }

    /// Takes no new calls; those under way are answered.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("provisioning_url", &self.provisioning_url())
            .finish_non_exhaustive()
    }
}
