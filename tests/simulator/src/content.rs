use serde_json::Value;
use uuid::Uuid;

use crate::shape;

/// A call's body, as far as it was read.
pub(crate) struct Content {
    pub(crate) bytes: usize,
    pub(crate) declared_json: bool,
    /// None if it was not JSON, or too large to be read.
    pub(crate) json: Option<Value>,
}

impl Content {
    /// The ids of the records in a bulk call's body, each once; those without an id that is a UUID are passed over.
    pub(crate) fn record_ids(&self) -> Vec<Uuid> {
        let data = self.json.as_ref().and_then(|body| body["data"].as_array());
        let mut ids: Vec<Uuid> =
            data.into_iter().flatten().filter_map(|record| shape::id(&record["id"])).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
