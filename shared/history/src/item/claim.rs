//! The holder of a step.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use stafett_domain::ClaimId;
use stafett_domain::time::Millis;

/// A claim of a step. An expired claim that is still present means that its holder died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Random for each claim.
    #[serde(rename = "claim")]
    pub id: ClaimId,
    /// When the claim expires.
    #[serde(rename = "claimUntil")]
    pub until: Millis,
    /// The claim for which a copy of the step's message was queued.
    #[serde(rename = "copiedFor", default, skip_serializing_if = "Option::is_none")]
    pub copied_for: Option<ClaimId>,
}

/// Reads the attributes of a claim, for `deserialize_with` of a flattened field. An incomplete or invalid claim is an
/// error. Serde would read it as `None`, and a second holder would take the step.
///
/// # Errors
/// An attribute cannot be parsed, or one of the two that belong together is missing.
pub(crate) fn whole_or_absent<'de, D: Deserializer<'de>>(attributes: D) -> Result<Option<Claim>, D::Error> {
    #[derive(Deserialize)]
    struct Attributes {
        #[serde(rename = "claim")]
        id: Option<ClaimId>,
        #[serde(rename = "claimUntil")]
        until: Option<Millis>,
        #[serde(rename = "copiedFor")]
        copied_for: Option<ClaimId>,
    }
    match Attributes::deserialize(attributes)? {
        Attributes { id: None, until: None, .. } => Ok(None),
        Attributes { id: Some(id), until: Some(until), copied_for } => {
            Ok(Some(Claim { id, until, copied_for }))
        }
        Attributes { .. } => Err(D::Error::custom("claim and claimUntil belong together")),
    }
}

impl Claim {
    /// Whether the holder may still be working.
    pub(crate) fn is_live(&self, now: Millis) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Step {
        #[serde(flatten, deserialize_with = "whole_or_absent")]
        claim: Option<Claim>,
    }

    #[test]
    fn a_claim_is_read_whole_or_not_at_all() {
        let id = ClaimId(uuid::Uuid::from_u128(7));
        let read = |item: Value| serde_json::from_value::<Step>(item).map(|step| step.claim);
        assert_eq!(read(json!({"n": 1})).unwrap(), None);
        let claim = Claim { id, until: 7, copied_for: None };
        assert_eq!(read(json!({"n": 1, "claim": id, "claimUntil": 7})).unwrap(), Some(claim));
        for broken in [
            json!({"claim": id}),
            json!({"claimUntil": 7}),
            json!({"claim": id, "claimUntil": "soon"}),
            json!({"claim": 5, "claimUntil": 7}),
            json!({"claim": id, "claimUntil": 7, "copiedFor": [1]}),
        ] {
            assert!(read(broken.clone()).is_err(), "{broken}");
        }
    }
}
