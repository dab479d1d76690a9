//! Ids are types: a send's id cannot stand where a record's belongs.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A text that is not the id it should be. Names the kind, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(pub &'static str);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        #[serde(transparent)]
        $(#[$doc])*
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId($kind))
            }
        }
    };
}

uuid_id!(
    /// One press of the button. A UUIDv7, so that ids sort by the time they were made.
    #[schemars(description = "The id of a send.")]
    SendId,
    "send id"
);
uuid_id!(
    /// An SS 12000 object: person, duty, group or activity. One namespace over all four (domain rule 1).
    #[schemars(description = "The id of a person, duty, group or activity.")]
    RecordId,
    "record id"
);
uuid_id!(
    /// Skolverket's id of an asynchronous bulk job.
    SkolverketJobId,
    "job id"
);
uuid_id!(
    /// Who holds a step. Random for every claim.
    ClaimId,
    "claim id"
);

impl RecordId {
    /// Eight bytes that stand for this record in a send's packed list of ids.
    pub fn hash8(&self) -> [u8; 8] {
        let digest = Sha256::digest(self.0.as_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        head
    }

    /// The same eight bytes as a number: enough of an id to distinguish the records of one send.
    pub(crate) fn hash64(self) -> u64 {
        u64::from_be_bytes(self.hash8())
    }
}

/// A batch of a job, numbered from 0 in the order in which its records were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub u32);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One HTTP call for a batch: batch `b`, try `t` of it, step `n` within the try. Written `b.t.n`; a request for a token
/// that was made for that step before its own call, the `k`-th, is written `b.t.n.tk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, example = "0.1.0", example = "0.1.0.t1")]
#[serde(try_from = "String", into = "String")]
pub struct AttemptId {
    /// The batch.
    pub batch: BatchId,
    /// Which try of the batch, from 1.
    pub attempt_try: u32,
    /// Which step of the try, from 0.
    pub n: u32,
    /// Which of the step's requests for a token, from 1; none for the step's own call.
    pub token_request: Option<NonZeroU8>,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.batch, self.attempt_try, self.n)?;
        self.token_request.map_or(Ok(()), |request| write!(f, ".t{request}"))
    }
}

impl FromStr for AttemptId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId("attempt");
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse::<u32>().map_err(|_| invalid) } else { Err(invalid) }
        };
        let (step, token_request) = match text.split_once(".t") {
            Some((step, request)) => {
                let request = u8::try_from(number(request)?).ok().and_then(NonZeroU8::new);
                (step, Some(request.ok_or(invalid)?))
            }
            None => (text, None),
        };
        let mut parts = step.split('.').map(number);
        let mut next = || parts.next().unwrap_or(Err(invalid));
        let attempt = Self { batch: BatchId(next()?), attempt_try: next()?, n: next()?, token_request };
        if parts.next().is_some() { Err(invalid) } else { Ok(attempt) }
    }
}

impl TryFrom<String> for AttemptId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<AttemptId> for String {
    fn from(attempt: AttemptId) -> Self {
        attempt.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_reads_back_as_it_was_written() {
        let attempt = AttemptId { batch: BatchId(3), attempt_try: 1, n: 12, token_request: None };
        assert_eq!(attempt.to_string(), "3.1.12");
        assert_eq!("3.1.12".parse(), Ok(attempt));
        let request = AttemptId { token_request: NonZeroU8::new(2), ..attempt };
        assert_eq!(request.to_string(), "3.1.12.t2");
        assert_eq!("3.1.12.t2".parse(), Ok(request));
        for wrong in [
            "",
            "3",
            "3.1",
            "3.1.",
            "3.1.2.4",
            "a.1.2",
            "+3.1.2",
            "-1.1.1",
            "3.1.2.t",
            "3.1.2.t0",
            "3.1.2.t256",
            "3.1.t1",
            "3.1.2.t1.t1",
            "3.1.2.t+1",
        ] {
            assert!(wrong.parse::<AttemptId>().is_err(), "{wrong}");
        }
    }
}
