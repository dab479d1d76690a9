//! Large contents: packed, and cut into items.

use proptest::prelude::*;
use serde_json::Value;
use stafett_domain::{AttemptId, BatchId, RecordKind};

use super::sample::{EXPIRES, send};
use super::table::{Event, Table, on};
use crate::key::Key;
use crate::packed::packed_keys;
use crate::{Body, HistoryError, PackedKind};

/// Bytes of content in an item.
const ITEM: usize = 350_000;
const KIND: PackedKind = PackedKind::Refused;

fn key() -> Key {
    Key { pk: "large".to_owned(), sk: "content".to_owned() }
}

/// Bytes that no packing makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..length).map(|_| next().to_le_bytes()[3]).collect()
}

#[tokio::test]
async fn a_content_reads_back_whatever_its_size() {
    let table = Table::new();
    let history = table.history();
    let sizes = [0, 1, 7, ITEM - 30, ITEM, ITEM + 30, 2 * ITEM - 31, 2 * ITEM, 2 * ITEM + 1, 1_000_003];
    for size in sizes {
        let content = noise(size);
        history.put_packed(KIND, &key(), &content, EXPIRES).await.unwrap();
        assert_eq!(
            history.get_packed(KIND, &key()).await.unwrap().as_deref(),
            Some(content.as_slice()),
            "{size}"
        );
        let items = table.items();
        // The packing of what cannot be packed adds less than this to it.
        assert!((size.div_ceil(ITEM)..=(size + 40).div_ceil(ITEM)).contains(&items.len()), "{size}");
        for (name, item) in &items {
            assert_eq!(
                (name.0.as_str(), &item["expires"]["N"]),
                ("large", &Value::from(EXPIRES.to_string()))
            );
            assert!(item.to_string().len() < 540_000, "base64 of less than 400 KB");
            assert_eq!(
                item.get("parts").is_some(),
                name.1 == "content",
                "the first one says how many there are"
            );
        }
        history.remove_packed(&key(), items.len()).await.unwrap();
        assert!(table.items().is_empty(), "{size}");
    }
    // What repeats itself is one item, however long it is.
    history.put_packed(KIND, &key(), &vec![b'x'; 5_000_000], EXPIRES).await.unwrap();
    assert_eq!(table.items().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_reads_back(parts in proptest::collection::vec("[a-zåäö\"\\\\]{0,60}", 0..40), copies in 1_usize..2_000) {
        let table = Table::new();
        let history = table.history();
        let body = Body { body: parts.concat().repeat(copies), facts: parts };
        let (job, batch) = (send(1).job(RecordKind::Group), BatchId(3));
        let read = async {
            history.put_body(&job, batch, &body, EXPIRES).await.unwrap();
            let batch = crate::Batch::planned(batch, 1, None, EXPIRES);
            history.body::<String>(&job, &batch).await.unwrap()
        };
        let read = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(read);
        prop_assert_eq!((read.body, read.facts), (body.body, body.facts));
    }
}

#[tokio::test]
async fn whoever_finds_the_first_item_finds_the_others() {
    let table = Table::new();
    for written in 0..3 {
        let (history, _) = table.disturbed([on("PutItem", Event::Unreachable).after(written)]);
        assert!(history.put_packed(KIND, &key(), &noise(3 * ITEM - 40), EXPIRES).await.is_err());
        assert_eq!(table.items().len(), written);
        assert_eq!(table.history().get_packed(KIND, &key()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_content_that_lacks_an_item_or_is_damaged_is_not_read() {
    let table = Table::new();
    let history = table.history();
    let read = async || history.get_packed(KIND, &key()).await;
    assert!(matches!(read().await, Ok(None)));
    for lost in 1..3 {
        history.put_packed(KIND, &key(), &noise(3 * ITEM - 40), EXPIRES).await.unwrap();
        let keys: Vec<_> = packed_keys(&key(), 3).collect();
        assert!(keys.iter().all(|key| table.item(key).is_some()));
        table.delete(&keys[lost]);
        assert!(matches!(read().await, Err(HistoryError::Corrupt("a part of a large item is missing"))));
    }
    table.set(&key(), "parts", 1);
    assert!(matches!(read().await, Err(HistoryError::Corrupt("content that cannot be unpacked"))));
    history.put_packed(KIND, &key(), b"no JSON", EXPIRES).await.unwrap();
    let json = history.get_packed_json::<Value>(KIND, &key()).await;
    assert!(matches!(json, Err(HistoryError::Corrupt("content that is no JSON"))));
    table.set(&key(), "codec", "zip");
    assert!(matches!(read().await, Err(HistoryError::Corrupt(_))));
}

#[tokio::test]
async fn an_answer_is_read_with_the_body_that_it_was_packed_on() {
    let table = Table::new();
    let history = table.history();
    history.received(&send(1), [1, 0, 0, 1]).await;
    let batch = history.batch(&send(1).job(RecordKind::Person), BatchId(0)).await.unwrap().unwrap();
    let Body { body, .. } = history.body::<()>(&send(1).job(RecordKind::Person), &batch).await.unwrap();
    let attempt = AttemptId { batch: BatchId(0), attempt_try: 1, n: 3, token_request: None };
    let read = async || history.answer(&send(1).job(RecordKind::Person), &batch, attempt).await;
    assert_eq!(read().await.unwrap(), None);
    for answer in [body.as_bytes().to_vec(), Vec::new(), noise(ITEM + 5)] {
        history.put_answer(&send(1).job(RecordKind::Person), attempt, &answer, &body, EXPIRES).await.unwrap();
        assert_eq!(read().await.unwrap().as_deref(), Some(answer.as_slice()));
    }
    let key = send(1).job(RecordKind::Person).answer(attempt);
    let packed_on_nothing = history.get_packed(PackedKind::Answer, &key).await;
    assert!(matches!(packed_on_nothing, Err(HistoryError::Corrupt("content that was packed on another"))));
    table.delete(&send(1).job(RecordKind::Person).body(BatchId(0)));
    assert!(matches!(read().await, Err(HistoryError::Corrupt("a batch without a body"))));
}
