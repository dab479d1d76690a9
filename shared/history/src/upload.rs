//! A send that arrives in parts. When a part arrives, it is packed into the bodies of its batches. They are written
//! once, under keys that no other request uses. The part item, which names these bodies, is written last, in a
//! transaction. Its conditions are that the send is open for parts and that the earlier part is unchanged. The same
//! transaction removes the bodies of a replaced part, because only the writer that replaces it knows that nothing
//! refers to them. Submitting closes the send for parts. After that it is accepted like any other send, and no body is
//! removed.
//!
//! A request that died may leave bodies that nothing refers to. They are removed when the send is discarded, or expire
//! with it.

use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{JobStatus, KindCount, PerKind, Reason, ReasonCode, RecordKind, SendStatus};
use uuid::Uuid;

use crate::content::SendContent;
use crate::contention::Contention;
use crate::error::{HistoryError, WriteError};
use crate::item::{Job, SendHeader, Upload};
use crate::key::{Key, PartBody, SendRef};
use crate::packed::{Body, packed_keys};
use crate::read::StoredSend;
use crate::store::{History, LARGEST_TRANSACTION, at_once};
use crate::terms::SendTerms;
use crate::write::Write;
use stafett_domain::time::Millis;

/// The maximum number of bodies that one transaction removes besides its two other writes. A part of 4 MB has about 25
/// bodies.
const REMOVED_AT_ONCE: usize = LARGEST_TRANSACTION - 2;
/// The number of parts to list at the same time.
const PARTS_AT_ONCE: usize = 100;

/// A part before it is stored.
pub struct NewPart<F> {
    /// The part number, from 1.
    pub part: u32,
    pub batches: PerKind<Vec<Body<F>>>,
    /// The number of findings of each kind.
    pub findings: Vec<KindCount>,
}

/// The result of storing a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The part is stored and has replaced any earlier part with its number.
    Yes,
    /// The send was submitted and takes no more parts.
    Submitted,
    /// The send was cancelled.
    Cancelled,
    /// The send does not exist.
    NotFound,
}

/// The result of closing a send for parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// The send is closed.
    Yes,
    /// A part arrived meanwhile, or another request closed the send.
    Moved,
}

/// A stored part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// The part number, from 1.
    pub part: u32,
    /// The request that stored it. A request that replaces the part recognises it by this id.
    pub request: Uuid,
    pub batches: PerKind<Vec<PartBatch>>,
    /// The number of findings of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<KindCount>,
    /// When the item expires, in seconds since 1970. The same as on the send.
    pub expires: i64,
}

/// Notes that bodies of a part may exist, even without the part. It is written first.
#[derive(Serialize)]
struct Begun {
    expires: i64,
}

/// A batch that arrived with a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartBatch {
    /// See [`PartBody::name`].
    pub name: String,
    pub records: u32,
    /// The number of items of its body.
    pub items: usize,
}

impl StoredPart {
    /// The number of records of each kind.
    pub fn records(&self) -> PerKind<u32> {
        self.batches.as_ref().map(|batches| batches.iter().map(|batch| batch.records).sum())
    }

    /// The keys of its bodies.
    fn bodies(&self, send: &SendRef) -> Vec<Key> {
        let key = |batch: &PartBatch| send.part_body(&PartBody { part: self.part, name: batch.name.clone() });
        let batches = self.batches.values().flatten();
        batches.flat_map(|batch| packed_keys(&key(batch), batch.items).collect::<Vec<_>>()).collect()
    }
}

/// A send that arrives in parts, with its parts.
#[derive(Debug)]
pub struct UploadParts {
    pub header: SendHeader,
    /// The state of the upload.
    pub upload: Upload,
    /// Its parts, by number.
    pub parts: Vec<StoredPart>,
}

impl History {
    /// Opens a send for parts. The call can be repeated. A send that is not accepted by `discard_at` is removed.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn open_upload(
        &self,
        send: &SendRef,
        terms: &SendTerms,
        now: Timestamp,
        discard_at: Millis,
    ) -> Result<(), HistoryError> {
        let header = SendHeader {
            upload: Some(Upload::default()),
            ..SendHeader::receiving(send, terms, now, discard_at)
        };
        self.write(Write::put(send.header(), &header)?.when("attribute_not_exists(#pk)")).await?;
        Ok(())
    }

    /// Stores a part. A repeat replaces the first one.
    ///
    /// # Errors
    /// [`HistoryError`]; the caller can send the part again.
    pub async fn put_part<F: Serialize>(
        &self,
        send: &SendRef,
        new: NewPart<F>,
    ) -> Result<Stored, HistoryError> {
        let Some((header, upload)) = self.upload_header(send).await? else { return Ok(Stored::NotFound) };
        if let Some(closed) = closed(&header, &upload) {
            return Ok(closed);
        }
        let mut part = StoredPart {
            part: new.part,
            request: Uuid::new_v4(),
            batches: PerKind::default(),
            findings: new.findings,
            expires: header.expires,
        };
        let begun = Begun { expires: header.expires };
        let first = Write::put(send.part_begun(new.part), &begun)?.when("attribute_not_exists(#pk)");
        let first = self.write(first).await?;
        for (stage, bodies) in new.batches {
            part.batches[stage] =
                self.put_part_bodies(send, (part.part, part.request), stage, &bodies, part.expires).await?;
        }
        let stored = self.point_at(send, &part, first).await?;
        if stored != Stored::Yes {
            // Nothing refers to these bodies, and nothing will: a closed send never opens again.
            for key in part.bodies(send) {
                self.delete(&key).await?;
            }
        }
        Ok(stored)
    }

    async fn put_part_bodies<F: Serialize>(
        &self,
        send: &SendRef,
        (part, request): (u32, Uuid),
        stage: RecordKind,
        bodies: &[Body<F>],
        expires: i64,
    ) -> Result<Vec<PartBatch>, HistoryError> {
        let writes = bodies.iter().enumerate().map(async |(number, body)| {
            let name = format!("{}#{number:03}#{}", stage.code(), request.simple());
            let records = u32::try_from(body.facts.len()).unwrap_or(u32::MAX);
            let at = PartBody { part, name };
            let items = self.put_part_body(send, &at, body, expires).await?;
            Ok(PartBatch { name: at.name, records, items })
        });
        at_once(writes.collect()).await
    }

    /// Replaces the stored part with a part whose bodies are written, and removes the old bodies.
    ///
    /// `first`: no request has begun to store a part with that number before.
    async fn point_at(&self, send: &SendRef, part: &StoredPart, first: bool) -> Result<Stored, HistoryError> {
        let key = send.upload(part.part);
        let mut contention = Contention::default();
        loop {
            let old: Option<StoredPart> =
                if first && contention.is_first() { None } else { self.get(&key).await? };
            // The answer was lost: the retry finds the result of the first call.
            if old.as_ref().is_some_and(|old| old.request == part.request) {
                return Ok(Stored::Yes);
            }
            let open = Write::update(send.header(), "SET #upload.#rev = #upload.#rev + :one")
                .when(
                    "#status = :receiving AND attribute_not_exists(#discarded) \
                     AND attribute_not_exists(#upload.#submitted)",
                )
                .with("one", 1)?
                .with("receiving", SendStatus::Receiving)?;
            let put = Write::put(key.clone(), part)?;
            let put = match &old {
                None => put.when("attribute_not_exists(#pk)"),
                Some(old) => put.when("#request = :old").with("old", old.request)?,
            };
            let bodies = old.map(|old| old.bodies(send)).unwrap_or_default();
            let removals = bodies.into_iter().take(REMOVED_AT_ONCE).map(Write::delete);
            match self.transact([open, put].into_iter().chain(removals).collect()).await {
                Ok(()) => return Ok(Stored::Yes),
                Err(WriteError::Condition(_)) => {}
                Err(WriteError::History(error)) => return Err(error),
            }
            // Another request has replaced it, or the send takes no more parts.
            let now: Option<StoredPart> = self.get(&key).await?;
            if now.is_some_and(|now| now.request == part.request) {
                return Ok(Stored::Yes);
            }
            let Some((header, upload)) = self.upload_header(send).await? else { return Ok(Stored::NotFound) };
            if let Some(closed) = closed(&header, &upload) {
                return Ok(closed);
            }
            contention.met_another().await?;
        }
    }

    /// Returns a send that arrives in parts, with its parts. `None` if there is no such send.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn upload(&self, send: &SendRef) -> Result<Option<UploadParts>, HistoryError> {
        let Some((header, upload)) = self.upload_header(send).await? else { return Ok(None) };
        Ok(Some(UploadParts { header, upload, parts: self.parts(send).await? }))
    }

    async fn parts(&self, send: &SendRef) -> Result<Vec<StoredPart>, HistoryError> {
        let parts = self.query_all(send.header().pk, SendRef::upload_prefix(), None, PARTS_AT_ONCE);
        parts.map_ok(|(_, part)| part).try_collect().await
    }

    /// Closes a send for parts, on condition that no part has arrived since `rev`.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn seal_upload<F>(
        &self,
        send: &SendRef,
        rev: u64,
        parts: u32,
        content: &SendContent<F>,
    ) -> Result<Sealed, HistoryError> {
        let expression = "SET #upload.#submitted = :parts, #activityCount = :activities, #batches = :batches";
        let write = Write::update(send.header(), expression)
            .when("#status = :receiving AND #upload.#rev = :rev AND attribute_not_exists(#discarded)")
            .with("parts", parts)?
            .with("activities", content.activities.len())?
            .with("batches", content.batches())?
            .with("rev", rev)?
            .with("receiving", SendStatus::Receiving)?;
        Ok(if self.write(write).await? { Sealed::Yes } else { Sealed::Moved })
    }

    /// Returns a send that arrives in parts, without the parts. `None` if there is no such send, or it is being
    /// removed.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn upload_header(&self, send: &SendRef) -> Result<Option<(SendHeader, Upload)>, HistoryError> {
        let header: Option<SendHeader> = self.get(&send.header()).await?;
        Ok(header.filter(|header| !header.discarded).and_then(|header| {
            let upload = header.upload.clone()?;
            Some((header, upload))
        }))
    }
}

/// Why a send takes no parts. `None` if it does.
fn closed(header: &SendHeader, upload: &Upload) -> Option<Stored> {
    if header.was_accepted() || upload.submitted.is_some() && header.is_open() {
        return Some(Stored::Submitted);
    }
    (!header.is_open()).then_some(Stored::Cancelled)
}

impl UploadParts {
    /// Builds a send that was not accepted from its parts. A cancelled send has no content left.
    pub fn into_send(self) -> StoredSend {
        let Self { mut header, mut parts, .. } = self;
        let cancelled = header.status == SendStatus::Cancelled;
        if cancelled {
            parts.clear();
        }
        let jobs = header.route.kinds().map(|stage| {
            let batches = || parts.iter().flat_map(|part| &part.batches[stage]);
            let total = batches().map(|batch| batch.records).sum();
            let count = u32::try_from(batches().count()).unwrap_or(u32::MAX);
            let job = Job::waiting(stage, total, count, header.expires);
            let reason = Some(Reason::new(ReasonCode::Cancelled));
            if cancelled { Job { status: JobStatus::NotStarted, reason, ..job } } else { job }
        });
        let jobs: Vec<_> = jobs.collect();
        let activities = jobs.iter().find(|job| job.stage == RecordKind::Activity);
        header.activity_count = activities.map_or(0, |job| job.counts.total);
        let findings = parts.into_iter().flat_map(|part| part.findings).collect();
        StoredSend { header, jobs, activities: Vec::new(), findings, not_checked: Vec::new() }
    }
}
