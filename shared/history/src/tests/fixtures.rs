//! The fixtures: items as they are stored, in DynamoDB's JSON, a file for each kind of item. A kind is known by the words
//! of its key, and a file has them as its name.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// What follows these words in a key is a name, and belongs to no kind.
const BEFORE_NAMES: [&str; 3] = ["authorization", "idem", "limiter"];
/// Set, the fixtures are written anew instead of being compared: for a commit that changes a format.
const WRITE: &str = "STAFETT_WRITE_FIXTURES";

/// Items by their kind.
pub(super) type Kinds = BTreeMap<String, Vec<Value>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/items")
}

/// The kind of the items under such keys: their words, without what is numbers, ids or names.
pub(super) fn kind(pk: &str, sk: &str) -> String {
    let mut words = Vec::new();
    for key in [pk, sk.split('~').next().unwrap_or_default()] {
        let mut before = "";
        for word in key.split('#') {
            let is_word = !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_alphabetic());
            if is_word && !BEFORE_NAMES.contains(&before) {
                words.push(word);
            }
            before = word;
        }
    }
    words.join(".")
}

pub(super) fn by_kind(items: &BTreeMap<(String, String), Value>) -> Kinds {
    let mut kinds = Kinds::new();
    for ((pk, sk), item) in items {
        kinds.entry(kind(pk, sk)).or_default().push(item.clone());
    }
    kinds
}

/// All fixtures.
pub(super) fn stored() -> &'static Kinds {
    static STORED: OnceLock<Kinds> = OnceLock::new();
    STORED.get_or_init(|| {
        let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
        let read = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let kind = name.strip_suffix(".json").unwrap().to_owned();
            (kind, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        };
        files.map(read).collect()
    })
}

/// All fixtures, as the items of one table.
pub(super) fn items() -> BTreeMap<(String, String), Value> {
    let key = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
    let items = stored().values().flatten();
    items.map(|item| ((key(item, "pk"), key(item, "sk")), item.clone())).collect()
}

/// Whether the fixtures are to be written.
pub(super) fn are_written() -> bool {
    std::env::var_os(WRITE).is_some()
}

pub(super) fn write(kinds: &Kinds) {
    std::fs::create_dir_all(folder()).unwrap();
    for file in std::fs::read_dir(folder()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    for (kind, items) in kinds {
        let items: Vec<_> = items.iter().map(printed).collect();
        let text = format!("[\n{}\n]\n", items.join(",\n"));
        std::fs::write(folder().join(format!("{kind}.json")), text).unwrap();
    }
}

/// An item, an attribute a line, its key first.
fn printed(item: &Value) -> String {
    let mut attributes: Vec<_> = item.as_object().unwrap().iter().collect();
    attributes.sort_by_key(|(name, _)| (*name != "pk", *name != "sk", name.as_str()));
    let lines: Vec<_> =
        attributes.into_iter().map(|(name, value)| format!("    {}: {value}", json!(name))).collect();
    format!("  {{\n{}\n  }}", lines.join(",\n"))
}

/// Items without what differs from one writing to the next: ids that are made at random have one name, and what is packed
/// stands unpacked behind its version, for another release of zstd may pack it otherwise.
pub(super) fn normal(kinds: &Kinds) -> Kinds {
    let mut packed = HashMap::new();
    for item in kinds.values().flatten() {
        let version_and_content = item.get("content").and_then(|content| content["B"].as_str());
        let Some(bytes) = version_and_content else { continue };
        packed.insert((item["pk"].clone(), item["sk"].clone()), (item, unbase64(bytes)));
    }
    let unpacked = |item: &Value| {
        let (_, bytes) = &packed[&(item["pk"].clone(), item["sk"].clone())];
        let (version, bytes) = bytes.split_first().unwrap();
        let on = match item["codec"]["S"].as_str().unwrap() {
            "zstd" => Vec::new(),
            "zstdOnBody" => {
                let (_, body) = &packed[&(item["pk"].clone(), json!({"S": "body"}))];
                let body: Value = serde_json::from_slice(&unpack(&body[1..], &[])).unwrap();
                body["body"].as_str().unwrap().as_bytes().to_vec()
            }
            other => panic!("how to unpack {other} is not known here"),
        };
        let content = unpack(bytes, &on);
        let content = String::from_utf8(content).unwrap_or_else(|error| format!("{:?}", error.as_bytes()));
        json!({"version": version, "content": content})
    };
    let normal_item = |item: &Value| {
        let mut normal = item.as_object().unwrap().clone();
        if item.get("codec").is_some() {
            normal.insert("content".to_owned(), unpacked(item));
        }
        without_random_ids(&Value::Object(normal))
    };
    let of_kind = |items: &Vec<Value>| {
        let mut items: Vec<_> = items.iter().map(normal_item).collect();
        // Items with random keys are ordered by their content.
        items.sort_by_cached_key(|item| format!("{} {} {}", item["pk"], item["sk"], item["content"]));
        items
    };
    kinds.iter().map(|(kind, items)| (kind.clone(), of_kind(items))).collect()
}

fn unbase64(text: &str) -> Vec<u8> {
    aws_smithy_types::base64::decode(text).unwrap()
}

fn unpack(packed: &[u8], on: &[u8]) -> Vec<u8> {
    let length = zstd::zstd_safe::get_frame_content_size(packed).unwrap().unwrap();
    let length = usize::try_from(length).unwrap();
    zstd::bulk::Decompressor::with_dictionary(on).unwrap().decompress(packed, length).unwrap()
}

fn without_random_ids(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let words: Vec<_> =
                text.split('#').map(|word| if is_random(word) { "random" } else { word }).collect();
            Value::String(words.join("#"))
        }
        Value::Array(values) => values.iter().map(without_random_ids).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), without_random_ids(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn is_random(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok_and(|id| id.get_version() == Some(uuid::Version::Random))
}
