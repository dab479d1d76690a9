//! Numbers that are zero on most items.

/// Whether a number is zero and need not be written.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}
