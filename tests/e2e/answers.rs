//! How answers are asked for again, packed, and read by browsers.

use std::io::Read;

use reqwest::{Method, RequestBuilder};

use crate::answer::Answer;
use crate::people::{class, record_id};
use crate::stack::{ALL_SCOPES, ORGANISER, TestStack};

async fn get(stack: &TestStack, scope: &str, path: &str, with: &[(&str, &str)]) -> Answer {
    let token = stack.token(ORGANISER, scope).await;
    let request = stack.call(Method::GET, path).bearer_auth(token);
    let add = |request: RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
    stack.request(with.iter().fold(request, add)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stack = TestStack::start().await;
    let body = class(880);
    let id = stack.send(&body).await;
    stack.ended(&id).await;
    let record = record_id(&body, "persons", 0);
    for path in [
        "/v1/sends".to_owned(),
        format!("/v1/sends/{id}"),
        format!("/v1/sends/{id}/activities"),
        "/v1/jobs".to_owned(),
        "/v1/activities".to_owned(),
        format!("/v1/sends/{id}/jobs/users/records"),
        format!("/v1/sends/{id}/jobs/users/records/{record}"),
        format!("/v1/sends/{id}/jobs/users/attempts"),
    ] {
        let first = get(&stack, ALL_SCOPES, &path, &[]).await;
        let tag = header(&first, "etag").to_owned();
        assert!(tag.starts_with("W/\"") && first.status == 200, "{path}: {tag}");
        assert_eq!(header(&first, "vary"), "Authorization, Accept, Accept-Encoding, Accept-Language");
        let about_persons = path.contains("/records");
        let cache_control = if about_persons { "no-store" } else { "private, no-cache" };
        assert_eq!(header(&first, "cache-control"), cache_control, "{path}");
        assert_eq!(header(&first, "retry-after"), "", "{path}: it has ended");
        let again = get(&stack, ALL_SCOPES, &path, &[("if-none-match", &tag)]).await;
        assert_eq!(
            (again.status.as_u16(), again.text.as_str(), header(&again, "etag")),
            (304, "", tag.as_str())
        );
        // Packed or not, it is the same.
        let packed =
            get(&stack, ALL_SCOPES, &path, &[("if-none-match", &tag), ("accept-encoding", "gzip")]).await;
        assert_eq!(packed.status, 304, "{path}");
        let other = get(&stack, ALL_SCOPES, &path, &[("if-none-match", "\"another\"")]).await;
        assert_eq!((other.status.as_u16(), &other.text), (200, &first.text));
        // Who may see less has another answer, and so another tag.
        let masked = get(&stack, "history:read", &path, &[("if-none-match", &tag)]).await;
        assert_eq!(masked.status.as_u16(), if about_persons { 200 } else { 304 }, "{path}");
    }
    let before = header(&get(&stack, ALL_SCOPES, "/v1/sends", &[]).await, "etag").to_owned();
    let next = stack.send(&class(881)).await;
    let after = get(&stack, ALL_SCOPES, "/v1/sends", &[("if-none-match", &before)]).await;
    assert_eq!(after.status, 200, "there is one more");
    stack.ended(&next).await;
    stack.finish(0).await;
}

#[tokio::test]
async fn what_goes_on_is_worth_asking_for_again() {
    let stack = TestStack::start().await;
    // The first send waits for Skolverket, the second one for the first.
    stack.skolverket.hold_jobs(true);
    let accepted = stack.post(ORGANISER, "first", class(882).to_string()).await;
    assert_eq!(header(&accepted, "retry-after"), "2");
    let first = accepted.json()["id"].as_str().unwrap().to_owned();
    let second = stack.send(&class(883)).await;
    let paths = [
        format!("/v1/sends/{first}"),
        format!("/v1/sends/{second}"),
        "/v1/sends".to_owned(),
        "/v1/jobs".to_owned(),
        "/v1/activities".to_owned(),
    ];
    for path in &paths {
        assert_eq!(header(&get(&stack, ALL_SCOPES, path, &[]).await, "retry-after"), "2", "{path}");
    }
    let done = get(&stack, ALL_SCOPES, "/v1/sends?status=succeeded", &[]).await;
    assert_eq!(header(&done, "retry-after"), "");
    stack.skolverket.hold_jobs(false);
    for id in [&first, &second] {
        assert_eq!(stack.ended(id).await["status"], "succeeded");
    }
    for path in &paths {
        assert_eq!(header(&get(&stack, ALL_SCOPES, path, &[]).await, "retry-after"), "", "{path}");
    }
    stack.finish(0).await;
}

#[tokio::test]
async fn large_answers_are_packed_for_those_who_take_it() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(884)).await;
    stack.ended(&id).await;
    let token = stack.token(ORGANISER, ALL_SCOPES).await;
    let rows = format!("/v1/sends/{id}/jobs/users/records");
    for (path, accept) in
        [("/v1/sends", "*/*"), (rows.as_str(), "application/json"), (rows.as_str(), "text/csv")]
    {
        let request = stack.call(Method::GET, path).bearer_auth(&token).header("accept", accept);
        let plain = request.try_clone().unwrap().send().await.unwrap();
        assert!(!plain.headers().contains_key("content-encoding"));
        let plain = plain.bytes().await.unwrap();
        let packed = request.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 2 < plain.len(), "{} of {} bytes", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.as_ref()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain, "{path}, byte order mark and all");
    }
    let small = get(&stack, ALL_SCOPES, "/v1/sends?status=failed", &[("accept-encoding", "gzip")]).await;
    assert_eq!((header(&small, "content-encoding"), small.text.len() < 1000), ("", true));
    stack.finish(0).await;
}

#[tokio::test]
async fn a_browser_on_another_origin_may_ask_and_read() {
    let stack = TestStack::start().await;
    let origin = "https://admin.example.se";
    let preflight = stack
        .call(Method::OPTIONS, "/v1/sends")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key");
    let answer = stack.request(preflight).await;
    assert_eq!(answer.status, 204, "without a token");
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(header(&answer, "access-control-allow-methods"), "GET,POST");
    let allowed = header(&answer, "access-control-allow-headers");
    for sent in ["authorization", "idempotency-key", "if-none-match", "content-type"] {
        assert!(allowed.split(',').any(|allowed| allowed == sent), "{sent}: {allowed}");
    }
    // Asked by something that is no browser.
    assert_eq!(stack.request(stack.call(Method::OPTIONS, "/v1/sends")).await.status, 204);
    let read = get(&stack, ALL_SCOPES, "/v1/sends", &[("origin", origin)]).await;
    assert_eq!(header(&read, "access-control-allow-origin"), "*");
    let exposed = header(&read, "access-control-expose-headers");
    for read in ["etag", "location", "link", "retry-after"] {
        assert!(exposed.split(',').any(|exposed| exposed == read), "{read}: {exposed}");
    }
    let refused = stack.request(stack.call(Method::GET, "/v1/sends").header("origin", origin)).await;
    assert_eq!((refused.status.as_u16(), header(&refused, "access-control-allow-origin")), (401, "*"));
    let same = get(&stack, ALL_SCOPES, "/v1/sends", &[]).await;
    assert_eq!(header(&same, "access-control-allow-origin"), "");
    stack.finish(0).await;
}
