//! For whom a function works: the organiser that an event is about.

use serde::Deserialize;

/// The organisation number that an event names: a queue message's, or that of an API caller's claims.
pub(super) fn of_event(event: &[u8]) -> Option<String> {
    let event: Event = serde_json::from_slice(event).ok()?;
    if let Some(record) = event.records.first() {
        let message: Message = serde_json::from_str(&record.body).ok()?;
        return Some(message.organisation);
    }
    let claims = event.request_context?.authorizer?.jwt.claims;
    claims.get("organisation_number")?.as_str().map(str::to_owned)
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
    #[serde(rename = "requestContext")]
    request_context: Option<RequestContext>,
}

#[derive(Deserialize)]
struct Record {
    body: String,
}

#[derive(Deserialize)]
struct Message {
    organisation: String,
}

#[derive(Deserialize)]
struct RequestContext {
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
struct Authorizer {
    jwt: Jwt,
}

#[derive(Deserialize)]
struct Jwt {
    claims: serde_json::Map<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn queue_messages_and_api_requests_name_their_organiser() {
        let message = json!({"v": 1, "organisation": "5567044268"}).to_string();
        let event = json!({"Records": [{"body": message}]}).to_string();
        assert_eq!(of_event(event.as_bytes()).as_deref(), Some("5567044268"));
        let claims = json!({"organisation_number": "5567044268"});
        let event = json!({"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}).to_string();
        assert_eq!(of_event(event.as_bytes()).as_deref(), Some("5567044268"));
        assert_eq!(of_event(br#"{"source": "aws.events"}"#), None);
        assert_eq!(of_event(br#"{"Records": [{"body": "no JSON"}]}"#), None);
    }
}
