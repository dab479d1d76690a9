use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use crate::connection::{Connections, Cut};
use crate::server::{SharedState, router};
use crate::state::State;
use crate::{Call, Fault, FaultTarget, Kind, Limits, ScriptedOutcome, Violation, clock};

/// A running stand-in. Clones are handles to the same one; it serves until the last of them is dropped, or
/// [`stop`](Simulator::stop) is called.
#[derive(Clone)]
pub struct Simulator {
    state: SharedState,
    /// The server ends when this says so, or is gone.
    stopped: Arc<watch::Sender<bool>>,
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
        let state = SharedState::new(State::new(root, limits, clock::now().at));
        let (stopped, mut stop) = watch::channel(false);
        let service = router(state.clone()).into_make_service_with_connect_info::<Cut>();
        let server = axum::serve(Connections(listener), service).with_graceful_shutdown(async move {
            // An error means that the last handle is gone: the same as a stop.
            drop(stop.wait_for(|stopped| *stopped).await);
        });
        // It ends only by that signal, without an error.
        tokio::spawn(async move { drop(server.await) });
        Ok(Simulator { state, stopped: Arc::new(stopped) })
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
        self.state.lock().set_limits(limits, clock::now());
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

    /// What the judge found, in the order in which it did.
    pub fn violations(&self) -> Vec<Violation> {
        self.state.lock().violations()
    }

    /// The ids of an organisation's (10 digits) accepted records, in the order in which they were first accepted.
    pub fn stored(&self, organisation: &str, kind: Kind) -> Vec<Uuid> {
        self.state.lock().stored(organisation, kind, clock::now())
    }

    /// From now on `tell` is called with the organisation and each record that is accepted for the first time, before
    /// its outcome can be read. It must not call the stand-in.
    pub fn on_accepted(&self, tell: impl FnMut(&str, Kind, Uuid) + Send + 'static) {
        self.state.lock().on_accepted(Box::new(tell));
    }

    /// Takes a record as accepted: what an earlier stand-in told its [`on_accepted`](Simulator::on_accepted).
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
