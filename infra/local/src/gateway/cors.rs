//! What the gateway does for browsers: it answers their preflights, and says who may read its answers. As an HTTP
//! API does: an origin that may not call gets no headers and no refusal, and what the function says itself is ignored.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::template::Cors;

/// The headers that are the gateway's to give.
const OWN: [HeaderName; 5] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

impl Cors {
    /// The answer to a preflight; none to what is none.
    pub(super) fn preflight(&self, method: &Method, asked: &HeaderMap) -> Option<Response> {
        let is_one = method == Method::OPTIONS
            && asked.contains_key(header::ORIGIN)
            && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_one {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(origin) = self.allowed(asked) {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods.join(","));
            insert(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers.join(","));
            insert(headers, header::ACCESS_CONTROL_MAX_AGE, &self.max_age.to_string());
        }
        Some(response)
    }

    /// Tells the browser of a request from another origin that it may show the answer.
    pub(super) fn add_headers(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        for own in OWN {
            answer.remove(own);
        }
        if let Some(origin) = self.allowed(asked) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(","));
        }
    }

    /// The origin that the response names as allowed.
    fn allowed(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(header::ORIGIN)?;
        if self.allow_origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let named = self.allow_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        named.then(|| origin.clone())
    }
}

/// What cannot be a header is left out, and a browser that misses it says so.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origin: &str) -> Cors {
        Cors {
            allow_origins: vec![origin.to_owned()],
            allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
            allow_headers: vec!["authorization".to_owned()],
            expose_headers: vec!["etag".to_owned()],
            max_age: 60,
        }
    }

    fn asked(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_static(origin)),
            (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("GET")),
        ])
    }

    #[test]
    fn only_an_allowed_origin_gets_headers() {
        let cors = cors("https://admin.example.se");
        let answer = cors.preflight(&Method::OPTIONS, &asked("https://admin.example.se")).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let headers = answer.headers();
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://admin.example.se");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "60");
        let other = cors.preflight(&Method::OPTIONS, &asked("https://other.example.se")).unwrap();
        assert_eq!((other.status(), other.headers().len()), (StatusCode::NO_CONTENT, 0));
    }

    #[test]
    fn a_preflight_names_its_origin_and_the_method_to_come() {
        let cors = cors("*");
        assert!(cors.preflight(&Method::GET, &asked("https://a.example.se")).is_none());
        let mut without = asked("https://a.example.se");
        without.remove(header::ACCESS_CONTROL_REQUEST_METHOD);
        assert!(cors.preflight(&Method::OPTIONS, &without).is_none());
    }

    #[test]
    fn what_the_function_says_itself_is_ignored() {
        let mut answer = HeaderMap::from_iter([(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("https://function.example.se"),
        )]);
        cors("*").add_headers(&asked("https://a.example.se"), &mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(answer[header::ACCESS_CONTROL_EXPOSE_HEADERS], "etag");
        cors("*").add_headers(&HeaderMap::new(), &mut answer);
        assert!(answer.is_empty());
    }
}
