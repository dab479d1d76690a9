//! The version byte. The bytes of every packed item begin with it, and only this module writes and reads it. If you
//! change the format of packed content, give it a new version, after a release that can read both.

use std::fmt;

/// The content of a packed item. Each kind has its own format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedKind {
    /// The body of a batch.
    Body,
    /// The body of a batch that arrived with a part.
    PartBody,
    /// The facts for a batch's rows that come from other parts.
    Facts,
    /// The final answer of an attempt.
    Answer,
    /// A batch's errors and warnings.
    Issues,
    /// A job's records that were not accepted.
    Refused,
    /// The ids of a send's records.
    RecordIds,
    /// All activities of a send.
    Activities,
    /// A catalogue of activities.
    Catalogue,
}

impl PackedKind {
    /// The version that is written, and the only one that can be read.
    const fn version(self) -> u8 {
        match self {
            Self::Body
            | Self::PartBody
            | Self::Facts
            | Self::Answer
            | Self::Issues
            | Self::Refused
            | Self::RecordIds
            | Self::Activities
            | Self::Catalogue => 1,
        }
    }

    /// The name of the content, for error messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Body => "the body of a batch",
            Self::PartBody => "the body of a part",
            Self::Facts => "the facts of a batch",
            Self::Answer => "the answer of an attempt",
            Self::Issues => "the issues of a batch",
            Self::Refused => "the refused records of a job",
            Self::RecordIds => "the record ids of a send",
            Self::Activities => "the activities of a send",
            Self::Catalogue => "a catalogue of activities",
        }
    }

    /// Returns the bytes of an item with this content.
    pub(crate) fn with_version(self, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + content.len());
        bytes.push(self.version());
        bytes.extend(content);
        bytes
    }

    /// Returns the content of an item with these bytes.
    ///
    /// # Errors
    /// [`VersionError`]
    pub(crate) fn without_version(self, bytes: &[u8]) -> Result<&[u8], VersionError> {
        match bytes.split_first() {
            Some((version, content)) if *version == self.version() => Ok(content),
            Some((version, _)) => Err(VersionError::Unknown { kind: self, version: *version }),
            None => Err(VersionError::Missing(self)),
        }
    }
}

impl fmt::Display for PackedKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why the bytes of a packed item cannot be parsed. The error names their kind, never their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// This release does not know the version: a newer release wrote it.
    #[error("{kind} of version {version}, which this release does not know")]
    Unknown {
        /// The kind of content.
        kind: PackedKind,
        /// The version byte of the item.
        version: u8,
    },
    /// There are no bytes.
    #[error("{0} without a version")]
    Missing(PackedKind),
}

impl VersionError {
    /// The kind of content.
    pub(crate) fn kind(self) -> PackedKind {
        match self {
            Self::Unknown { kind, .. } | Self::Missing(kind) => kind,
        }
    }
}
