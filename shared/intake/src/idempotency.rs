//! Repeats of a request: for a day, the same key with the same body returns the same send.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use stafett_domain::{OrganisationNumber, Rejection, SendId};
use stafett_history::{Idempotency, SendRef, StoredSend};
use uuid::Uuid;

use crate::error::IntakeError;
use crate::intake::Intake;

/// The maximum length of a key, in characters.
const LONGEST_KEY: usize = 255;

/// The caller's idempotency key. A repeat uses it to find the send of the first request. It has 1 to 255 visible ASCII
/// characters or spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is not a valid key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct UnusableKey;

impl FromStr for IdempotencyKey {
    type Err = UnusableKey;

    fn from_str(text: &str) -> Result<Self, UnusableKey> {
        let key = text.trim();
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if visible && (1..=LONGEST_KEY).contains(&key.len()) {
            Ok(Self(key.to_owned()))
        } else {
            Err(UnusableKey)
        }
    }
}

impl IdempotencyKey {
    /// The key for a request to resume `old`. The caller may use the same key for other requests.
    pub(crate) fn of_resume(&self, old: SendId) -> Self {
        Self(format!("resume {old} {}", self.0))
    }
}

/// The digests of key and body, which identify a repeat.
pub(crate) struct RequestDigest {
    key: String,
    body: String,
}

impl RequestDigest {
    pub(crate) fn of(key: &IdempotencyKey, body: &[u8]) -> Self {
        Self { key: sha256(key.0.as_bytes()), body: sha256(body) }
    }
}

impl Intake {
    /// Returns the send for a request: a new one, or the send of the request that it repeats.
    pub(crate) async fn send_of(
        &self,
        organisation: &OrganisationNumber,
        request: &RequestDigest,
    ) -> Result<SendRef, IntakeError> {
        let (fresh, now) = (SendId(Uuid::now_v7()), self.clock.now());
        let RequestDigest { key, body } = request;
        match self.history.idempotent(organisation, key, body, fresh, now).await? {
            Idempotency::Send(id) => Ok(SendRef::new(organisation.clone(), id)),
            Idempotency::OtherBody => Err(IntakeError::KeyReused),
        }
    }

    /// Returns the send of the earlier request if a refused request repeats an accepted one. Registers, settings and
    /// time may have changed since.
    ///
    /// # Errors
    /// `refusal`, if the request does not repeat an accepted one.
    pub(crate) async fn unless_repeated(
        &self,
        organisation: &OrganisationNumber,
        request: &RequestDigest,
        refusal: IntakeError,
    ) -> Result<StoredSend, IntakeError> {
        if !may_have_been_accepted(&refusal) {
            return Err(refusal);
        }
        let (RequestDigest { key, body }, now) = (request, self.clock.now());
        let Some(id) = self.history.tied_to(organisation, key, body, now).await? else { return Err(refusal) };
        // A send that was never accepted does not count.
        self.history.send(&SendRef::new(organisation.clone(), id), now).await?.ok_or(refusal)
    }
}

/// Whether a request that is refused for this reason may have been accepted earlier.
fn may_have_been_accepted(refusal: &IntakeError) -> bool {
    match refusal {
        IntakeError::Rejected(Rejection::Faults(_))
        | IntakeError::Settings(_)
        | IntakeError::NotAuthorized(_)
        | IntakeError::EnvironmentNotAllowed => true,
        // The same body could not be parsed the first time either.
        IntakeError::Rejected(Rejection::NotReadable(_))
        | IntakeError::KeyReused
        | IntakeError::NotFound
        | IntakeError::Ended
        | IntakeError::NotEnded
        | IntakeError::Submitted
        | IntakeError::WrongParts { .. }
        | IntakeError::PartsMoved
        | IntakeError::NothingToResume
        | IntakeError::Superseded
        | IntakeError::CorrectionNotSent
        | IntakeError::BeingRemoved
        | IntakeError::Overtaken
        | IntakeError::History(_)
        | IntakeError::Rows(_) => false,
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        let read = |text: &str| text.parse::<IdempotencyKey>().map(|key| key.0);
        let uuid = "8a6e0804-2bd0-4672-b79d-d97027f9071a";
        assert_eq!(read(uuid).as_deref(), Ok(uuid));
        assert_eq!(read(" two words ").as_deref(), Ok("two words"));
        assert_eq!(read(&"a".repeat(LONGEST_KEY)).map(|key| key.len()), Ok(LONGEST_KEY));
        for unusable in ["", "  ", "å", "a\tb", &"a".repeat(LONGEST_KEY + 1)] {
            assert_eq!(read(unusable), Err(UnusableKey), "{unusable}");
        }
    }

    #[test]
    fn requests_are_distinguished_by_key_body_and_what_they_resume() {
        let key: IdempotencyKey = "press 1".parse().unwrap();
        let old = SendId(Uuid::from_u128(1));
        let of = |key: &IdempotencyKey, body: &[u8]| {
            let RequestDigest { key, body } = RequestDigest::of(key, body);
            (key, body)
        };
        let first = of(&key, b"{}");
        assert_eq!(first.1, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "SHA-256");
        assert_eq!(of(&key, b"{ }").0, first.0);
        assert_ne!(of(&key, b"{ }").1, first.1);
        assert_ne!(of(&key.of_resume(old), b"{}").0, first.0);
        assert_ne!(of(&key.of_resume(old), b"{}").0, of(&key.of_resume(SendId(Uuid::nil())), b"{}").0);
    }
}
