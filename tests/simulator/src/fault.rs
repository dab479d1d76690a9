use std::net::SocketAddr;
use std::time::Duration;

use uuid::Uuid;

use crate::{CallKind, Kind, Oddity, RetryAfter};

/// What goes wrong with a call, by a test's wish.
///
/// A call that is *refused* is not carried out: it leaves no job. None of these is a violation of the caller's.
/// The authorization server answers in its own shape, `{"error": {..}}`, with the same status; so does the Open-data
/// API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Refused: 429/5021.
    RateLimited {
        /// `x-ratelimit-reset` in seconds; without it the header is absent.
        reset: Option<f64>,
    },
    /// Refused: 503/5022, without the rate limit's headers.
    Unavailable,
    /// Refused: 429/5021 without the rate limit's headers, with `Retry-After`.
    TooManyUntil(RetryAfter),
    /// Refused: 503/5022, with `Retry-After`.
    UnavailableUntil(RetryAfter),
    /// Refused: 500/5004.
    ServerError,
    /// Refused: this status with an HTML page, as a proxy answers.
    Html(u16),
    /// Carried out at once, answered after this long. (A job call reads the job when it answers.)
    Slow(Duration),
    /// Refused: the connection is closed without an answer.
    CutBefore,
    /// Carried out, then the connection is closed without an answer.
    CutAfter,
    /// Carried out, then half of the answer's body, of which `Content-Length` says more, and the connection is closed.
    CutOffBody,
    /// Refused: 403/5002, though the token is good. Bulk and job calls only.
    TokenExpired,
    /// Refused: 413/5020, whatever the size.
    TooLarge,
    /// Refused: 400/2010 without `parameterName`.
    BadRequest {
        /// The record that `resourceType` and `resourceId` name, whether the call held it or not; without it they are
        /// absent.
        culprit: Option<Uuid>,
    },
    /// The same, with the culprit's id in capitals.
    BadRequestInCapitals { culprit: Uuid },
    /// Refused: 400/2025 with `parameterName`.
    BadParameter,
    /// Carried out; the 202's body has no `jobId`, `Location` still names the job. Bulk calls only.
    NoJobId,
    /// Carried out; the 202 has neither `jobId` nor `Location`. Bulk calls only.
    NoJobIdAtAll,
    /// Carried out; the job is not found (404/4001) when its caller asks for it. Bulk calls only.
    JobLost,
    /// Carried out; the answer is as documented but for this. Bulk and job calls only.
    Odd(Oddity),
    /// Refused: this status (200 to 599) with an empty body; a redirection has a `Location` at another host.
    Status(u16),
    /// Refused: 307, with a `Location` at this address, by TLS.
    Redirect(SocketAddr),
    /// Refused: 400, with the page of a proxy that ends TLS and does not take the client certificate. Token calls only.
    SslCertificateError,
    /// Carried out; the token comes in another form than usual. Token calls only.
    Token(TokenForm),
}

/// Forms of the authorization server's success that its own model, or another version of it, allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// Without `expires_in`.
    NoLife,
    /// `expires_in` is null.
    NullLife,
    /// `expires_in` is a text.
    TextLife,
    /// `expires_in` is no whole number.
    FractionLife,
    /// `access_token` is a list of one.
    List,
    /// `access_token` is the token itself.
    Bare,
    /// The token is no JWT. The API takes it.
    Opaque,
    /// The token is a JWT without `organization_id`. The API does not take it.
    NoOrganisation,
}

impl Fault {
    /// Whether there is such a fault of such calls; where not, its rule passes them over.
    fn concerns(self, call: CallKind) -> bool {
        match self {
            Fault::NoJobId | Fault::NoJobIdAtAll | Fault::JobLost => call == CallKind::Bulk,
            Fault::Odd(Oddity::LocationEnd(_)) => call == CallKind::Bulk,
            Fault::SslCertificateError | Fault::Token(_) => call == CallKind::Token,
            Fault::TokenExpired | Fault::Odd(_) => matches!(call, CallKind::Bulk | CallKind::Job),
            _ => true,
        }
    }

    /// How much longer the answer takes.
    pub(crate) fn delay(self) -> Duration {
        if let Fault::Slow(time) = self { time } else { Duration::ZERO }
    }

    /// Whether the caller cannot know a job that it started by such a call.
    pub(crate) fn hides_job(self) -> bool {
        matches!(self, Fault::CutAfter | Fault::CutOffBody | Fault::NoJobIdAtAll)
    }

    /// Whether the caller gets the whole of an answer, and can read it.
    pub(crate) fn is_answered(self) -> bool {
        match self {
            Fault::Odd(oddity) => oddity.is_read(),
            _ => !matches!(self, Fault::CutBefore | Fault::CutAfter | Fault::CutOffBody),
        }
    }

    /// The record of which a bulk call's refusal says that it is not accepted: the culprit, or the only one there is.
    pub(crate) fn refused_record(self, records: &[Uuid]) -> Option<Uuid> {
        match (self, records) {
            (Fault::BadRequest { culprit: Some(culprit) } | Fault::BadRequestInCapitals { culprit }, _) => {
                Some(culprit)
            }
            (Fault::BadRequest { culprit: None } | Fault::TooLarge, [only]) => Some(*only),
            _ => None,
        }
    }
}

/// The calls that a fault is meant for: all those of a sort, or of them those of one kind, one organisation, with one
/// record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultTarget {
    /// Of bulk and job calls, the kind. Token calls have none.
    pub kind: Option<Kind>,
    /// Which calls: bulk, job or token calls, or those of the Open-data API. [`CallKind::Other`] never matches.
    pub call: CallKind,
    /// Whose: 10 digits.
    pub organisation: Option<String>,
    /// Only bulk calls with this record.
    pub containing: Option<Uuid>,
}

impl FaultTarget {
    /// All calls of that sort; narrow it with the methods below.
    pub fn calls(call: CallKind) -> FaultTarget {
        FaultTarget { kind: None, call, organisation: None, containing: None }
    }

    /// The bulk calls of a kind.
    pub fn bulk(kind: Kind) -> FaultTarget {
        FaultTarget { kind: Some(kind), ..FaultTarget::calls(CallKind::Bulk) }
    }

    /// The job calls of a kind.
    pub fn job(kind: Kind) -> FaultTarget {
        FaultTarget { kind: Some(kind), ..FaultTarget::calls(CallKind::Job) }
    }

    /// Only those of that organisation (10 digits).
    pub fn of(self, organisation: impl Into<String>) -> FaultTarget {
        FaultTarget { organisation: Some(organisation.into()), ..self }
    }

    /// Only those with that record.
    pub fn containing(self, record: Uuid) -> FaultTarget {
        FaultTarget { containing: Some(record), ..self }
    }
}

/// The parts of a call that rules match.
pub(crate) struct Seen<'a> {
    pub(crate) call: CallKind,
    pub(crate) kind: Option<Kind>,
    pub(crate) organisation: Option<&'a str>,
    /// Of a bulk call.
    pub(crate) records: &'a [Uuid],
}

impl FaultTarget {
    fn matches(&self, seen: &Seen<'_>) -> bool {
        self.call == seen.call
            && seen.call != CallKind::Other
            && self.kind.is_none_or(|kind| seen.kind == Some(kind))
            && self.organisation.as_deref().is_none_or(|organisation| seen.organisation == Some(organisation))
            && self.containing.is_none_or(|record| seen.records.contains(&record))
    }
}

/// The rules, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Faults(Vec<FaultRule>);

struct FaultRule {
    target: FaultTarget,
    left: Times,
    fault: Fault,
}

impl Faults {
    pub(crate) fn add(&mut self, target: FaultTarget, times: u32, fault: Fault) {
        self.0.push(FaultRule { target, left: Times(times), fault });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many faults are left of the rules for this organisation. Rules without end are not counted.
    pub(crate) fn left(&self, organisation: &str) -> u32 {
        let own = |rule: &&FaultRule| rule.target.organisation.as_deref() == Some(organisation);
        self.0.iter().filter(own).map(|rule| rule.left.left()).sum()
    }

    /// The fault of the first rule that matches and has times left, of which this is one.
    pub(crate) fn take(&mut self, seen: &Seen<'_>) -> Option<Fault> {
        let meant = |rule: &FaultRule| rule.fault.concerns(seen.call) && rule.target.matches(seen);
        self.0.iter_mut().filter(|rule| meant(rule)).find_map(|rule| rule.left.take().then_some(rule.fault))
    }
}

/// So many times; `u32::MAX` is without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times(pub(crate) u32);

impl Times {
    /// How many are left; 0 where there is no end.
    pub(crate) fn left(self) -> u32 {
        if self.0 == u32::MAX { 0 } else { self.0 }
    }

    /// Whether there was one left; it is used.
    pub(crate) fn take(&mut self) -> bool {
        match self.0 {
            0 => false,
            u32::MAX => true,
            left => {
                self.0 = left - 1;
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(records: &[Uuid]) -> Seen<'_> {
        Seen { call: CallKind::Bulk, kind: Some(Kind::Persons), organisation: Some("5567044268"), records }
    }

    #[test]
    fn a_rule_matches_what_it_names() {
        let id = Uuid::new_v4();
        for (target, matches) in [
            (FaultTarget::calls(CallKind::Bulk), true),
            (FaultTarget::bulk(Kind::Persons).of("5567044268").containing(id), true),
            (FaultTarget::bulk(Kind::Duties), false),
            (FaultTarget::job(Kind::Persons), false),
            (FaultTarget::calls(CallKind::Token), false),
            (FaultTarget::bulk(Kind::Persons).of("2120000142"), false),
            (FaultTarget::bulk(Kind::Persons).containing(Uuid::new_v4()), false),
        ] {
            assert_eq!(target.matches(&bulk(&[Uuid::new_v4(), id])), matches, "{target:?}");
        }
        let other = Seen { call: CallKind::Other, kind: None, organisation: None, records: &[] };
        assert!(!FaultTarget::calls(CallKind::Other).matches(&other));
    }

    #[test]
    fn the_first_rule_with_times_left_applies() {
        let mut faults = Faults::default();
        let target = || FaultTarget::calls(CallKind::Bulk);
        faults.add(target(), 2, Fault::Unavailable);
        faults.add(target(), 0, Fault::CutAfter);
        faults.add(target(), 1, Fault::TooLarge);
        faults.add(FaultTarget::bulk(Kind::Persons), u32::MAX, Fault::ServerError);
        let taken: Vec<_> = (0..5).filter_map(|_| faults.take(&bulk(&[]))).collect();
        let (unavailable, last) = (Fault::Unavailable, Fault::ServerError);
        assert_eq!(taken, [unavailable, unavailable, Fault::TooLarge, last, last]);
        faults.clear();
        assert_eq!(faults.take(&bulk(&[])), None);
    }

    #[test]
    fn what_is_left_of_an_organisations_rules_is_counted() {
        let mut faults = Faults::default();
        let own = || FaultTarget::calls(CallKind::Bulk).of("5567044268");
        faults.add(own(), 2, Fault::Unavailable);
        faults.add(own().containing(Uuid::new_v4()), 1, Fault::TooLarge);
        faults.add(own(), u32::MAX, Fault::ServerError);
        faults.add(FaultTarget::calls(CallKind::Bulk).of("2120000142"), 5, Fault::ServerError);
        assert_eq!(faults.left("5567044268"), 3);
        faults.take(&bulk(&[]));
        assert_eq!((faults.left("5567044268"), faults.left("2120000142")), (2, 5));
    }

    #[test]
    fn a_rule_passes_over_calls_that_cannot_have_its_fault() {
        let mut faults = Faults::default();
        faults.add(FaultTarget::calls(CallKind::Token), 1, Fault::TokenExpired);
        faults.add(FaultTarget::calls(CallKind::Job), 1, Fault::NoJobId);
        for call in [CallKind::Token, CallKind::Job] {
            assert_eq!(faults.take(&Seen { call, kind: None, organisation: None, records: &[] }), None);
        }
    }
}
