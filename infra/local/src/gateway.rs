//! The HTTP API in front of the functions: authorizes, turns requests into events and answers into responses, and says
//! no in API Gateway's own words. `/local/…` is this machine's alone.

mod cors;
mod event;
mod invoke;
mod local;
mod refusal;
mod routes;
mod state;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::notice::notice;
use crate::process::InvocationError;
use refusal::{refusal, too_large};

pub use state::Gateway;
pub use token::{Caller, Tokens};

/// The largest request that an HTTP API takes, in bytes.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// How much of a larger one is read before it is refused: a client that is cut off while it sends sees no answer.
const MAX_READ_BYTES: usize = 8 * MAX_REQUEST_BYTES;

impl Gateway {
    /// Answers requests on this listener for as long as it is awaited.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = local::router()
            .route(invoke::PATH, post(invoke::invoke))
            .fallback(forward)
            .with_state(Arc::new(self));
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    }

    async fn answered(&self, source: SocketAddr, request: Request) -> Response {
        self.answer(source, request).await.unwrap_or_else(|refusal| refusal)
    }

    async fn answer(&self, source: SocketAddr, request: Request) -> Result<Response, Response> {
        let (parts, body) = request.into_parts();
        let found = routes::find(&self.routes, parts.method.as_str(), parts.uri.path());
        let (route, function, path_parameters) =
            found.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "Not Found"))?;
        let claims = match &route.authorizer {
            None => None,
            Some(authorizer) => {
                let authorization =
                    parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
                let claims = self.tokens.check(authorizer, authorization);
                Some(claims.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "Unauthorized"))?)
            }
        };
        let body = read(body).await.ok_or_else(too_large)?;
        let request_id = Uuid::new_v4().to_string();
        let event = event::event(&event::Request {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            body: &body,
            source: source.ip(),
            port: self.port,
            route_key: &route.key(),
            path_parameters: &path_parameters,
            claims: claims.as_ref().map(token::as_text).as_ref(),
            request_id: &request_id,
            now_ms: self.clock.now_ms(),
        });
        let failed = || refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        let answer = function.invoke(event.to_string()).await.map_err(|error| match error {
            // The body fitted, the event around it did not.
            InvocationError::TooLarge => too_large(),
            error => {
                function.report(&error);
                failed()
            }
        })?;
        event::response(&answer, &request_id).ok_or_else(|| {
            notice(format_args!("the function {} gave an answer that is no response", function.name()));
            failed()
        })
    }
}

async fn forward(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let Some(cors) = &gateway.cors else { return gateway.answered(source, request).await };
    let (method, asked) = (request.method().clone(), request.headers().clone());
    let needs_a_token = routes::find(&gateway.routes, method.as_str(), request.uri().path())
        .is_some_and(|(route, ..)| route.authorizer.is_some());
    if let Some(answer) = cors.preflight(&method, &asked).filter(|_| !needs_a_token) {
        return answer;
    }
    let mut response = gateway.answered(source, request).await;
    cors.add_headers(&asked, response.headers_mut());
    response
}

/// The body, unless it is too large.
async fn read(body: axum::body::Body) -> Option<Bytes> {
    let body = axum::body::to_bytes(body, MAX_READ_BYTES).await.ok()?;
    (body.len() <= MAX_REQUEST_BYTES).then_some(body)
}
