use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use crate::server::{SharedState, router};
use crate::state::State;
use crate::{Call, Kind, Limits, ScriptedOutcome, Violation, clock};

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
        // Answers are small: without this each could wait for the caller's delayed acknowledgement.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let server = axum::serve(listener, router(state.clone())).with_graceful_shutdown(async move {
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

    /// Gives a record an outcome, in every job that completes from now on and whatever the record holds.
    pub fn script(&self, record: Uuid, outcome: ScriptedOutcome) {
        self.state.lock().script(record, Some(outcome), clock::now());
    }

    /// From now on the record has the outcome that its content gives it.
    pub fn unscript(&self, record: Uuid) {
        self.state.lock().script(record, None, clock::now());
    }

    /// Other limits from now on. Jobs under way and tokens given out keep theirs.
    pub fn set_limits(&self, limits: Limits) {
        self.state.lock().set_limits(limits, clock::now());
    }

    /// Every call answered so far, in the order in which they arrived. A call whose caller hung up before the answer
    /// is not among them.
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().calls()
    }

    /// What the judge found, in the order in which it did.
    pub fn violations(&self) -> Vec<Violation> {
        self.state.lock().violations()
    }

    /// The ids of an organisation's (10 digits) accepted records, in the order in which they were first accepted.
    pub fn stored(&self, organisation: &str, kind: Kind) -> Vec<Uuid> {
        self.state.lock().stored(organisation, kind, clock::now())
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
