//! What DynamoDB and SQS say when a fault is theirs.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::call::{Call, Service};

/// An answer that the service would give.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

const DYNAMODB: &str = "com.amazonaws.dynamodb.v20120810#";

/// Too much to do; none for a service that says so otherwise.
pub(super) fn throttled(call: &Call) -> Option<Refusal> {
    let body = match call.service {
        Service::DynamoDb => json!({
            "__type": format!("{DYNAMODB}ThrottlingException"),
            "message": "Rate of requests exceeds the allowed throughput.",
        }),
        Service::Sqs => json!({
            "__type": "com.amazonaws.sqs#RequestThrottled",
            "message": "The request was denied due to request throttling.",
        }),
        Service::Ssm => json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
        Service::Runtime
        | Service::Skolverket
        | Service::Verification
        | Service::Token
        | Service::OpenData => return None,
    };
    Some(Refusal { status: StatusCode::BAD_REQUEST, body })
}

/// A write met another one; none for what writes nothing.
pub(super) fn conflicting(call: &Call, request: &[u8]) -> Option<Refusal> {
    let body = match call.name.as_str() {
        "dynamodb.TransactWriteItems" => {
            let request: Value = serde_json::from_slice(request).unwrap_or_default();
            let writes = request["TransactItems"].as_array().map_or(1, Vec::len);
            let reason = |place: usize| match place {
                0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
                _ => json!({"Code": "None"}),
            };
            json!({
                "__type": format!("{DYNAMODB}TransactionCanceledException"),
                "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
                "CancellationReasons": (0..writes).map(reason).collect::<Vec<_>>(),
            })
        }
        "dynamodb.PutItem" | "dynamodb.UpdateItem" | "dynamodb.DeleteItem" => json!({
            "__type": format!("{DYNAMODB}TransactionConflictException"),
            "message": "Transaction is ongoing for the item",
        }),
        _ => return None,
    };
    Some(Refusal { status: StatusCode::BAD_REQUEST, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transactions_conflict_names_each_write() {
        let call = Call { service: Service::DynamoDb, name: "dynamodb.TransactWriteItems".to_owned() };
        let refusal = conflicting(&call, br#"{"TransactItems":[{},{},{}]}"#).unwrap();
        let codes: Vec<_> = refusal.body["CancellationReasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| &reason["Code"])
            .collect();
        assert_eq!(codes, ["TransactionConflict", "None", "None"]);
    }

    #[test]
    fn what_writes_nothing_meets_nobody() {
        let read = Call { service: Service::DynamoDb, name: "dynamodb.GetItem".to_owned() };
        assert!(conflicting(&read, b"{}").is_none() && throttled(&read).is_some());
        let call = Call { service: Service::Skolverket, name: "skolverket.POST".to_owned() };
        assert!(throttled(&call).is_none());
    }
}
