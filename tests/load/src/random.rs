//! Numbers that look random and are the same every time.

use uuid::Uuid;

/// The purpose of a number: the same input gives another number for another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Student = 1,
    Staff,
    Duty,
    Class,
    TeachingGroup,
    Activity,
    Name,
    Eppn,
}

/// 64 bits for the `number`th thing of its kind in a series of sends.
pub(crate) fn bits(series: u32, kind: Kind, number: u32) -> u64 {
    mix((u64::from(series) << 40) ^ ((kind as u64) << 32) ^ u64::from(number))
}

/// A record's id: the form of a random UUID.
pub(crate) fn id(series: u32, kind: Kind, number: u32) -> String {
    let high = bits(series, kind, number);
    let bytes = (u128::from(high) << 64 | u128::from(mix(high))).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .hyphenated()
        .encode_lower(&mut Uuid::encode_buffer())
        .to_owned()
}

/// One of a list's entries.
pub(crate) fn pick<'a>(list: &[&'a str], bits: u64) -> &'a str {
    let length = u64::try_from(list.len()).unwrap_or(1).max(1);
    usize::try_from(bits % length).ok().and_then(|at| list.get(at).copied()).unwrap_or_default()
}

/// SplitMix64's finalizer: every input has an output of its own.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
