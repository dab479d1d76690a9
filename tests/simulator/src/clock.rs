use std::time::Instant;

use jiff::Timestamp;

/// A moment on both clocks: the monotonic one decides what is due, the other is what answers and tokens show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) wall: Timestamp,
}

/// The one place where the wall clock is read; all else gets the moment as an argument.
#[allow(clippy::disallowed_methods, reason = "the server is where time enters")]
pub(crate) fn now() -> Moment {
    Moment { at: Instant::now(), wall: Timestamp::now() }
}

/// RFC 3339 in UTC with milliseconds, as `timeOfOccurance` and `meta` show time.
pub(crate) fn rfc3339(wall: Timestamp) -> String {
    format!("{wall:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds() {
        let wall = Timestamp::from_millisecond(1_700_000_000_007).unwrap();
        assert_eq!(rfc3339(wall), "2023-11-14T22:13:20.007Z");
    }
}
