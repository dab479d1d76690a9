//! A send that comes in parts. Each part is packed into the bodies of its batches when it comes, written once; what
//! says which bodies those are is written last, in a transaction on the send still being open for parts. Submitting
//! closes it for parts; from there on it is accepted as any other send.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::{KindCount, Options, SendStatus, StageName};

use super::item::{Due, Millis, PartBody, SendHeader, Upload};
use super::key::{Carrier, Key, SendRef};
use super::packed::Body;
use super::store::{History, HistoryError, Write, WriteError};

/// Bodies of a part that are written, or removed, at the same time.
const AT_ONCE: usize = 8;
/// Parts that are listed at the same time.
const PARTS_AT_ONCE: usize = 100;

/// A send to be opened for parts.
pub struct NewUpload {
    /// Who asked for it: the token's `sub`.
    pub requested_by: String,
    /// What the sender chose.
    pub options: Options,
    /// How long it is kept.
    pub retention_days: u32,
    /// The days that the organiser's certificate has left, where those are few.
    pub certificate_days_left: Option<i64>,
    /// How long it may take until it is accepted.
    pub open_for: Duration,
}

/// A part to be stored.
pub struct NewPart<F> {
    /// From 1.
    pub part: u32,
    /// Its batches, by stage.
    pub stages: [Vec<Body<F>>; 4],
    /// What was found in it, in numbers.
    pub findings: Vec<KindCount>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is there; an earlier one of that number is not any more.
    Yes,
    /// The send was submitted: it takes no parts.
    Submitted,
    /// There is no such send.
    NotFound,
}

/// What became of closing a send for parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// It is closed, with so many parts.
    Yes,
    /// A part came meanwhile, or somebody else closed it.
    Moved,
}

/// A part, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// From 1.
    pub part: u32,
    /// Its batches, by stage.
    pub stages: [Vec<PartBatch>; 4],
    /// What was found in it, in numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<KindCount>,
    /// See the send's.
    pub expires: i64,
}

/// Says that bodies of a part may be there. To look for them is to pay for reading them all, which nearly no part needs.
#[derive(Serialize)]
struct Begun {
    expires: i64,
}

/// A batch that came with a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartBatch {
    /// See [`PartBody::name`].
    pub name: String,
    /// How many records.
    pub records: u32,
}

/// A send that comes in parts, and these.
#[derive(Debug)]
pub struct UploadParts {
    /// The send.
    pub header: SendHeader,
    /// How it stands with its parts.
    pub upload: Upload,
    /// Its parts, by number.
    pub parts: Vec<StoredPart>,
}

impl History {
    /// Opens a send for parts. Can be repeated.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn open_upload(
        &self,
        send: &SendRef,
        new: &NewUpload,
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let header = SendHeader {
            upload: Some(Upload::default()),
            certificate_days_left: new.certificate_days_left,
            due: Due::at((now + new.open_for).as_millisecond(), send),
            ..SendHeader::receiving(send, new.requested_by.clone(), new.options, now, new.retention_days)
        };
        self.write(Write::put(send.header(), &header)?.when("attribute_not_exists(#pk)")).await?;
        Ok(())
    }

    /// What the sender of a send that comes in parts chose; none where there is no such send.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn upload_options(&self, send: &SendRef) -> Result<Option<Options>, HistoryError> {
        Ok(self.upload_header(send).await?.map(|(header, _)| header.options))
    }

    /// Stores a part; a repeat with other records takes the place of the first.
    ///
    /// `name_of` names a body by its content, so that the same part is stored in the same places.
    ///
    /// # Errors
    /// [`HistoryError`]; the part can be sent again.
    pub async fn put_part<F: Serialize>(
        &self,
        send: &SendRef,
        new: NewPart<F>,
        name_of: impl Fn(&str) -> String,
    ) -> Result<Stored, HistoryError> {
        let Some((header, upload)) = self.upload_header(send).await? else { return Ok(Stored::NotFound) };
        if header.status != SendStatus::Receiving || upload.submitted.is_some() {
            return Ok(Stored::Submitted);
        }
        let mut stored = StoredPart {
            part: new.part,
            stages: Default::default(),
            findings: new.findings,
            expires: header.expires,
        };
        let begun = Begun { expires: header.expires };
        let first = Write::put(send.part_begun(new.part), &begun)?.when("attribute_not_exists(#pk)");
        let first = self.write(first).await?;
        for ((stage, bodies), batches) in StageName::ORDER.into_iter().zip(new.stages).zip(&mut stored.stages)
        {
            for (number, body) in bodies.iter().enumerate() {
                let name = format!("{}#{number:03}#{}", stage.index(), name_of(&body.body));
                let records = u32::try_from(body.facts.len()).unwrap_or(u32::MAX);
                batches.push(PartBatch { name, records });
            }
            let named: Vec<_> = batches.iter().zip(bodies).collect();
            for chunk in named.chunks(AT_ONCE) {
                let writes = chunk.iter().map(async |(batch, body)| {
                    let at = PartBody { part: new.part, name: batch.name.clone() };
                    self.put_part_body(send, &at, body, header.expires).await
                });
                futures::future::try_join_all(writes).await?;
            }
        }
        let open = Write::update(send.header(), "SET #upload.#rev = #upload.#rev + :one")
            .when(
                "#status = :receiving AND #upload.#discarded = :no AND attribute_not_exists(#upload.#submitted)",
            )
            .with("one", 1)?
            .with("no", false)?
            .with("receiving", SendStatus::Receiving)?;
        match self.transact(vec![open, Write::put(send.upload(new.part), &stored)?]).await {
            Ok(()) => {}
            Err(WriteError::Condition(_)) => return Ok(Stored::Submitted),
            Err(WriteError::History(error)) => return Err(error),
        }
        if first {
            return Ok(Stored::Yes);
        }
        // What an earlier one of that number left, or one that never came to its end.
        let kept: HashSet<&str> = stored.stages.iter().flatten().map(|batch| batch.name.as_str()).collect();
        self.remove_bodies(send, new.part, |name| !kept.contains(name)).await?;
        Ok(Stored::Yes)
    }

    /// A send that comes in parts, with those that it has; none where there is no such send.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn upload(&self, send: &SendRef) -> Result<Option<UploadParts>, HistoryError> {
        let Some((header, upload)) = self.upload_header(send).await? else { return Ok(None) };
        Ok(Some(UploadParts { header, upload, parts: self.parts(send).await? }))
    }

    async fn parts(&self, send: &SendRef) -> Result<Vec<StoredPart>, HistoryError> {
        let (mut parts, mut after): (Vec<StoredPart>, _) = (Vec::new(), None::<String>);
        loop {
            let pk = send.header().pk;
            let page: Vec<(String, StoredPart)> =
                self.query(&pk, SendRef::upload_prefix(), after.as_deref(), true, PARTS_AT_ONCE).await?;
            let last = page.len() < PARTS_AT_ONCE;
            after = page.last().map(|(sk, _)| sk.clone());
            parts.extend(page.into_iter().map(|(_, part)| part));
            if last {
                return Ok(parts);
            }
        }
    }

    /// Closes a send for parts, on condition that none has come since `rev`.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn seal_upload(
        &self,
        send: &SendRef,
        rev: u64,
        parts: u32,
        activity_count: u32,
    ) -> Result<Sealed, HistoryError> {
        let write =
            Write::update(send.header(), "SET #upload.#submitted = :parts, #activityCount = :activities")
                .when("#status = :receiving AND #upload.#rev = :rev AND #upload.#discarded = :no")
                .with("parts", parts)?
                .with("activities", activity_count)?
                .with("rev", rev)?
                .with("no", false)?
                .with("receiving", SendStatus::Receiving)?;
        Ok(if self.write(write).await? { Sealed::Yes } else { Sealed::Moved })
    }

    /// Removes a send that was not accepted in time, with all its parts. Can be repeated from any point.
    pub(super) async fn discard_upload(
        &self,
        send: &SendRef,
        now: Millis,
        again_at: Millis,
    ) -> Result<(), HistoryError> {
        let Some(header) = self.get::<SendHeader>(&send.header()).await? else { return Ok(()) };
        if header.due.due_at.is_none_or(|due| due > now) {
            return Ok(());
        }
        let close = Write::update(send.header(), "SET #upload.#discarded = :yes, #dueAt = :again")
            .when("#status = :receiving")
            .with("yes", true)?
            .with("again", again_at)?
            .with("receiving", SendStatus::Receiving)?;
        if !self.write(close).await? {
            return Ok(());
        }
        tracing::warn!(
            event = "upload.discarded", send = %send.send, organisation = %send.organisation,
            "a send that was never submitted is removed"
        );
        for part in self.parts(send).await? {
            self.remove_bodies(send, part.part, |_| true).await?;
            self.delete(&send.upload(part.part)).await?;
        }
        self.remove_rest(send).await?;
        self.delete(&send.header()).await
    }

    /// What a submit that was never finished has left: jobs, batches with what their rows show, lists of ids and of
    /// activities.
    async fn remove_rest(&self, send: &SendRef) -> Result<(), HistoryError> {
        let Key { pk, sk: header } = send.header();
        for sk in self.sort_keys(&pk).await?.into_iter().filter(|sk| *sk != header) {
            let key = Key { pk: pk.clone(), sk };
            if let Some(Carrier::Batch(_, stage, batch)) = Carrier::of(&key) {
                self.delete(&send.facts(stage, batch)).await?;
            }
            self.delete(&key).await?;
        }
        for Key { pk, .. } in [send.ids(0), send.all_activities()] {
            for sk in self.sort_keys(&pk).await? {
                self.delete(&Key { pk: pk.clone(), sk }).await?;
            }
        }
        Ok(())
    }

    async fn upload_header(&self, send: &SendRef) -> Result<Option<(SendHeader, Upload)>, HistoryError> {
        let header: Option<SendHeader> = self.get(&send.header()).await?;
        Ok(header.and_then(|header| {
            let upload = header.upload.clone().filter(|upload| !upload.discarded)?;
            Some((header, upload))
        }))
    }

    async fn remove_bodies(
        &self,
        send: &SendRef,
        part: u32,
        unwanted: impl Fn(&str) -> bool,
    ) -> Result<(), HistoryError> {
        let pk = send.part(part);
        let names = self.sort_keys(&pk).await?;
        // A body that goes on in further items has their number behind its name.
        let unwanted: Vec<_> =
            names.iter().filter(|name| unwanted(name.split('~').next().unwrap_or(name))).collect();
        for chunk in unwanted.chunks(AT_ONCE) {
            let removals = chunk
                .iter()
                .map(async |name| self.delete(&Key { pk: pk.clone(), sk: (*name).clone() }).await);
            futures::future::try_join_all(removals).await?;
        }
        Ok(())
    }
}
