//! A function's call: the service that it is for, and the operation.

use hyper::http::request::Parts;
use serde_json::Value;

use crate::sqs::MAX_DELAY_S;

/// Where a process finds Skolverket's interface on its endpoint.
pub(super) const SKOLVERKET_PATH: &str = "/skolverket";
/// Where it finds the authorization server.
pub(super) const TOKEN_PATH: &str = "/token";
/// Where it finds the interface of the verification environment.
pub(super) const VERIFICATION_PATH: &str = "/verification";
/// Where it finds the Open-data API.
pub(super) const OPEN_DATA_PATH: &str = "/open-data";

/// Which of a process's services a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Runtime,
    DynamoDb,
    Sqs,
    Ssm,
    Skolverket,
    Verification,
    Token,
    OpenData,
}

/// A call, named for people and plans: `dynamodb.TransactWriteItems`, `skolverket.POST`, `runtime.response`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) service: Service,
    pub(super) name: String,
}

impl Call {
    /// Names a request; none for one that waits for work, which is no part of any.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let path = parts.uri.path();
        if let Some(rest) = path.strip_prefix("/2018-06-01/runtime/") {
            let name = match rest.rsplit('/').next() {
                Some("next") => return None,
                Some(last @ ("response" | "error")) => last,
                _ => "other",
            };
            return Some(Self { service: Service::Runtime, name: format!("runtime.{name}") });
        }
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let (service, name) = match target.and_then(|target| target.split_once('.')) {
            Some((api, operation)) if api.starts_with("DynamoDB") => {
                (Service::DynamoDb, format!("dynamodb.{operation}"))
            }
            Some(("AmazonSSM", operation)) => (Service::Ssm, format!("ssm.{operation}")),
            Some((_, operation)) => (Service::Sqs, format!("sqs.{operation}")),
            None if path.starts_with(SKOLVERKET_PATH) => {
                (Service::Skolverket, format!("skolverket.{}", parts.method))
            }
            None if path.starts_with(VERIFICATION_PATH) => {
                (Service::Verification, format!("verification.{}", parts.method))
            }
            None if path.starts_with(OPEN_DATA_PATH) => {
                (Service::OpenData, format!("openData.{}", parts.method))
            }
            None => (Service::Token, format!("token.{}", parts.method)),
        };
        Some(Self { service, name })
    }

    /// How many messages its body sends.
    pub(super) fn messages(&self, body: &[u8]) -> usize {
        match self.name.as_str() {
            "sqs.SendMessage" => 1,
            "sqs.SendMessageBatch" => {
                let body: Value = serde_json::from_slice(body).unwrap_or_default();
                body["Entries"].as_array().map_or(0, Vec::len)
            }
            _ => 0,
        }
    }

    /// The same request to send messages, each `seconds` later than it says; none where it sends none.
    pub(super) fn delayed(&self, body: &[u8], seconds: u32) -> Option<Vec<u8>> {
        let mut body: Value = serde_json::from_slice(body).ok()?;
        let delay = |message: &mut Value| {
            let asked = message["DelaySeconds"].as_u64().unwrap_or(0);
            message["DelaySeconds"] = (asked + u64::from(seconds)).min(MAX_DELAY_S).into();
        };
        match self.name.as_str() {
            "sqs.SendMessage" => delay(&mut body),
            "sqs.SendMessageBatch" => body["Entries"].as_array_mut()?.iter_mut().for_each(delay),
            _ => return None,
        }
        serde_json::to_vec(&body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str, target: Option<&str>) -> Option<Call> {
        let mut request = hyper::Request::builder().method(method).uri(path);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        Call::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn calls_are_named_by_service_and_operation() {
        let name = |method, path, target| call(method, path, target).unwrap().name;
        assert_eq!(name("POST", "/", Some("DynamoDB_20120810.PutItem")), "dynamodb.PutItem");
        assert_eq!(name("POST", "/", Some("AmazonSQS.SendMessage")), "sqs.SendMessage");
        assert_eq!(name("POST", "/skolverket/persons/bulk", None), "skolverket.POST");
        assert_eq!(name("POST", "/", Some("AmazonSSM.GetParameter")), "ssm.GetParameter");
        assert_eq!(name("GET", "/verification/persons/bulk/jobs/1", None), "verification.GET");
        assert_eq!(name("POST", "/token", None), "token.POST");
        assert_eq!(name("GET", "/open-data/programmes", None), "openData.GET");
        assert_eq!(name("POST", "/2018-06-01/runtime/invocation/1/response", None), "runtime.response");
        assert_eq!(name("POST", "/2018-06-01/runtime/init/error", None), "runtime.error");
        assert_eq!(call("GET", "/2018-06-01/runtime/invocation/next", None), None);
    }

    #[test]
    fn messages_are_counted_and_delayed() {
        let one = call("POST", "/", Some("AmazonSQS.SendMessage")).unwrap();
        let body = br#"{"QueueUrl":"q","MessageBody":"b","DelaySeconds":899}"#;
        assert_eq!(one.messages(body), 1);
        let later: Value = serde_json::from_slice(&one.delayed(body, 5).unwrap()).unwrap();
        assert_eq!((&later["DelaySeconds"], &later["MessageBody"]), (&900.into(), &"b".into()));
        let batch = call("POST", "/", Some("AmazonSQS.SendMessageBatch")).unwrap();
        let body = br#"{"Entries":[{"Id":"0"},{"Id":"1","DelaySeconds":2}]}"#;
        assert_eq!(batch.messages(body), 2);
        let later: Value = serde_json::from_slice(&batch.delayed(body, 3).unwrap()).unwrap();
        assert_eq!(
            (&later["Entries"][0]["DelaySeconds"], &later["Entries"][1]["DelaySeconds"]),
            (&3.into(), &5.into())
        );
        let other = call("POST", "/", Some("DynamoDB_20120810.PutItem")).unwrap();
        assert_eq!((other.messages(body), other.delayed(body, 1)), (0, None));
    }
}
