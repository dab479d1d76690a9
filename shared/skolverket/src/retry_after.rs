//! When Skolverket accepts calls again: `x-ratelimit-reset`, or else `Retry-After` (RFC 9110, section 10.2.3).

use std::time::Duration;

use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// The two older date formats that a reader must accept (RFC 9110, section 5.6.7).
const OLDER_DATES: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Returns the time until calls are accepted again, if the headers state it. A date is compared with `now` if the
/// answer does not state the server's time.
pub(crate) fn wait(headers: &HeaderMap, now: Option<Timestamp>) -> Option<Duration> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let after = || {
        let text = header(RETRY_AFTER)?;
        seconds(text).or_else(|| {
            let now = header(DATE).and_then(date).or(now)?;
            // A date in the past means no wait.
            Duration::try_from(date(text)?.duration_since(now).max(SignedDuration::ZERO)).ok()
        })
    };
    header(RATE_LIMIT_RESET).and_then(seconds).or_else(after)
}

/// Not an integer, because a fraction such as 0.5 is allowed.
fn seconds(text: &str) -> Option<Duration> {
    text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn date(text: &str) -> Option<Timestamp> {
    let older = |form: &&str| {
        let time = strtime::parse(form, text).ok()?.to_datetime().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().or_else(|| OLDER_DATES.iter().find_map(older))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn waited(headers: &[(&'static str, &'static str)]) -> Option<f64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        wait(&headers, Some(now)).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn seconds_or_a_date_are_waited_for_and_the_rate_limits_own_header_goes_before() {
        let after = |value| waited(&[("retry-after", value)]);
        assert_eq!(after("6"), Some(6.0));
        assert_eq!(after(" 0.5 "), Some(0.5));
        for date in
            ["Mon, 23 Nov 2026 08:00:06 GMT", "Monday, 23-Nov-26 08:00:06 GMT", "Mon Nov 23 08:00:06 2026"]
        {
            assert_eq!(after(date), Some(6.0), "{date}");
        }
        assert_eq!(after("Mon, 23 Nov 2026 07:59:00 GMT"), Some(0.0), "over");
        assert_eq!(waited(&[("x-ratelimit-reset", "0.5"), ("retry-after", "6")]), Some(0.5));
        assert_eq!(waited(&[("x-ratelimit-reset", "soon"), ("retry-after", "6")]), Some(6.0));
    }

    #[test]
    fn a_date_is_held_against_its_senders_clock() {
        let date = "Mon, 23 Nov 2026 09:30:06 GMT";
        let senders = "Mon, 23 Nov 2026 09:30:00 GMT";
        assert_eq!(waited(&[("retry-after", date), ("date", senders)]), Some(6.0));
    }

    #[test]
    fn what_is_neither_says_nothing() {
        for value in ["", "soon", "-6", "NaN", "inf", "2026-11-23T08:00:06Z"] {
            assert_eq!(waited(&[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(waited(&[]), None);
    }
}
