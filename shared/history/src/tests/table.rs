//! A table of the embedded DynamoDB, without a network between it and the history's client.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use stafett_runtime::Metrics;

use super::written::{LATER, Marked, hold_to_fixtures, keys};
use crate::History;
use crate::key::Key;

const NAME: &str = "history";

/// All items of a table, by their keys, in DynamoDB's own JSON.
pub(super) type Items = BTreeMap<(String, String), Value>;

/// An empty table with the keys and the index of the template.
#[derive(Clone)]
pub(super) struct Table(Database);

/// What happens to a call on its way.
pub(super) enum Event {
    /// Somebody else does this before the call arrives.
    Meanwhile(BoxFuture<'static, ()>),
    /// The call takes effect, and its answer is lost. The SDK makes it again.
    AnswerLost,
    /// DynamoDB refuses it, because a transaction holds one of its items.
    Conflict,
    /// It does not arrive, and neither do its repeats.
    Unreachable,
    /// It is answered for this many keys only.
    Partly(usize),
}

/// An event, and the call that it happens to.
pub(super) struct On {
    operation: &'static str,
    skipped: usize,
    event: Event,
}

/// The event happens to the first call of this operation that no event before it in the list has happened to.
pub(super) fn on(operation: &'static str, event: Event) -> On {
    On { operation, skipped: 0, event }
}

impl On {
    /// So many calls of the operation pass first.
    pub(super) fn after(self, skipped: usize) -> Self {
        Self { skipped, ..self }
    }
}

/// Somebody else does this before the next call of this operation arrives.
pub(super) fn meanwhile(operation: &'static str, change: impl Future<Output = ()> + Send + 'static) -> On {
    on(operation, Event::Meanwhile(Box::pin(change)))
}

impl Table {
    pub(super) fn new() -> Self {
        let database = Database::memory().unwrap();
        let description = json!({
            "TableName": NAME,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "dueShard", "AttributeType": "S"},
                {"AttributeName": "dueAt", "AttributeType": "N"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "dueShard", "KeyType": "HASH"},
                    {"AttributeName": "dueAt", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }],
        });
        database.create_table(serde_json::from_value(description).unwrap()).unwrap();
        Self(database)
    }

    /// A table with these items.
    pub(super) fn of(items: &Items) -> Self {
        let table = Self::new();
        for item in items.values() {
            table.answer("PutItem", &json!({"Item": item}));
        }
        table
    }

    /// A history in this table.
    pub(super) fn history(&self) -> History {
        self.disturbed([]).0
    }

    /// A history in this table to whose calls these events happen, and the record of its calls.
    pub(super) fn disturbed(&self, events: impl IntoIterator<Item = On>) -> (History, Calls) {
        self.connected(events, None)
    }

    /// A history in this table to each of whose items a later release has added an attribute. That a write takes it away
    /// is a fault.
    pub(super) fn with_later_attributes(&self) -> History {
        self.connected([], Some(Marked::default())).0
    }

    fn connected(&self, events: impl IntoIterator<Item = On>, marked: Option<Marked>) -> (History, Calls) {
        let calls = Calls::default();
        let line = Line {
            table: self.clone(),
            events: Arc::new(Events(Mutex::new(events.into_iter().collect()))),
            calls: calls.clone(),
            marked,
        };
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-north-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url("http://dynamodb.invalid")
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .http_client(line)
            .build();
        (History::new(Client::from_conf(config), NAME.to_owned(), Metrics::new("test")), calls)
    }

    /// An item, as plain JSON.
    pub(super) fn item(&self, key: &Key) -> Option<Value> {
        let answer = self.answer("GetItem", &json!({"Key": typed_key(key), "ConsistentRead": true}));
        answer.get("Item").map(|item| plain(&json!({"M": item})))
    }

    /// An attribute of an item; null where there is none.
    pub(super) fn attribute(&self, key: &Key, name: &str) -> Value {
        self.item(key).map_or(Value::Null, |mut item| item[name].take())
    }

    pub(super) fn items(&self) -> Items {
        let mut items = Items::new();
        let mut request = json!({});
        loop {
            let answer = self.answer("Scan", &request);
            for item in answer["Items"].as_array().unwrap() {
                let key = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
                items.insert((key("pk"), key("sk")), item.clone());
            }
            match answer.get("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.clone(),
                None => return items,
            }
        }
    }

    /// Writes an item, whatever was there.
    pub(super) fn put(&self, key: &Key, item: &Value) {
        let mut item = item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), typed(value)));
        let mut whole: Map<String, Value> = item.by_ref().collect();
        whole.extend(typed_key(key).as_object().unwrap().clone());
        self.answer("PutItem", &json!({"Item": whole}));
    }

    /// Changes one attribute of an item; null removes it.
    pub(super) fn set(&self, key: &Key, name: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).unwrap();
        let mut request = json!({"Key": typed_key(key), "ExpressionAttributeNames": {"#name": name}});
        if value.is_null() {
            request["UpdateExpression"] = "REMOVE #name".into();
        } else {
            request["UpdateExpression"] = "SET #name = :value".into();
            request["ExpressionAttributeValues"] = json!({":value": typed(&value)});
        }
        self.answer("UpdateItem", &request);
    }

    /// As [`Table::set`], to be done later.
    pub(super) fn setting(
        &self,
        key: &Key,
        name: &'static str,
        value: impl Serialize,
    ) -> BoxFuture<'static, ()> {
        let (key, value) = (key.clone(), serde_json::to_value(value).unwrap());
        self.later(move |table| table.set(&key, name, value))
    }

    /// An attribute has this value before the first call of the operation arrives, and again its own before the second:
    /// nothing else may be written in between.
    pub(super) fn for_a_moment(
        &self,
        operation: &'static str,
        key: &Key,
        name: &'static str,
        value: impl Serialize,
    ) -> [On; 2] {
        let (key, own, items) = (key.clone(), self.attribute(key, name), self.items());
        let change = self.setting(&key, name, value);
        let restore = self.later(move |table| {
            table.set(&key, name, own);
            assert_eq!(table.items(), items, "nothing was written meanwhile");
        });
        [meanwhile(operation, change), meanwhile(operation, restore)]
    }

    /// A change to be made later.
    pub(super) fn later(&self, change: impl FnOnce(&Self) + Send + 'static) -> BoxFuture<'static, ()> {
        let table = self.clone();
        Box::pin(async move { change(&table) })
    }

    pub(super) fn delete(&self, key: &Key) {
        self.answer("DeleteItem", &json!({"Key": typed_key(key)}));
    }

    fn answer(&self, operation: &str, request: &Value) -> Value {
        let mut request = request.clone();
        request["TableName"] = NAME.into();
        let (status, answer) = self.call(operation, request.to_string().as_bytes());
        assert_eq!(status, 200, "{operation}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// A call as DynamoDB's interface has it: status and body of the answer.
    fn call(&self, operation: &str, request: &[u8]) -> (u16, String) {
        fn run<Q: DeserializeOwned, A: Serialize>(
            request: &[u8],
            operation: impl FnOnce(Q) -> dynoxide::Result<A>,
        ) -> (u16, String) {
            match operation(serde_json::from_slice(request).unwrap()) {
                Ok(answer) => (200, serde_json::to_string(&answer).unwrap()),
                Err(error) => (error.status_code(), error.to_json()),
            }
        }
        let Self(database) = self;
        match operation {
            "GetItem" => run(request, |request| database.get_item(request)),
            "BatchGetItem" => run(request, |request| database.batch_get_item(request)),
            "PutItem" => run(request, |request| database.put_item(request)),
            "UpdateItem" => run(request, |request| database.update_item(request)),
            "DeleteItem" => run(request, |request| database.delete_item(request)),
            "Query" => run(request, |request| database.query(request)),
            "Scan" => run(request, |request| database.scan(request)),
            "TransactWriteItems" => run(request, |request| database.transact_write_items(request)),
            other => panic!("the history has not called {other} before: add it here"),
        }
    }
}

/// How often each operation was called.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<BTreeMap<String, usize>>>);

impl Calls {
    pub(super) fn of(&self, operation: &str) -> usize {
        self.0.lock().unwrap().get(operation).copied().unwrap_or_default()
    }

    fn note(&self, operation: &str) {
        *self.0.lock().unwrap().entry(operation.to_owned()).or_default() += 1;
    }
}

/// What the SDK sends its requests through.
#[derive(Clone)]
struct Line {
    table: Table,
    events: Arc<Events>,
    calls: Calls,
    marked: Option<Marked>,
}

/// What is still to happen. That something did not happen is a fault: the test has shown nothing.
struct Events(Mutex<Vec<On>>);

impl Drop for Events {
    fn drop(&mut self) {
        let left =
            self.0.get_mut().unwrap().iter().filter(|on| !matches!(on.event, Event::Unreachable)).count();
        assert!(left == 0 || std::thread::panicking(), "{left} events did not happen");
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// The event that happens to this call. That nothing arrives any more stays so.
    fn event(&self, operation: &str) -> Option<Event> {
        let Events(events) = &*self.events;
        let mut events = events.lock().unwrap();
        let at = events.iter().position(|on| on.operation == operation)?;
        let on = events.get_mut(at)?;
        if on.skipped > 0 {
            on.skipped -= 1;
            return None;
        }
        if matches!(on.event, Event::Unreachable) {
            Some(Event::Unreachable)
        } else {
            Some(events.remove(at).event)
        }
    }

    fn call(&self, operation: &str, request: &[u8]) -> (u16, String) {
        let (status, answer) = self.table.call(operation, request);
        for key in keys(operation, request) {
            hold_to_fixtures(&key);
            if let Some(marked) = &self.marked
                && status == 200
                && marked.is_new(operation, &key, self.table.item(&key).as_ref())
            {
                self.table.set(&key, LATER, "kept");
            }
        }
        (status, answer)
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.strip_prefix("DynamoDB_20120810.").unwrap().to_owned();
        let body = request.body().bytes().unwrap().to_vec();
        self.calls.note(&operation);
        let event = self.event(&operation);
        let (status, answer) = match event {
            Some(Event::Unreachable) => return Err(ConnectorError::io("unreachable".into())),
            Some(Event::Conflict) => (400, conflict(&operation, &body)),
            Some(Event::Partly(keys)) => self.table.call_partly(&body, keys),
            Some(Event::Meanwhile(change)) => {
                change.await;
                self.call(&operation, &body)
            }
            Some(Event::AnswerLost) => {
                self.call(&operation, &body);
                return Err(ConnectorError::timeout("no answer".into()));
            }
            None => self.call(&operation, &body),
        };
        Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer)))
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().answer(request))
    }
}

impl HttpClient for Line {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl Table {
    /// Reads the first keys only, and leaves the others for another call.
    fn call_partly(&self, request: &[u8], keys: usize) -> (u16, String) {
        let mut request: Value = serde_json::from_slice(request).unwrap();
        let all = request["RequestItems"][NAME]["Keys"].as_array_mut().unwrap();
        let left = all.split_off(keys);
        let (status, answer) = self.call("BatchGetItem", request.to_string().as_bytes());
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        request["RequestItems"][NAME]["Keys"] = left.into();
        answer["UnprocessedKeys"] = request["RequestItems"].take();
        (status, answer.to_string())
    }
}

/// What DynamoDB answers when another transaction holds an item of a call.
fn conflict(operation: &str, request: &[u8]) -> String {
    const PREFIX: &str = "com.amazonaws.dynamodb.v20120810#";
    if operation != "TransactWriteItems" {
        return json!({"__type": format!("{PREFIX}TransactionConflictException"), "message": "test"})
            .to_string();
    }
    let request: Value = serde_json::from_slice(request).unwrap();
    let mut reasons = vec![json!({"Code": "None"}); request["TransactItems"].as_array().unwrap().len()];
    *reasons.last_mut().unwrap() = json!({"Code": "TransactionConflict", "Message": "test"});
    json!({
        "__type": format!("{PREFIX}TransactionCanceledException"),
        "Message": "test",
        "CancellationReasons": reasons,
    })
    .to_string()
}

fn typed_key(key: &Key) -> Value {
    json!({"pk": {"S": key.pk}, "sk": {"S": key.sk}})
}

/// A value in DynamoDB's JSON.
fn typed(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(value) => json!({"N": value.to_string()}),
        Value::String(value) => json!({"S": value}),
        Value::Array(values) => json!({"L": values.iter().map(typed).collect::<Vec<_>>()}),
        Value::Object(members) => {
            json!({"M": members.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>()})
        }
    }
}

/// A value that was in DynamoDB's JSON; binary content as its base64.
fn plain(value: &Value) -> Value {
    let (kind, value) = value.as_object().and_then(|members| members.iter().next()).unwrap();
    match (kind.as_str(), value) {
        ("NULL", _) => Value::Null,
        ("N", value) => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        ("L", Value::Array(values)) => values.iter().map(plain).collect(),
        ("M", Value::Object(members)) => {
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
        }
        (_, value) => value.clone(),
    }
}
