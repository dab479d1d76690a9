//! The keys of all items in the history. Every look-up begins with the organiser.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | organiser | `org#{o}` | `organiser` |
//! | last dealings with the authorization server | `org#{o}` | `authorization#{environment}` |
//! | place in the order of acceptance | `org#{o}` | `seq#{seq}` |
//! | idempotency key | `org#{o}#idem#{hash}` | `idem` |
//! | send | `send#{o}#{s}` | `send` |
//! | the send's first activities | `send#{o}#{s}` | `send#activities` |
//! | all activities of a send that has more | `large#{o}#{s}#activities` | `all` |
//! | which catalogue of activities holds | `org#{o}` | `catalogue` |
//! | a catalogue of activities | `org#{o}#activities` | `{version}` |
//! | job | `send#{o}#{s}` | `send#job#{stage}` |
//! | batch | `send#{o}#{s}` | `stage#{stage}#batch#{b}` |
//! | attempt | `send#{o}#{s}` | `stage#{stage}#attempt#{b}.{t}.{n}`, a token's between that of `n` - 1 and that of `n` |
//! | ids of a send's records | `large#{o}#{s}#ids` | `part#{i}` |
//! | a job's records that were not accepted | `large#{o}#{s}#refused` | `stage#{stage}` |
//! | part of a send that comes in parts | `send#{o}#{s}` | `upload#{part}` |
//! | that such a part has begun to be stored | `send#{o}#{s}` | `begun#{part}` |
//! | bodies that came with a part | `large#{o}#{s}#part#{part}` | `{stage}#{i}#{request}` |
//! | what a batch's rows show from other parts | `large#{o}#{s}#{stage}#{b}` | `facts` |
//! | body of a batch | `large#{o}#{s}#{stage}#{b}` | `body` |
//! | final answer of an attempt | `large#{o}#{s}#{stage}#{b}` | `answer#{b}.{t}.{n}` |
//! | a batch's errors and warnings | `large#{o}#{s}#{stage}#{b}` | `issues#{b}.{t}.{n}` |
//! | limiter | `limiter#{name}` | `limiter` |
//!
//! A stage is stored as its place in the order, and numbers are padded, so that keys sort in the right order. A large
//! item that does not fit into one item continues under the same key with the suffix `~1`, `~2` ….

use serde::{Deserialize, Serialize};
use stafett_domain::{AttemptId, BatchId, Environment, OrganisationNumber, RecordKind, SendId};

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

/// The meaning of a step's key: the kinds of items that can have a `dueAt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// An organiser with a running send.
    Organiser(OrganisationNumber),
    /// A send that was not accepted yet.
    Receiving(SendRef),
    /// A job whose start is due.
    Job(JobKey),
    /// A batch whose next step is due.
    Batch(JobKey, BatchId),
}

/// A send. It can only be found through its organiser.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SendRef {
    pub organisation: OrganisationNumber,
    pub send: SendId,
}

/// A job. It can only be found through its send.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobKey {
    pub send: SendRef,
    /// The kind of its records.
    pub stage: RecordKind,
}

/// Where the body of a batch that arrived with a part is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartBody {
    /// The part's number.
    pub part: u32,
    /// Its key in the part. It contains the id of the request that wrote it, so no two requests write the same body.
    pub name: String,
}

pub(crate) const SEND_PREFIX: &str = "send";
pub(crate) const ORDER_PREFIX: &str = "seq#";
const BEGUN_PREFIX: &str = "begun#";

pub(crate) fn organiser(organisation: &OrganisationNumber) -> Key {
    Key { pk: format!("org#{organisation}"), sk: "organiser".to_owned() }
}

pub(crate) fn authorization(organisation: &OrganisationNumber, environment: Environment) -> Key {
    Key { pk: format!("org#{organisation}"), sk: format!("authorization#{environment}") }
}

pub(crate) fn order(organisation: &OrganisationNumber, seq: u64) -> Key {
    Key { pk: format!("org#{organisation}"), sk: format!("{ORDER_PREFIX}{seq:012}") }
}

pub(crate) fn catalogue(organisation: &OrganisationNumber) -> Key {
    Key { pk: format!("org#{organisation}"), sk: "catalogue".to_owned() }
}

pub(crate) fn catalogue_of(organisation: &OrganisationNumber, version: uuid::Uuid) -> Key {
    Key { pk: format!("org#{organisation}#activities"), sk: version.to_string() }
}

pub(crate) fn idempotency(organisation: &OrganisationNumber, hash: &str) -> Key {
    Key { pk: format!("org#{organisation}#idem#{hash}"), sk: "idem".to_owned() }
}

pub(crate) fn limiter(name: &str) -> Key {
    Key { pk: format!("limiter#{name}"), sk: "limiter".to_owned() }
}

/// Sorts in the order of the calls. A step's token is requested before its own call, so token requests sort after the
/// previous step. Those of the first step sort before all steps of the try (`.` is less than any digit).
fn padded(attempt: AttemptId) -> String {
    let AttemptId { batch: BatchId(batch), attempt_try, n, token_request } = attempt;
    match (token_request, n.checked_sub(1)) {
        (None, _) => format!("{batch:05}.{attempt_try:03}.{n:05}"),
        (Some(request), Some(before)) => format!("{batch:05}.{attempt_try:03}.{before:05}.{request:03}"),
        (Some(request), None) => format!("{batch:05}.{attempt_try:03}..{request:03}"),
    }
}

impl SendRef {
    /// The send with this id of this organiser.
    pub fn new(organisation: OrganisationNumber, send: SendId) -> Self {
        Self { organisation, send }
    }

    /// The send's job for this kind of records.
    pub fn job(&self, stage: RecordKind) -> JobKey {
        JobKey { send: self.clone(), stage }
    }

    fn small(&self, sk: String) -> Key {
        Key { pk: format!("send#{}#{}", self.organisation, self.send), sk }
    }

    pub(crate) fn header(&self) -> Key {
        self.small(SEND_PREFIX.to_owned())
    }

    pub(crate) fn activities(&self) -> Key {
        self.small(format!("{SEND_PREFIX}#activities"))
    }

    pub(crate) fn all_activities(&self) -> Key {
        let Self { organisation, send } = self;
        Key { pk: format!("large#{organisation}#{send}#activities"), sk: "all".to_owned() }
    }

    pub(crate) fn ids(&self, part: usize) -> Key {
        let Self { organisation, send } = self;
        Key { pk: format!("large#{organisation}#{send}#ids"), sk: format!("part#{part:03}") }
    }

    pub(crate) fn upload_prefix() -> &'static str {
        "upload#"
    }

    pub(crate) fn upload(&self, part: u32) -> Key {
        self.small(format!("{}{part:05}", Self::upload_prefix()))
    }

    pub(crate) fn part_begun(&self, part: u32) -> Key {
        self.small(format!("{BEGUN_PREFIX}{part:05}"))
    }

    /// The part number in the sort key that notes that a part has begun to be stored.
    pub(crate) fn begun_part(sk: &str) -> Option<u32> {
        sk.strip_prefix(BEGUN_PREFIX)?.parse().ok()
    }

    /// The partition of a part's bodies.
    pub(crate) fn part(&self, part: u32) -> String {
        format!("large#{}#{}#part#{part:05}", self.organisation, self.send)
    }

    pub(crate) fn part_body(&self, body: &PartBody) -> Key {
        Key { pk: self.part(body.part), sk: body.name.clone() }
    }

    /// The index shard, one of four, that contains this send's steps.
    pub(crate) fn shard(&self) -> String {
        shard(self.send.0.as_u128())
    }
}

impl JobKey {
    pub(crate) fn key(&self) -> Key {
        self.send.small(format!("{SEND_PREFIX}#job#{}", self.stage.code()))
    }

    pub(crate) fn batch_prefix(&self) -> String {
        format!("stage#{}#batch#", self.stage.code())
    }

    pub(crate) fn batch(&self, batch: BatchId) -> Key {
        self.send.small(format!("{}{:05}", self.batch_prefix(), batch.0))
    }

    pub(crate) fn attempt_prefix(&self) -> String {
        format!("stage#{}#attempt#", self.stage.code())
    }

    pub(crate) fn attempt(&self, attempt: AttemptId) -> Key {
        self.send.small(format!("{}{}", self.attempt_prefix(), padded(attempt)))
    }

    pub(crate) fn refused(&self) -> Key {
        let SendRef { organisation, send } = &self.send;
        Key { pk: format!("large#{organisation}#{send}#refused"), sk: format!("stage#{}", self.stage.code()) }
    }

    /// The partition of a batch's large items.
    pub(crate) fn batch_contents(&self, batch: BatchId) -> String {
        let SendRef { organisation, send } = &self.send;
        format!("large#{organisation}#{send}#{}#{:05}", self.stage.code(), batch.0)
    }

    fn large(&self, batch: BatchId, sk: String) -> Key {
        Key { pk: self.batch_contents(batch), sk }
    }

    pub(crate) fn facts(&self, batch: BatchId) -> Key {
        self.large(batch, "facts".to_owned())
    }

    pub(crate) fn body(&self, batch: BatchId) -> Key {
        self.large(batch, "body".to_owned())
    }

    pub(crate) fn answer(&self, attempt: AttemptId) -> Key {
        self.large(attempt.batch, format!("answer#{}", padded(attempt)))
    }

    pub(crate) fn issues(&self, attempt: AttemptId) -> Key {
        self.large(attempt.batch, format!("issues#{}", padded(attempt)))
    }
}

/// The index shard, one of four, that contains this organiser.
pub(crate) fn organiser_shard(organisation: &OrganisationNumber) -> String {
    shard(organisation.as_str().bytes().map(u128::from).sum())
}

/// The number of shards of the index over `dueAt`: enough to spread the writes over partitions, few enough to query
/// all.
pub(crate) const SHARDS: u128 = 4;

fn shard(number: u128) -> String {
    (number % SHARDS).to_string()
}

impl Carrier {
    /// Parses a key. Returns `None` for a key without steps.
    pub fn of(key: &Key) -> Option<Self> {
        if let Some(organisation) = key.pk.strip_prefix("org#") {
            return (key.sk == "organiser").then(|| organisation.parse().ok().map(Self::Organiser))?;
        }
        let (organisation, send) = key.pk.strip_prefix("send#")?.split_once('#')?;
        let send = SendRef::new(organisation.parse().ok()?, send.parse().ok()?);
        if key.sk == SEND_PREFIX {
            return Some(Self::Receiving(send));
        }
        let stage_at = |text: &str| RecordKind::of_code(text.parse().ok()?);
        if let Some(stage) = key.sk.strip_prefix("send#job#") {
            return Some(Self::Job(send.job(stage_at(stage)?)));
        }
        let (stage, batch) = key.sk.strip_prefix("stage#")?.split_once("#batch#")?;
        Some(Self::Batch(send.job(stage_at(stage)?), BatchId(batch.parse().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::*;

    #[test]
    fn the_keys_of_steps_read_back() {
        let organisation: OrganisationNumber = "5567044268".parse().unwrap();
        let send =
            SendRef::new(organisation.clone(), "0190a1b2-0000-7000-8000-000000000000".parse().unwrap());
        for stage in RecordKind::ALL {
            let job = send.job(stage);
            assert_eq!(Carrier::of(&job.key()), Some(Carrier::Job(job.clone())));
            for batch in [0, 7, 99_999, 123_456].map(BatchId) {
                let carrier = Carrier::Batch(job.clone(), batch);
                assert_eq!(Carrier::of(&job.batch(batch)), Some(carrier));
            }
        }
        assert_eq!(
            Carrier::of(&super::organiser(&organisation)),
            Some(Carrier::Organiser(organisation.clone()))
        );
        assert_eq!(Carrier::of(&send.header()), Some(Carrier::Receiving(send.clone())));
        assert_eq!(SendRef::begun_part(&send.part_begun(12).sk), Some(12));
        assert_eq!(SendRef::begun_part(&send.upload(12).sk), None);
        let attempt = AttemptId { batch: BatchId(1), attempt_try: 1, n: 2, token_request: None };
        for key in [
            send.activities(),
            send.all_activities(),
            catalogue(&organisation),
            catalogue_of(&organisation, uuid::Uuid::from_u128(7)),
            send.upload(1),
            send.part_begun(1),
            send.part_body(&PartBody { part: 1, name: "1#000#ab".to_owned() }),
            send.job(RecordKind::Person).facts(BatchId(0)),
            send.ids(0),
            send.job(RecordKind::Person).body(BatchId(0)),
            send.job(RecordKind::Person).attempt(attempt),
            order(&organisation, 3),
            idempotency(&organisation, "abc"),
            limiter("bulk"),
        ] {
            assert_eq!(Carrier::of(&key), None, "{key:?}");
        }
    }

    #[test]
    fn no_two_things_share_a_key() {
        let send = SendRef::new(
            "5567044268".parse().unwrap(),
            "0190a1b2-0000-7000-8000-000000000000".parse().unwrap(),
        );
        let mut keys =
            vec![send.header(), send.activities(), send.all_activities(), send.ids(0), send.ids(1)];
        keys.extend([send.upload(0), send.upload(1), send.part_begun(0), send.part_begun(1)]);
        for stage in RecordKind::ALL {
            let job = send.job(stage);
            keys.extend([job.key(), job.refused()]);
            for batch in [BatchId(0), BatchId(1), BatchId(10)] {
                keys.extend([job.batch(batch), job.body(batch), job.facts(batch)]);
                for (attempt_try, n) in [(1, 0), (1, 1), (2, 0)] {
                    let attempt = AttemptId { batch, attempt_try, n, token_request: None };
                    let request = AttemptId { token_request: NonZeroU8::new(1), ..attempt };
                    keys.extend([
                        job.attempt(attempt),
                        job.attempt(request),
                        job.answer(attempt),
                        job.issues(attempt),
                    ]);
                }
            }
        }
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let send = SendRef::new("5567044268".parse().unwrap(), SendId(uuid::Uuid::nil()));
        let batch = |number| send.job(RecordKind::Person).batch(BatchId(number)).sk;
        assert!(batch(2) < batch(10) && batch(99) < batch(100));
        let organisation = "5567044268".parse().unwrap();
        assert!(order(&organisation, 9).sk < order(&organisation, 10).sk);
    }

    #[test]
    fn attempts_sort_as_they_were_made() {
        let send = SendRef::new("5567044268".parse().unwrap(), SendId(uuid::Uuid::nil()));
        let made =
            ["0.1.9", "0.2.0.t1", "0.2.0.t2", "0.2.0", "0.2.1", "0.2.2.t1", "0.2.2", "0.2.10", "1.1.0.t1"];
        let keys = made.map(|attempt| send.job(RecordKind::Person).attempt(attempt.parse().unwrap()).sk);
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
