use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::CertificateDer;
use serde_json::Value;
use uuid::Uuid;

use crate::content::Content;
use crate::shared_state::SharedState;
use crate::target::Target;
use crate::{Call, Fault, clock};

/// A call between its body and its end. It is noted in any case: if the caller hangs up the server drops it here and
/// now, and then it has had no answer.
pub(crate) struct Underway {
    pub(crate) state: SharedState,
    /// The number of its arrival.
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) organisation: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) target: Target,
    pub(crate) content: Content,
    pub(crate) fault: Option<Fault>,
    /// The job that it started.
    pub(crate) job: Option<Uuid>,
    /// What its caller showed.
    pub(crate) certificates: Option<Arc<Vec<CertificateDer<'static>>>>,
    pub(crate) ended: bool,
}

impl Underway {
    /// Notes how it ended.
    pub(crate) fn end(mut self, status: u16, response: Option<Value>) {
        self.note(status, response);
    }

    fn note(&mut self, status: u16, response: Option<Value>) {
        self.ended = true;
        let call = Call {
            at: self.at,
            answered_at: clock::now().at,
            organisation: self.organisation.take(),
            method: std::mem::take(&mut self.method),
            path: std::mem::take(&mut self.path),
            kind: self.target.kind(),
            call: self.target.call(),
            request: self.content.json.take(),
            request_bytes: self.content.bytes,
            status,
            response,
            fault: self.fault,
        };
        self.state.lock().answered(self.number, call);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let (Some(organisation), Some(job)) = (&self.organisation, self.job) {
            self.state.lock().hide_job(organisation, job);
        }
        self.note(0, None);
    }
}
