//! What is wrong with a body that was sent to us, and where.
//!
//! No text here ever holds a value of the body: it may be a name or a civic number.

use serde::Serialize;

/// How many faults are listed at most; the rest is only counted. Thousands of them have few causes, and the
/// answer must stay small.
pub const MAX_LISTED: usize = 1_000;

/// The kinds of fault. The names are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultCode {
    /// An attribute that does not belong here.
    UnknownAttribute,
    /// An attribute that stands twice in one object.
    DuplicateAttribute,
    /// A required attribute is absent.
    MissingAttribute,
    /// A text where a number must be, and the like; `null` is one.
    WrongType,
    /// A text that is not a UUID or a code of the right form.
    WrongFormat,
    /// A value outside the allowed ones.
    NotAllowed,
    /// A list with too few or too many entries.
    WrongCount,
    /// An id that another record of the send has.
    DuplicateId,
    /// A reference to a record that is not in the send.
    MissingReference,
    /// A record that is too large to be sent.
    TooLarge,
}

/// One fault of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a JSON Pointer (RFC 6901) into the body. Of an absent attribute: where it should be.
    pub pointer: String,
    /// What kind.
    pub code: FaultCode,
    /// The number of the rule in the domain description that it breaks, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<u8>,
    /// English: what is wrong, and what to do.
    pub en: String,
    /// Swedish: the same.
    pub sv: String,
}

impl Fault {
    pub(crate) fn new(
        code: FaultCode,
        pointer: String,
        rule: Option<u8>,
        en: impl Into<String>,
        sv: impl Into<String>,
    ) -> Self {
        Self { pointer, code, rule, en: en.into(), sv: sv.into() }
    }
}

/// All faults of a body: the first [`MAX_LISTED`] of them, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// In the order: records by their order in the body, what is around them, ids, references.
    pub listed: Vec<Fault>,
    /// All, the unlisted ones included.
    pub total: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: impl FnOnce() -> Fault) {
        self.total += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(fault());
        }
    }
}

/// Whether an attribute name that is not known may be repeated. Anything else may be a name, a civic number or
/// an address that a faulty export put in the place of one.
pub(crate) fn may_be_quoted(name: &str) -> bool {
    name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
}
