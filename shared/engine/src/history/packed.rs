//! The large items: written once, compressed, outside transactions.

use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptId, BatchId, Outcome, RecordId, StageName};
use stafett_skolverket::LogEntry;

use super::item::{Batch, PartBody};
use super::key::{Key, SendRef};
use super::store::{History, HistoryError};

/// Bytes of compressed content in one item; DynamoDB takes 400 KB with keys and all.
const PART_BYTES: usize = 350_000;
/// zstd's own default: at this size its speed is not what anything waits for.
const LEVEL: i32 = 3;
/// No content of ours unpacks to more.
const LONGEST_CONTENT: u64 = 64 * 1024 * 1024;

/// The body of a batch's bulk call, and what its rows show that is not in it.
#[derive(Serialize, Deserialize)]
pub struct Body<F> {
    /// `{"data": […]}`, as it is sent.
    pub body: String,
    /// One entry a record, in the records' order.
    pub facts: Vec<F>,
}

/// What deserves to be seen in a batch: its records that were not simply accepted.
#[derive(Default, Serialize, Deserialize)]
pub struct Issues {
    /// In the records' order.
    pub records: Vec<Issue>,
}

/// A record that was not simply accepted.
#[derive(Serialize, Deserialize)]
pub struct Issue {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// The status that Skolverket gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Skolverket's messages.
    #[serde(default)]
    pub messages: Vec<LogEntry>,
    /// Records that were not accepted, without which it went, or because of which it did not go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<RecordId>,
}

impl Issue {
    /// A record with this outcome, of which nothing more is known.
    pub(crate) fn new(index: u32, outcome: Outcome) -> Self {
        Self { index, outcome, status_code: None, messages: Vec::new(), without: Vec::new() }
    }
}

/// One part of a large content.
#[derive(Serialize, Deserialize)]
struct Part {
    /// How many parts there are; on the first one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<u32>,
    /// How the content is packed, so that another packing can come later.
    codec: Codec,
    #[serde(with = "serde_bytes")]
    content: Vec<u8>,
    expires: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Codec {
    Zstd,
}

fn part_key(key: &Key, part: usize) -> Key {
    if part == 0 { key.clone() } else { Key { pk: key.pk.clone(), sk: format!("{}~{part}", key.sk) } }
}

impl History {
    pub(crate) async fn put_packed(
        &self,
        key: &Key,
        content: &[u8],
        expires: i64,
    ) -> Result<(), HistoryError> {
        let packed = zstd::bulk::compress(content, LEVEL)
            .map_err(|_| HistoryError::Corrupt("content that cannot be packed"))?;
        let chunks: Vec<_> = packed.chunks(PART_BYTES).collect();
        let parts = u32::try_from(chunks.len()).ok();
        // The first part last: whoever finds it finds the others.
        for (part, chunk) in chunks.into_iter().enumerate().rev() {
            let parts = parts.filter(|_| part == 0);
            let item = Part { parts, codec: Codec::Zstd, content: chunk.to_vec(), expires };
            self.put(&part_key(key, part), &item).await?;
        }
        Ok(())
    }

    pub(crate) async fn get_packed(&self, key: &Key) -> Result<Option<Vec<u8>>, HistoryError> {
        let Some(first) = self.get::<Part>(key).await? else { return Ok(None) };
        let mut packed = first.content;
        for part in 1..first.parts.unwrap_or(1) as usize {
            let more: Option<Part> = self.get(&part_key(key, part)).await?;
            packed.extend(more.ok_or(HistoryError::Corrupt("a part of a large item is missing"))?.content);
        }
        let corrupt = HistoryError::Corrupt("content that cannot be unpacked");
        let length = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten();
        let length = length
            .filter(|length| *length <= LONGEST_CONTENT)
            .and_then(|length| usize::try_from(length).ok());
        let Some(length) = length else { return Err(corrupt) };
        zstd::bulk::decompress(&packed, length).map(Some).map_err(|_| corrupt)
    }

    async fn get_packed_json<T: serde::de::DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, HistoryError> {
        let Some(content) = self.get_packed(key).await? else { return Ok(None) };
        serde_json::from_slice(&content)
            .map(Some)
            .map_err(|_| HistoryError::Corrupt("content that is no JSON"))
    }

    async fn put_packed_json<T: Serialize>(
        &self,
        key: &Key,
        content: &T,
        expires: i64,
    ) -> Result<(), HistoryError> {
        let json = serde_json::to_vec(content)
            .map_err(|_| HistoryError::Corrupt("content that cannot be written"))?;
        self.put_packed(key, &json, expires).await
    }

    pub(crate) async fn put_body<F: Serialize>(
        &self,
        send: &SendRef,
        stage: StageName,
        batch: BatchId,
        body: &Body<F>,
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(&send.body(stage, batch), body, expires).await
    }

    pub(crate) async fn put_part_body<F: Serialize>(
        &self,
        send: &SendRef,
        at: &PartBody,
        body: &Body<F>,
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(&send.part_body(at), body, expires).await
    }

    /// A body that came with a part.
    ///
    /// # Errors
    /// [`HistoryError`]; a body that is not there is [`HistoryError::Corrupt`], for it is written before its part.
    pub async fn part_body<F: serde::de::DeserializeOwned>(
        &self,
        send: &SendRef,
        at: &PartBody,
    ) -> Result<Body<F>, HistoryError> {
        let found = self.get_packed_json(&send.part_body(at)).await?;
        found.ok_or(HistoryError::Corrupt("a part without a body"))
    }

    pub(crate) async fn put_facts<F: Serialize>(
        &self,
        send: &SendRef,
        stage: StageName,
        batch: BatchId,
        facts: &[F],
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(&send.facts(stage, batch), &facts, expires).await
    }

    /// The body of a batch, and what its rows show, wherever that stood.
    ///
    /// # Errors
    /// As [`History::body`].
    pub async fn body_and_facts<F: serde::de::DeserializeOwned>(
        &self,
        send: &SendRef,
        stage: StageName,
        batch: &Batch,
    ) -> Result<Body<F>, HistoryError> {
        let body = self.body(send, stage, batch).await?;
        if !batch.own_facts {
            return Ok(body);
        }
        let facts = self.get_packed_json(&send.facts(stage, batch.batch)).await?;
        Ok(Body { facts: facts.ok_or(HistoryError::Corrupt("a batch without its facts"))?, ..body })
    }

    /// The body of a batch.
    ///
    /// # Errors
    /// [`HistoryError`]; a body that is not there is [`HistoryError::Corrupt`], for it is written before its batch.
    pub async fn body<F: serde::de::DeserializeOwned>(
        &self,
        send: &SendRef,
        stage: StageName,
        batch: &Batch,
    ) -> Result<Body<F>, HistoryError> {
        if let Some(at) = &batch.part_body {
            return self.part_body(send, at).await;
        }
        let found = self.get_packed_json(&send.body(stage, batch.batch)).await?;
        found.ok_or(HistoryError::Corrupt("a batch without a body"))
    }

    pub(crate) async fn put_answer(
        &self,
        send: &SendRef,
        stage: StageName,
        attempt: AttemptId,
        answer: &[u8],
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed(&send.answer(stage, attempt), answer, expires).await
    }

    /// The final answer of an attempt, as Skolverket gave it.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn answer(
        &self,
        send: &SendRef,
        stage: StageName,
        attempt: AttemptId,
    ) -> Result<Option<Vec<u8>>, HistoryError> {
        self.get_packed(&send.answer(stage, attempt)).await
    }

    pub(crate) async fn put_issues(
        &self,
        send: &SendRef,
        stage: StageName,
        attempt: AttemptId,
        issues: &Issues,
        expires: i64,
    ) -> Result<(), HistoryError> {
        self.put_packed_json(&send.issues(stage, attempt), issues, expires).await
    }

    /// The errors and warnings that an attempt's answer held; empty where it held none.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn issues(
        &self,
        send: &SendRef,
        stage: StageName,
        attempt: AttemptId,
    ) -> Result<Issues, HistoryError> {
        Ok(self.get_packed_json(&send.issues(stage, attempt)).await?.unwrap_or_default())
    }
}
