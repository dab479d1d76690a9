//! What DynamoDB charges for a call: asked of DynamoDB itself, which says so beside its answer, without the caller
//! seeing that it was asked.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::meter::Units;

const ASKED: &str = "\"ReturnConsumedCapacity\"";
const CONSUMED: &str = "ConsumedCapacity";

/// The same request, asking what it costs; none where the caller asks itself, or for what is no object.
pub(super) fn asking(request: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(request).ok()?;
    // Within a string the quotes would stand behind backslashes.
    if text.contains(ASKED) {
        return None;
    }
    let rest = text.trim_start().strip_prefix('{')?;
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    Some(format!("{{{ASKED}:\"TOTAL\"{comma}{rest}").into())
}

/// What an answer says that the call cost, and the answer without it; none where there was no such member.
pub(super) fn read(operation: &str, request: &[u8], answer: &[u8]) -> Option<(Units, Bytes)> {
    let mut answer: serde_json::Map<String, Value> = serde_json::from_slice(answer).ok()?;
    let consumed = answer.remove(CONSUMED)?;
    let tables = match &consumed {
        Value::Array(tables) => tables.as_slice(),
        table => std::slice::from_ref(table),
    };
    let mut units = Units::default();
    for table in tables {
        let of = |name: &str| table[name].as_f64();
        match (of("ReadCapacityUnits"), of("WriteCapacityUnits"), of("CapacityUnits").unwrap_or_default()) {
            // Only of transactions: a repeat with the same token is charged as a read.
            (None, None, all) if is_read(operation) => units.read += all,
            (None, None, all) => units.write += all,
            (read, write, _) => {
                units.read += read.unwrap_or_default();
                units.write += write.unwrap_or_default();
            }
        }
    }
    if units.write > 0.0 {
        units.kind = kind(operation, request);
    }
    let answer = serde_json::to_vec(&answer).ok()?;
    Some((units, answer.into()))
}

/// The cost of a write whose condition failed. DynamoDB charges for the check, and does not say how much: at least
/// a unit, and two for each item of a transaction. Items with conditions are small here.
pub(super) fn refused(operation: &str, request: &[u8], status: StatusCode, answer: &[u8]) -> Option<Units> {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(rename = "__type", borrow)]
        kind: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Transaction {
        #[serde(rename = "TransactItems")]
        items: Vec<serde::de::IgnoredAny>,
    }
    if status != StatusCode::BAD_REQUEST {
        return None;
    }
    let refusal: Refusal<'_> = serde_json::from_slice(answer).ok()?;
    let write = if refusal.kind.ends_with("#ConditionalCheckFailedException") {
        1.0
    } else if refusal.kind.ends_with("#TransactionCanceledException") {
        let transaction: Transaction = serde_json::from_slice(request).ok()?;
        2.0 * f64::from(u32::try_from(transaction.items.len()).unwrap_or(u32::MAX))
    } else {
        return None;
    };
    Some(Units { read: 0.0, write, kind: format!("refused {operation}") })
}

fn is_read(operation: &str) -> bool {
    ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"].contains(&operation)
}

/// The kind of item that a request writes: the words of its key, without what is numbers or ids. What writes many is
/// called by its operation.
fn kind(operation: &str, request: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Write<'a> {
        #[serde(rename = "Item", alias = "Key", borrow)]
        item: Keys<'a>,
    }
    #[derive(Deserialize)]
    struct Keys<'a> {
        #[serde(borrow)]
        pk: Text<'a>,
        #[serde(borrow)]
        sk: Text<'a>,
    }
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(rename = "S", borrow)]
        text: Cow<'a, str>,
    }
    match serde_json::from_slice::<Write<'_>>(request) {
        Ok(Write { item: Keys { pk, sk } }) => {
            let words = |key: &str| key.split('#').filter_map(word).collect::<Vec<_>>().join("#");
            format!("{}/{}", words(&pk.text), words(&sk.text))
        }
        Err(_) => operation.to_owned(),
    }
}

/// A part of a key that is a word; numbers, ids and hashes are none. Large items go on in others, named `~1`, `~2` …
fn word(part: &str) -> Option<&str> {
    let word = part.split('~').next().unwrap_or(part);
    (!word.is_empty() && word.bytes().all(|letter| letter.is_ascii_alphabetic())).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb;
    use crate::template::Template;
    use dynoxide::Database;
    use serde_json::json;

    fn text(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_request_asks_unless_its_caller_does() {
        let asked = asking(br#" { "TableName":"t"}"#).unwrap();
        assert_eq!(text(&asked), json!({"ReturnConsumedCapacity": "TOTAL", "TableName": "t"}));
        assert_eq!(text(&asking(b"{}").unwrap()), json!({"ReturnConsumedCapacity": "TOTAL"}));
        assert!(asking(br#"{"ReturnConsumedCapacity":"INDEXES"}"#).is_none());
        assert!(asking(br#"{"text":"a \"ReturnConsumedCapacity\" of its own"}"#).is_some());
        assert!(asking(b"[]").is_none());
    }

    #[test]
    fn an_answer_is_given_without_what_was_asked_beside() {
        let answer = br#"{"Item":{"a":{"S":"x"}},"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.5}}"#;
        let (units, rest) = read("GetItem", b"{}", answer).unwrap();
        assert_eq!(text(&rest), json!({"Item": {"a": {"S": "x"}}}));
        assert_eq!((units.read, units.write), (1.5, 0.0));
        assert!(read("GetItem", b"{}", br#"{"Item":{}}"#).is_none());
    }

    #[test]
    fn a_repeated_transaction_is_charged_as_a_read() {
        let answer =
            |axis: &str| json!({"ConsumedCapacity": [{"CapacityUnits": 6.0, axis: 6.0}]}).to_string();
        let units = |axis| read("TransactWriteItems", b"{}", answer(axis).as_bytes()).unwrap().0;
        assert_eq!((units("WriteCapacityUnits").write, units("WriteCapacityUnits").read), (6.0, 0.0));
        assert_eq!((units("ReadCapacityUnits").write, units("ReadCapacityUnits").read), (0.0, 6.0));
        assert_eq!(units("WriteCapacityUnits").kind, "TransactWriteItems");
    }

    #[test]
    fn items_are_counted_by_the_words_of_their_keys() {
        let of = |name: &str, pk: &str, sk: &str| {
            let request =
                json!({name: {"pk": {"S": pk}, "sk": {"S": sk}, "data": {"B": "eA=="}}}).to_string();
            kind("PutItem", request.as_bytes())
        };
        assert_eq!(of("Item", "large#5567044268#0190a1b2#0#00001", "body~1"), "large/body");
        assert_eq!(of("Item", "large#5567044268#0190a1b2#0#00001", "answer#00001.001.00000"), "large/answer");
        assert_eq!(of("Item", "large#5567044268#0190a1b2#part#00003", "0#00001#abc5de0f"), "large#part/");
        assert_eq!(of("Key", "send#5567044268#0190a1b2", "stage#0#batch#00001"), "send/stage#batch");
        assert_eq!(of("Key", "limiter#bulk", "limiter"), "limiter#bulk/limiter");
    }

    #[test]
    fn a_write_whose_condition_did_not_hold_is_charged() {
        let failed =
            |kind: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}")}).to_string();
        let units = |operation, request: &[u8], kind, status| {
            refused(operation, request, status, failed(kind).as_bytes()).map(|units| units.write)
        };
        let bad = StatusCode::BAD_REQUEST;
        assert_eq!(units("UpdateItem", b"{}", "ConditionalCheckFailedException", bad), Some(1.0));
        let three = br#"{"TransactItems":[{},{},{}]}"#;
        assert_eq!(units("TransactWriteItems", three, "TransactionCanceledException", bad), Some(6.0));
        assert_eq!(units("UpdateItem", b"{}", "ThrottlingException", bad), None);
        assert_eq!(units("UpdateItem", b"{}", "ConditionalCheckFailedException", StatusCode::OK), None);
    }

    /// The emulator's figures against the published rules: a unit a started KiB written, of the larger of before and
    /// after, twice that in a transaction, an index's entry beside it; half a unit or one a started 4 KiB read.
    #[test]
    fn the_emulator_charges_by_the_published_rules() {
        let tables = Template::described().tables;
        let (database, table) = (dynamodb::open(None, &tables).unwrap(), tables[0].name.as_str());
        let item = |sk: &str, bytes: usize| json!({"pk": {"S": "p"}, "sk": {"S": sk}, "d": {"S": "x".repeat(bytes)}});
        let put = |item: Value| {
            let request = json!({"TableName": table, "Item": item, "ReturnConsumedCapacity": "TOTAL"});
            let answer = database.put_item(serde_json::from_value(request).unwrap()).unwrap();
            let answer = serde_json::to_vec(&answer).unwrap();
            read("PutItem", b"{}", &answer).unwrap().0.write
        };
        // The names and the keys count too: pk, sk, d, p, a.
        assert_eq!(put(item("a", 1024 - 7)), 1.0);
        assert_eq!(put(item("a", 1024 - 6)), 2.0);
        assert_eq!(put(item("a", 1)), 2.0, "the larger of before and after");
        assert_eq!(put(item("b", 100_000)), 98.0);
        let mut due = item("c", 1);
        due["dueShard"] = json!({"S": "0"});
        due["dueAt"] = json!({"N": "1"});
        assert_eq!(put(due), 2.0, "the item and its entry in the index");
        transaction(&database, table);

        let get = |consistent: bool| {
            let request = json!({
                "TableName": table, "Key": {"pk": {"S": "p"}, "sk": {"S": "b"}}, "ConsistentRead": consistent,
                "ReturnConsumedCapacity": "TOTAL",
            });
            let answer = database.get_item(serde_json::from_value(request).unwrap()).unwrap();
            read("GetItem", b"{}", &serde_json::to_vec(&answer).unwrap()).unwrap().0.read
        };
        assert_eq!((get(true), get(false)), (25.0, 12.5));
    }

    fn transaction(database: &Database, table: &str) {
        let put = |sk: &str, bytes: usize| {
            let item = json!({"pk": {"S": "q"}, "sk": {"S": sk}, "d": {"S": "x".repeat(bytes)}});
            json!({"Put": {"TableName": table, "Item": item}})
        };
        let request =
            json!({"TransactItems": [put("a", 10), put("b", 1500)], "ReturnConsumedCapacity": "TOTAL"});
        let answer = database.transact_write_items(serde_json::from_value(request).unwrap()).unwrap();
        let answer = serde_json::to_vec(&answer).unwrap();
        let units = read("TransactWriteItems", b"{}", &answer).unwrap().0;
        assert_eq!((units.write, units.read), (6.0, 0.0), "twice 1 + 2");
    }
}
