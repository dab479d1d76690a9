//! The conditions that some rules depend on: the time, and the organiser's settings.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Whether the organiser's settings attest that its routine for protected identities is in place at Skolverket
/// (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectedIdentities {
    /// They do: protected persons may be sent.
    Attested,
    /// They do not.
    NotAttested,
}

/// The conditions that some rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// Whether protected persons may be sent.
    pub protected: ProtectedIdentities,
    /// The day on which it is looked at: nobody is born after it.
    pub today: Date,
}

impl Conditions {
    /// Those that hold at a time.
    pub fn at(now: Timestamp, protected: ProtectedIdentities) -> Self {
        Self { protected, today: Offset::UTC.to_datetime(now).date() }
    }
}
