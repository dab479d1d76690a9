//! What every write of the history is held to, whatever test makes it: an item is of a kind that has a fixture. And, where
//! a test asks for it, a release that comes later has added an attribute to each item, and no write of today's takes that
//! away.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::fixtures;
use crate::key::Key;

/// The attribute that a later release has added.
pub(super) const LATER: &str = "addedLater";

/// The items that have it.
#[derive(Clone, Default)]
pub(super) struct Marked(Arc<Mutex<HashSet<Key>>>);

impl Marked {
    /// Looks at an item after it was written: one that had the attribute must have it still. Says whether it is a new one,
    /// which is to get it.
    pub(super) fn is_new(&self, operation: &str, key: &Key, item: Option<&Value>) -> bool {
        let mut marked = self.0.lock().unwrap();
        let Some(item) = item else {
            marked.remove(key);
            return false;
        };
        let is_new = marked.insert(key.clone());
        let kind = fixtures::kind(&key.pk, &key.sk);
        let has_it = item.get(LATER).is_some();
        assert!(is_new || has_it, "{operation} takes from an item ({kind}) what a later release has added");
        !has_it
    }
}

/// That each item that is written is of a kind that has a fixture.
pub(super) fn hold_to_fixtures(key: &Key) {
    // Tests of reading and writing have keys of their own, of one word.
    if key.pk.contains('#') && !fixtures::are_written() {
        let kind = fixtures::kind(&key.pk, &key.sk);
        assert!(
            fixtures::stored().contains_key(&kind),
            "there is no fixture of {kind}: see tests/formats.rs"
        );
    }
}

/// The keys of the items that a request writes or removes.
pub(super) fn keys(operation: &str, request: &[u8]) -> Vec<Key> {
    let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
    if !writes.contains(&operation) {
        return Vec::new();
    }
    let request: Value = serde_json::from_slice(request).unwrap();
    let in_transaction = |write: &Value| {
        let kinds = ["Put", "Update", "Delete"];
        kinds.iter().find_map(|kind| write.get(kind)).map(key)
    };
    match request["TransactItems"].as_array() {
        Some(writes) => writes.iter().filter_map(in_transaction).collect(),
        None => vec![key(&request)],
    }
}

fn key(write: &Value) -> Key {
    let key = write.get("Key").unwrap_or(&write["Item"]);
    let of = |name: &str| key[name]["S"].as_str().unwrap().to_owned();
    Key { pk: of("pk"), sk: of("sk") }
}
