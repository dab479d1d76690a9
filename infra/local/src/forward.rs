//! Between a function process and all that it calls: an endpoint of its own for each process, through which its calls
//! to DynamoDB, SQS, Skolverket, its authorization server, its public registers and the Runtime API pass. Here, and nowhere in the product,
//! calls go wrong and processes are killed before or after a call is made.

mod answer;
mod call;
mod capacity;
mod plan;
mod subject;
mod tunnel;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::kill_switch::KillSwitch;
use crate::loopback;
use crate::meter::Meter;
use call::{Call, OPEN_DATA_PATH, SKOLVERKET_PATH, Service, TOKEN_PATH, VERIFICATION_PATH};

pub use plan::{CallFault, Plans, Rule, SeenCall};

/// Where the calls go in the end: base URLs without a slash at their ends.
#[derive(Debug, Clone)]
pub struct Upstreams {
    pub dynamodb: String,
    pub sqs: String,
    pub ssm: String,
    pub skolverket: String,
    /// That of the verification environment, where there is one.
    pub verification: Option<String>,
    /// The authorization server's `/transaction`.
    pub token: String,
    pub open_data: String,
}

/// The endpoint of one process; gone when dropped.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    function: String,
    runtime: String,
    upstreams: Upstreams,
    plans: Plans,
    meter: Meter,
    http: reqwest::Client,
    kill: KillSwitch,
    /// For whom the process works now; none between two invocations.
    subject: Mutex<Option<String>>,
}

/// What an endpoint is made of.
pub struct Parties {
    /// Whose process it is.
    pub function: String,
    /// The process's Runtime API.
    pub runtime: SocketAddr,
    /// All else that it calls.
    pub upstreams: Upstreams,
    pub plans: Plans,
    pub meter: Meter,
    /// Makes the calls; shared by all endpoints, so that connections are.
    pub http: reqwest::Client,
    /// Ends the process.
    pub kill: KillSwitch,
}

type AnswerBody = BoxBody<Bytes, reqwest::Error>;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct Cut;

impl Forward {
    /// Opens the endpoint on a port of its own.
    pub fn start(parties: Parties) -> std::io::Result<Self> {
        let listener = loopback::listen(0)?;
        let address = listener.local_addr()?;
        let Parties { function, runtime, upstreams, plans, meter, http, kill } = parties;
        let runtime = format!("http://{runtime}");
        let subject = Mutex::default();
        let shared = Arc::new(Shared { function, runtime, upstreams, plans, meter, http, kill, subject });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// The variables by which the process finds its services here. What is reached by TLS stays where it is, behind
    /// a tunnel: only its two ends may read it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let here = format!("http://{}", self.address);
        let mut environment = vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string()),
            ("AWS_ENDPOINT_URL_DYNAMODB", here.clone()),
            ("AWS_ENDPOINT_URL_SQS", here.clone()),
            ("AWS_ENDPOINT_URL_SSM", here.clone()),
        ];
        let Upstreams { skolverket, verification, token, open_data, .. } = &self.shared.upstreams;
        let verification = verification.as_deref();
        let is_tls = |url: &str| url.starts_with("https:");
        if !is_tls(skolverket) {
            environment.push(("SKOLVERKET_URL", format!("{here}{SKOLVERKET_PATH}")));
        }
        if verification.is_some_and(|url| !is_tls(url)) {
            environment.push(("VERIFICATION_URL", format!("{here}{VERIFICATION_PATH}")));
        }
        if !is_tls(token) {
            environment.push(("TOKEN_URL", format!("{here}{TOKEN_PATH}")));
        }
        if !is_tls(open_data) {
            environment.push(("OPEN_DATA_URL", format!("{here}{OPEN_DATA_PATH}")));
        }
        if verification.is_some_and(is_tls)
            || [skolverket, token, open_data].into_iter().any(|url| is_tls(url))
        {
            environment.push(("HTTPS_PROXY", here));
        }
        environment
    }

    /// The process gets an event: what it calls from now on is for that one's organiser, or else in its own name.
    pub fn begin(&self, event: &[u8]) {
        // A large event is read only for plans that need it.
        let subject = (!self.shared.plans.are_none())
            .then(|| subject::of_event(event).unwrap_or_else(|| self.shared.function.clone()));
        *self.shared.subject() = subject;
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the endpoint.
    let mut connections = JoinSet::new();
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(answer_connection(connection, Arc::clone(&shared)));
    }
}

async fn answer_connection(connection: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move {
            if request.method() == Method::CONNECT {
                shared.tunnel(request)
            } else {
                shared.answer(request).await
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(connection), service)
        .with_upgrades();
    // A process that is gone, or an answer that is withheld on purpose.
    let _ = connection.await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let Some(call) = Call::of(&parts) else {
            return self.forward(&parts, &body, &format!("{}{}", self.runtime, path(&parts))).await;
        };
        let url = self.url(&call, &parts);
        let subject = self.subject().clone();
        let fault = subject
            .and_then(|subject| self.plans.meet(&subject, &self.function, &call.name, call.messages(&body)));
        let Some(fault) = fault else { return self.make(&call, &parts, &body, &url).await };
        match fault.fault {
            CallFault::KillBefore => {
                self.kill.kill().await;
                Err(Cut)
            }
            CallFault::KillAfter => {
                let _made = self.make(&call, &parts, &body, &url).await;
                self.kill.kill().await;
                Err(Cut)
            }
            CallFault::CutBefore => Err(Cut),
            CallFault::CutAfter => {
                let _made = self.make(&call, &parts, &body, &url).await;
                Err(Cut)
            }
            CallFault::HoldBefore => {
                fault.released().await;
                self.make(&call, &parts, &body, &url).await
            }
            CallFault::HoldAfter => {
                let answer = self.make(&call, &parts, &body, &url).await;
                fault.released().await;
                answer
            }
            CallFault::Throttle => self.refuse(&call, answer::throttled(&call), &parts, &body, &url).await,
            CallFault::Conflict => {
                self.refuse(&call, answer::conflicting(&call, &body), &parts, &body, &url).await
            }
            CallFault::Duplicate => {
                if call.messages(&body) > 0 {
                    let _first = self.make(&call, &parts, &body, &url).await;
                }
                self.make(&call, &parts, &body, &url).await
            }
            CallFault::Delay(seconds) => {
                let delayed = call.delayed(&body, seconds).map(Bytes::from);
                self.make(&call, &parts, &delayed.unwrap_or(body), &url).await
            }
        }
    }

    async fn refuse(
        &self,
        call: &Call,
        refusal: Option<answer::Refusal>,
        parts: &Parts,
        body: &Bytes,
        url: &str,
    ) -> Result<Response<AnswerBody>, Cut> {
        let Some(refusal) = refusal else { return self.make(call, parts, body, url).await };
        let mut response = Response::new(full(refusal.body.to_string().into()));
        *response.status_mut() = refusal.status;
        Ok(response)
    }

    /// Makes a call and counts it.
    async fn make(
        &self,
        call: &Call,
        parts: &Parts,
        body: &Bytes,
        url: &str,
    ) -> Result<Response<AnswerBody>, Cut> {
        let operation = call.name.strip_prefix("dynamodb.");
        let asking = operation.and_then(|_| capacity::asking(body));
        let answer = self.forward(parts, asking.as_ref().unwrap_or(body), url).await;
        if call.service != Service::Runtime {
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            self.meter.call(&self.function, &call.name, status);
        }
        match (operation, asking) {
            (Some(operation), Some(_)) => self.charge(operation, body, answer?).await,
            _ => answer,
        }
    }

    /// Counts what an answer of DynamoDB's says about its price, and takes it out: the function has not asked.
    async fn charge(
        &self,
        operation: &str,
        request: &[u8],
        answer: Response<AnswerBody>,
    ) -> Result<Response<AnswerBody>, Cut> {
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let body = match capacity::read(operation, request, &body) {
            Some((units, rest)) => {
                self.meter.units(&self.function, &units);
                // Both were those of the body before.
                parts.headers.remove(header::CONTENT_LENGTH);
                parts.headers.remove("x-amz-crc32");
                rest
            }
            None => {
                if let Some(units) = capacity::refused(operation, request, parts.status, &body) {
                    self.meter.units(&self.function, &units);
                }
                body
            }
        };
        Ok(Response::from_parts(parts, full(body)))
    }

    /// Makes the call. If the service cannot be reached, no answer comes, as without this endpoint.
    async fn forward(&self, parts: &Parts, body: &Bytes, url: &str) -> Result<Response<AnswerBody>, Cut> {
        let mut headers = parts.headers.clone();
        for of_the_connection in
            [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        {
            headers.remove(of_the_connection);
        }
        let request = self.http.request(parts.method.clone(), url).headers(headers).body(body.clone());
        let response = request.send().await.map_err(|_| Cut)?;
        let mut response = hyper::http::Response::<reqwest::Body>::from(response);
        response.headers_mut().remove(header::CONNECTION);
        response.headers_mut().remove(header::TRANSFER_ENCODING);
        Ok(response.map(BodyExt::boxed))
    }

    fn url(&self, call: &Call, parts: &Parts) -> String {
        let path = path(parts);
        let under = |base: &str, prefix: &str| format!("{base}{}", path.strip_prefix(prefix).unwrap_or(path));
        match call.service {
            Service::Runtime => format!("{}{path}", self.runtime),
            Service::DynamoDb => format!("{}{path}", self.upstreams.dynamodb),
            Service::Sqs => format!("{}{path}", self.upstreams.sqs),
            Service::Ssm => format!("{}{path}", self.upstreams.ssm),
            Service::Verification => {
                under(self.upstreams.verification.as_deref().unwrap_or_default(), VERIFICATION_PATH)
            }
            Service::Skolverket => under(&self.upstreams.skolverket, SKOLVERKET_PATH),
            Service::Token => under(&self.upstreams.token, TOKEN_PATH),
            Service::OpenData => under(&self.upstreams.open_data, OPEN_DATA_PATH),
        }
    }

    fn subject(&self) -> MutexGuard<'_, Option<String>> {
        self.subject.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(body: Bytes) -> AnswerBody {
    Full::new(body).map_err(|never: Infallible| match never {}).boxed()
}

fn path(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |path| path.as_str())
}

/// Makes the calls of all endpoints: straight there, and nothing of an answer is changed.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()
}
