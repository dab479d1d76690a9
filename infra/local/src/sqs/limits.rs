//! How large and how long things may be, in SQS.

/// The largest body of a message, and the largest total of all bodies of a batch: 1 MiB.
pub(super) const MAX_BYTES: usize = 1_048_576;
/// Messages in a batch or a receive.
pub(super) const MAX_MESSAGES: usize = 10;
/// A message's delay, in seconds.
pub(crate) const MAX_DELAY_S: u64 = 900;
/// A receive's visibility time-out: 12 hours, in seconds.
pub(super) const MAX_VISIBILITY_S: u64 = 43_200;
/// A receive's wait, in seconds.
pub const MAX_WAIT_S: u64 = 20;
