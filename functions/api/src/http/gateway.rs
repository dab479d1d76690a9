//! Converts between Lambda's requests and responses and the router's.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use lambda_http::Service;

/// A response for Lambda: text as it is, with its byte order mark, and compressed content as bytes (base64).
pub(crate) struct Answer(HeaderMap, StatusCode, Bytes);

/// Passes a request to the router.
pub(crate) async fn answer(mut router: Router, request: lambda_http::Request) -> Result<Answer, Infallible> {
    let response = router.call(request.map(Body::new)).await?;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    Ok(Answer(parts.headers, parts.status, body))
}

impl lambda_http::IntoResponse for Answer {
    fn into_response(self) -> Pin<Box<dyn Future<Output = lambda_http::Response<lambda_http::Body>> + Send>> {
        let Self(headers, status, body) = self;
        let is_text = !headers.contains_key(header::CONTENT_ENCODING);
        let body = match std::str::from_utf8(&body) {
            Ok("") => lambda_http::Body::Empty,
            Ok(text) if is_text => lambda_http::Body::Text(text.to_owned()),
            _ => lambda_http::Body::Binary(body.into()),
        };
        let mut response = lambda_http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Box::pin(ready(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_stays_where_it_is() {
        let answer = Answer(HeaderMap::new(), StatusCode::OK, "\u{feff}a;b".into());
        let response = futures_of(lambda_http::IntoResponse::into_response(answer));
        assert!(matches!(response.body(), lambda_http::Body::Text(text) if text == "\u{feff}a;b"));
    }

    fn futures_of<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }
}
