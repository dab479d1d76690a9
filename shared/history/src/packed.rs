//! The large items: written once, compressed, outside transactions.

use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptId, BatchId, Outcome, RecordId};
use stafett_skolverket::LogEntry;

use crate::error::HistoryError;
use crate::item::Batch;
use crate::key::{JobKey, Key, PartBody, SendRef};
use crate::store::History;
use crate::version::PackedKind;

/// The maximum compressed content of one item, in bytes. DynamoDB allows 400 KB including keys.
const PART_BYTES: usize = 350_000;
/// zstd's default. At these sizes its speed does not matter.
const LEVEL: i32 = 3;
/// The maximum size of unpacked content, in bytes.
const LONGEST_CONTENT: u64 = 64 * 1024 * 1024;

/// The body of a batch's bulk call, and the facts that its rows show but the body does not contain.
#[derive(Serialize, Deserialize)]
pub struct Body<F> {
    /// `{"data": […]}`, as sent.
    pub body: String,
    /// One entry per record, in the order of the records.
    pub facts: Vec<F>,
}

/// The records of a batch that were not simply accepted.
#[derive(Default, Serialize, Deserialize)]
pub struct Issues {
    /// In the order of the records.
    pub records: Vec<Issue>,
}

/// A record that was not simply accepted.
#[derive(Serialize, Deserialize)]
pub struct Issue {
    /// Its index in the batch, from 0.
    pub index: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// The status code from Skolverket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Skolverket's messages.
    #[serde(default)]
    pub messages: Vec<LogEntry>,
    /// The original status text from Skolverket, if the status is unknown. It may contain anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_status: Option<String>,
    /// Records that were not accepted: this record was sent without them, or was not sent because of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<RecordId>,
}

impl Issue {
    /// A record with this outcome and no other details.
    pub fn new(index: u32, outcome: Outcome) -> Self {
        Self {
            index,
            outcome,
            status_code: None,
            messages: Vec::new(),
            unknown_status: None,
            without: Vec::new(),
        }
    }
}

/// One part of large content.
#[derive(Serialize, Deserialize)]
struct Part {
    /// The number of parts. Only the first part has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<u32>,
    /// How the content is packed, so that another codec can be added later.
    codec: Codec,
    /// Includes the version byte.
    #[serde(with = "serde_bytes")]
    content: Vec<u8>,
    expires: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Codec {
    Zstd,
    /// The body of the batch is the compression dictionary.
    ZstdOnBody,
}

fn part_key(key: &Key, part: usize) -> Key {
    if part == 0 { key.clone() } else { Key { pk: key.pk.clone(), sk: format!("{}~{part}", key.sk) } }
}

/// The keys of content that uses `items` items.
pub(crate) fn packed_keys(key: &Key, items: usize) -> impl Iterator<Item = Key> {
    (0..items).map(move |part| part_key(key, part))
}

fn pack(content: &[u8], on: Option<&str>) -> std::io::Result<Vec<u8>> {
    match on {
        None => zstd::bulk::compress(content, LEVEL),
        Some(on) => zstd::bulk::Compressor::with_dictionary(LEVEL, on.as_bytes())?.compress(content),
    }
}

fn unpack(packed: &[u8], on: Option<&str>) -> Option<Vec<u8>> {
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let length = usize::try_from(length.filter(|length| *length <= LONGEST_CONTENT)?).ok()?;
    match on {
        None => zstd::bulk::decompress(packed, length).ok(),
        Some(on) => {
            zstd::bulk::Decompressor::with_dictionary(on.as_bytes()).ok()?.decompress(packed, length).ok()
        }
    }
}

impl History {
    pub(crate) async fn put_packed(
        &self,
        kind: PackedKind,
        key: &Key,
        content: &[u8],
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_on(kind, key, content, None, expires).await.map(drop)
    }

    /// `on` is text that the content repeats and that its reader also has. Returns the number of items used.
    async fn put_packed_on(
        &self,
        kind: PackedKind,
        key: &Key,
        content: &[u8],
        on: Option<&str>,
        expires: i64,
    ) -> Result<usize, HistoryError> {
        let packed = pack(content, on).map_err(|_| HistoryError::Corrupt("content that cannot be packed"))?;
        let codec = if on.is_some() { Codec::ZstdOnBody } else { Codec::Zstd };
        let chunks: Vec<_> = packed.chunks(PART_BYTES).collect();
        let (count, parts) = (chunks.len(), u32::try_from(chunks.len()).ok());
        // The first part is written last: a reader that finds it also finds the others.
        for (part, chunk) in chunks.into_iter().enumerate().rev() {
            let parts = parts.filter(|_| part == 0);
            let item = Part { parts, codec, content: kind.with_version(chunk), expires };
            self.put(&part_key(key, part), &item).await?;
        }
        Ok(count)
    }

    /// Deletes content that uses `items` items.
    pub(crate) async fn remove_packed(&self, key: &Key, items: usize) -> Result<(), HistoryError> {
        for key in packed_keys(key, items) {
            self.delete(&key).await?;
        }
        Ok(())
    }

    pub(crate) async fn get_packed(
        &self,
        kind: PackedKind,
        key: &Key,
    ) -> Result<Option<Vec<u8>>, HistoryError> {
        let on_another = async || Err(HistoryError::Corrupt("content that was packed on another"));
        self.get_packed_on(kind, key, on_another).await
    }

    /// Calls `body` to get the dictionary, if the content was packed with one.
    async fn get_packed_on(
        &self,
        kind: PackedKind,
        key: &Key,
        body: impl AsyncFnOnce() -> Result<String, HistoryError>,
    ) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(first) = self.get_unchanging::<Part>(key).await? else { return Ok(None) };
        let mut packed = kind.without_version(&first.content)?.to_vec();
        for part in 1..first.parts.unwrap_or(1) as usize {
            let more: Option<Part> = self.get_unchanging(&part_key(key, part)).await?;
            let more = more.ok_or(HistoryError::Corrupt("a part of a large item is missing"))?;
            packed.extend(kind.without_version(&more.content)?);
        }
        let on = match first.codec {
            Codec::Zstd => None,
            Codec::ZstdOnBody => Some(body().await?),
        };
        let unpacked = unpack(&packed, on.as_deref());
        unpacked.map(Some).ok_or(HistoryError::Corrupt("content that cannot be unpacked"))
    }

    pub(crate) async fn get_packed_json<T: serde::de::DeserializeOwned>(
        &self,
        kind: PackedKind,
        key: &Key,
    ) -> Result<Option<T>, HistoryError> {
        let Some(content) = self.get_packed(kind, key).await? else { return Ok(None) };
        serde_json::from_slice(&content)
            .map(Some)
            .map_err(|_| HistoryError::Corrupt("content that is no JSON"))
    }

    /// Returns the number of items used.
    pub(crate) async fn put_packed_json<T: Serialize>(
        &self,
        kind: PackedKind,
        key: &Key,
        content: &T,
        expires: i64,
    ) -> Result<usize, HistoryError> {
        let json = serde_json::to_vec(content)
            .map_err(|_| HistoryError::Corrupt("content that cannot be written"))?;
        self.put_packed_on(kind, key, &json, None, expires).await
    }

    pub(crate) async fn put_body<F: Serialize>(
        &self,
        job: &JobKey,
        batch: BatchId,
        body: &Body<F>,
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(PackedKind::Body, &job.body(batch), body, expires).await.map(drop)
    }

    /// Returns the number of items used.
    pub(crate) async fn put_part_body<F: Serialize>(
        &self,
        send: &SendRef,
        at: &PartBody,
        body: &Body<F>,
        expires: i64,
    ) -> Result<usize, HistoryError> {
        self.put_packed_json(PackedKind::PartBody, &send.part_body(at), body, expires).await
    }

    /// Returns a body that arrived with a part.
    ///
    /// # Errors
    /// [`HistoryError`]. A missing body is [`HistoryError::Corrupt`], because it is written before its part.
    pub async fn part_body<F: serde::de::DeserializeOwned>(
        &self,
        send: &SendRef,
        at: &PartBody,
    ) -> Result<Body<F>, HistoryError> {
        let found = self.get_packed_json(PackedKind::PartBody, &send.part_body(at)).await?;
        found.ok_or(HistoryError::Corrupt("a part without a body"))
    }

    pub(crate) async fn put_facts<F: Serialize>(
        &self,
        job: &JobKey,
        batch: BatchId,
        facts: &[F],
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(PackedKind::Facts, &job.facts(batch), &facts, expires).await.map(drop)
    }

    /// Returns the body of a batch and its facts, wherever they are stored.
    ///
    /// # Errors
    /// As [`History::body`].
    pub async fn body_and_facts<F: serde::de::DeserializeOwned>(
        &self,
        job: &JobKey,
        batch: &Batch,
    ) -> Result<Body<F>, HistoryError> {
        let body = self.body(job, batch).await?;
        if !batch.own_facts {
            return Ok(body);
        }
        let facts = self.get_packed_json(PackedKind::Facts, &job.facts(batch.batch)).await?;
        Ok(Body { facts: facts.ok_or(HistoryError::Corrupt("a batch without its facts"))?, ..body })
    }

    /// Returns the body of a batch.
    ///
    /// # Errors
    /// [`HistoryError`]. A missing body is [`HistoryError::Corrupt`], because it is written before its batch.
    pub async fn body<F: serde::de::DeserializeOwned>(
        &self,
        job: &JobKey,
        batch: &Batch<impl Sized>,
    ) -> Result<Body<F>, HistoryError> {
        if let Some(at) = &batch.part_body {
            return self.part_body(&job.send, at).await;
        }
        let found = self.get_packed_json(PackedKind::Body, &job.body(batch.batch)).await?;
        found.ok_or(HistoryError::Corrupt("a batch without a body"))
    }

    /// Stores a complete answer from Skolverket, packed.
    ///
    /// # Errors
    /// [`HistoryError`], if it cannot be written.
    pub async fn put_answer(
        &self,
        job: &JobKey,
        attempt: AttemptId,
        answer: &[u8],
        body: &str,
        expires: i64,
    ) -> Result<(), HistoryError> {
        // The answer repeats the record ids of the body, so the body as dictionary saves space.
        self.put_packed_on(PackedKind::Answer, &job.answer(attempt), answer, Some(body), expires)
            .await
            .map(drop)
    }

    /// Returns the original final answer of an attempt of this batch.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn answer(
        &self,
        job: &JobKey,
        batch: &Batch,
        attempt: AttemptId,
    ) -> Result<Option<Vec<u8>>, HistoryError> {
        let body =
            async || self.body::<serde::de::IgnoredAny>(job, batch).await.map(|Body { body, .. }| body);
        self.get_packed_on(PackedKind::Answer, &job.answer(attempt), body).await
    }

    /// Stores the issues of a batch's records, packed.
    ///
    /// # Errors
    /// [`HistoryError`], if it cannot be written.
    pub async fn put_issues(
        &self,
        job: &JobKey,
        attempt: AttemptId,
        issues: &Issues,
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(PackedKind::Issues, &job.issues(attempt), issues, expires).await.map(drop)
    }

    /// Returns the errors and warnings from an attempt's answer. Empty if there were none.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn issues(&self, job: &JobKey, attempt: AttemptId) -> Result<Issues, HistoryError> {
        Ok(self.get_packed_json(PackedKind::Issues, &job.issues(attempt)).await?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_repeats_of_its_body_costs_nearly_nothing() {
        let id = |number: u32| uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &number.to_be_bytes());
        let person = |number| format!(r#"{{"id":"{}","givenName":"Åsa"}}"#, id(number));
        let body = format!(r#"{{"data":[{}]}}"#, (0..400).map(person).collect::<Vec<_>>().join(","));
        let outcome = |number| format!(r#"{{"id":"{}","response":{{"status":"Success"}}}}"#, id(number));
        let answer = format!(r#"{{"responses":[{}]}}"#, (0..400).map(outcome).collect::<Vec<_>>().join(","));
        let (alone, on_body) =
            (pack(answer.as_bytes(), None).unwrap(), pack(answer.as_bytes(), Some(&body)).unwrap());
        assert!(on_body.len() * 4 < alone.len(), "{} bytes, {} without the body", on_body.len(), alone.len());
        assert_eq!(unpack(&on_body, Some(&body)).unwrap(), answer.as_bytes());
        assert_eq!(unpack(&alone, None).unwrap(), answer.as_bytes());
        assert_ne!(unpack(&on_body, Some(&body.replace("Åsa", "Eva"))), Some(answer.into_bytes()));
    }
}
