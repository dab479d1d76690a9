//! How one record points at another, at a school unit or at a national test activity.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::id::{InvalidId, RecordId};
use crate::kind::skolverket_id::{SchoolUnitCode, TestCode};

/// `{"id": …}` of another record of the send (domain rule 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRef {
    /// The record.
    pub id: RecordId,
}

/// A school unit. Given as `{"id": …}` or `{"schoolUnitCode": …}`, always sent as `{"id": …}` (domain rule 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given")]
pub struct SchoolUnitRef {
    /// Skolverket's id of the school unit.
    pub id: Uuid,
    /// The code, where the sender gave that: the code cannot be computed from the id.
    #[serde(skip)]
    pub code: Option<SchoolUnitCode>,
}

/// A national test activity. Given as `{"id": …}` or `{"testCode": …}`, always sent as `{"id": …}`
/// (domain rule 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given")]
pub struct TestRef {
    /// Skolverket's id of the test activity.
    pub id: Uuid,
    /// The code, where the sender gave that: the code cannot be computed from the id.
    #[serde(skip)]
    pub code: Option<TestCode>,
}

/// What a sender may write where Skolverket wants one of its own ids.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    id: Option<Uuid>,
    school_unit_code: Option<SchoolUnitCode>,
    test_code: Option<TestCode>,
}

impl TryFrom<Given> for SchoolUnitRef {
    type Error = InvalidId;

    fn try_from(given: Given) -> Result<Self, InvalidId> {
        let id = given.id.or_else(|| given.school_unit_code.as_ref().map(SchoolUnitCode::id));
        Ok(Self { id: id.ok_or(InvalidId("school unit"))?, code: given.school_unit_code })
    }
}

impl TryFrom<Given> for TestRef {
    type Error = InvalidId;

    fn try_from(given: Given) -> Result<Self, InvalidId> {
        let id = given.id.or_else(|| given.test_code.as_ref().map(TestCode::id));
        Ok(Self { id: id.ok_or(InvalidId("test activity"))?, code: given.test_code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_goes_out_as_an_id_and_is_remembered() {
        let unit: SchoolUnitRef = serde_json::from_str(r#"{"schoolUnitCode":"31279295"}"#).unwrap();
        assert_eq!(unit.code.as_ref().map(SchoolUnitCode::as_str), Some("31279295"));
        let sent = serde_json::to_string(&unit).unwrap();
        assert_eq!(sent, r#"{"id":"fb22448b-b724-5e53-8a2c-d8b339206901"}"#);
        let back: SchoolUnitRef = serde_json::from_str(&sent).unwrap();
        assert_eq!((back.id, back.code), (unit.id, None));

        let test: TestRef = serde_json::from_str(r#"{"testCode":"MATMAT01"}"#).unwrap();
        assert_eq!(serde_json::to_string(&test).unwrap(), r#"{"id":"505c5ee0-7be4-560d-9c27-10ab0d96ac9a"}"#);
        assert!(serde_json::from_str::<TestRef>(r#"{"schoolUnitCode":"31279295"}"#).is_err());
    }
}
