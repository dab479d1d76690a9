//! HTTP requests as events and answers as HTTP responses, in API Gateway's payload format 2.0.

use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::clock::timestamp;
use crate::template::ACCOUNT;

/// A request that has found its route and passed its authorizer.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    pub(super) source: IpAddr,
    pub(super) port: u16,
    pub(super) route_key: &'a str,
    pub(super) path_parameters: &'a Map<String, Value>,
    /// Claims as text, where the route has an authorizer.
    pub(super) claims: Option<&'a Map<String, Value>>,
    pub(super) request_id: &'a str,
    pub(super) now_ms: u64,
}

/// The event that the function is invoked with.
pub(super) fn event(request: &Request<'_>) -> Value {
    let source = request.source.to_string();
    let path = request.uri.path();
    let query = request.uri.query().unwrap_or_default();
    let (mut headers, cookies) = headers(request.headers);
    headers.insert("x-forwarded-for".to_owned(), json!(source));
    headers.insert("x-forwarded-port".to_owned(), json!(request.port.to_string()));
    headers.insert("x-forwarded-proto".to_owned(), json!("http"));
    let mut context = json!({
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": headers.get("host"),
        "domainPrefix": "local",
        "http": {
            "method": request.method.as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source,
            "userAgent": headers.get("user-agent").cloned().unwrap_or_else(|| json!("")),
        },
        "requestId": request.request_id,
        "routeKey": request.route_key,
        "stage": "$default",
        "time": timestamp(request.now_ms).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": request.now_ms,
    });
    if let Some(claims) = request.claims {
        context["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}});
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": request.route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    // Members without content are left out, as the gateway does.
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let parameters = query_parameters(query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = Value::Object(parameters);
    }
    if !request.path_parameters.is_empty() {
        event["pathParameters"] = json!(request.path_parameters);
    }
    if !request.body.is_empty() {
        let text = if is_text(request.headers) { std::str::from_utf8(request.body).ok() } else { None };
        event["isBase64Encoded"] = json!(text.is_none());
        event["body"] = json!(text.map_or_else(|| STANDARD.encode(request.body), str::to_owned));
    }
    event
}

/// Names in lower case, values of the same name joined by commas; without cookies.
fn headers(headers: &HeaderMap) -> (Map<String, Value>, Vec<String>) {
    let mut joined = Map::new();
    let mut cookies = Vec::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if name == header::COOKIE {
            let pairs = values.iter().flat_map(|value| value.split(';'));
            cookies.extend(pairs.map(|pair| pair.trim().to_owned()));
        } else {
            joined.insert(name.as_str().to_owned(), json!(values.join(",")));
        }
    }
    (joined, cookies)
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    // Only to have the query decoded: the address itself means nothing.
    let Ok(mut url) = reqwest::Url::parse("http://local/") else { return parameters };
    url.set_query(Some(query));
    for (name, value) in url.query_pairs() {
        let joined = match parameters.get(name.as_ref()).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), Value::String(joined));
    }
    parameters
}

/// Which bodies the gateway passes on as they are. Everything else it encodes: an unknown or missing content type too,
/// and `application/x-www-form-urlencoded`.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = ["application/json", "application/javascript", "application/xml"];
    media_type.starts_with("text/") || text.contains(&media_type.as_str())
}

/// The response that a function's answer describes; `None` if it describes none.
pub(super) fn response(answer: &[u8], request_id: &str) -> Option<Response> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let mut response = match answer.get("statusCode") {
        Some(status) => described_response(&answer, status)?,
        // An answer that is no response is the body of one.
        None => {
            let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
            let mut response = Response::new(Body::from(text));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    };
    response.headers_mut().insert("apigw-requestid", HeaderValue::from_str(request_id).ok()?);
    Some(response)
}

fn described_response(answer: &Value, status: &Value) -> Option<Response> {
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok())?;
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == Value::Bool(true) {
        STANDARD.decode(body).ok()?
    } else {
        body.as_bytes().to_vec()
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // What belongs to the connection is the server's own affair.
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(&name) {
            continue;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(name, HeaderValue::from_str(&value).ok()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    // The default of the gateway for a function that does not say.
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn event_of(
        uri: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        claims: Option<&Map<String, Value>>,
    ) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        event(&Request {
            method: &Method::POST,
            uri: &uri.parse().unwrap(),
            headers: &map,
            body: &Bytes::copy_from_slice(body),
            source: Ipv4Addr::LOCALHOST.into(),
            port: 3000,
            route_key: "ANY /v1/{proxy+}",
            path_parameters: &Map::new(),
            claims,
            request_id: "id",
            now_ms: 1_700_000_000_123,
        })
    }

    #[test]
    fn an_event_has_the_fields_of_the_payload_format() {
        let claims = json!({"sub": "a"});
        let event = event_of(
            "/v1/sends?limit=2&status=a&status=b%20c",
            &[
                ("Host", "127.0.0.1:3000"),
                ("User-Agent", "curl"),
                ("Accept", "a"),
                ("Accept", "b"),
                ("Cookie", "x=1; y=2"),
            ],
            b"",
            claims.as_object(),
        );
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "ANY /v1/{proxy+}");
        assert_eq!(event["rawPath"], "/v1/sends");
        assert_eq!(event["rawQueryString"], "limit=2&status=a&status=b%20c");
        assert_eq!(event["queryStringParameters"], json!({"limit": "2", "status": "a,b c"}));
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["cookies"], json!(["x=1", "y=2"]));
        let context = &event["requestContext"];
        assert_eq!(context["http"]["method"], "POST");
        assert_eq!(context["http"]["userAgent"], "curl");
        assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
        assert_eq!(context["stage"], "$default");
        assert_eq!(context["timeEpoch"], 1_700_000_000_123_u64);
        assert_eq!(context["time"], "14/Nov/2023:22:13:20 +0000");
        assert_eq!(context["authorizer"], json!({"jwt": {"claims": {"sub": "a"}, "scopes": null}}));
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn bodies_are_text_for_the_gateways_text_types_only() {
        let encoded = |content_type: &str, body: &[u8]| {
            let event = event_of("/v1/sends", &[("Content-Type", content_type)], body, None);
            (event["isBase64Encoded"].as_bool().unwrap(), event["body"].as_str().unwrap().to_owned())
        };
        assert_eq!(encoded("application/json; charset=utf-8", "{å}".as_bytes()), (false, "{å}".to_owned()));
        assert_eq!(encoded("text/csv", b"a"), (false, "a".to_owned()));
        assert_eq!(encoded("application/octet-stream", b"a"), (true, "YQ==".to_owned()));
        assert_eq!(encoded("application/json", b"\xff"), (true, "/w==".to_owned()));
        let without = event_of("/v1/sends", &[], b"a", None);
        assert_eq!((&without["isBase64Encoded"], &without["body"]), (&json!(true), &json!("YQ==")));
        assert_eq!(without["requestContext"].get("authorizer"), None);
    }

    #[test]
    fn an_answer_becomes_its_response() {
        let answer = json!({
            "statusCode": 202,
            "headers": {"Location": "/v1/sends/1", "content-type": "application/json", "content-length": "99"},
            "cookies": ["a=1", "b=2"],
            "body": "YQ==",
            "isBase64Encoded": true,
        });
        let response = response(answer.to_string().as_bytes(), "id").unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["location"], "/v1/sends/1");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["apigw-requestid"], "id");
        assert!(!response.headers().contains_key("content-length"));
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn an_answer_that_is_no_response_is_a_body_and_rubbish_is_nothing() {
        let plain = response(br#"{"ok":true}"#, "id").unwrap();
        assert_eq!(plain.status(), StatusCode::OK);
        assert!(response(b"", "id").is_none());
        assert!(response(br#"{"statusCode":"x"}"#, "id").is_none());
        assert!(response(br#"{"statusCode":200,"headers":{"a b":"c"}}"#, "id").is_none());
    }
}
