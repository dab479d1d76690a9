//! What follows from a failed call. The client reports what happened; only this table decides what to do.

use std::time::Duration;

use stafett_domain::{AuthorizationCause, Call, Reason, ReasonCode, WaitCause};
use stafett_skolverket::{CallFailure, LogEntry};

use crate::token_failure::{self, NoToken};
use stafett_history::LONGEST_PAUSE;
use stafett_runtime::Timing;

/// What to do after a call that did not return the expected kind of answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Make the same call again, later.
    PutBack {
        cause: WaitCause,
        /// The shortest wait before the next call, if Skolverket gave one.
        hint: Option<Duration>,
        /// Skolverket may have carried out the call.
        uncertain: bool,
    },
    /// Take the same step again when a token may be available; with the reason why there is none.
    WaitForToken(WaitCause, Reason),
    /// Make the same call again with a new token.
    NewToken,
    /// The API refuses a new token too. Same as [`Verdict::Stop`], and also shown to those who maintain the settings.
    TokenNotTaken(Reason),
    /// Start another try: the batch is submitted again.
    NewTry,
    /// Do not send the piece as a whole: leave out the record that the answer names as the cause, or split it in
    /// halves.
    Split {
        /// The status of the refusal.
        status: u16,
    },
    /// Submit nothing more; the job fails.
    Stop(Reason),
}

/// Skolverket states its limits in calls per second.
const THROTTLE_WINDOW: Duration = Duration::from_secs(1);

/// Decides what follows from a failed call. `token_is_new`: the token was requested because the previous one was
/// refused, so another one would not help. `log` holds the messages of the answer.
pub(crate) fn of_call(call: Call, failure: &CallFailure, token_is_new: bool, log: &[LogEntry]) -> Verdict {
    let stop = |code, status| Verdict::Stop(Reason::with_status(code, status));
    let again = |cause, hint, uncertain| Verdict::PutBack { cause, hint, uncertain };
    let uncertain = call == Call::Submit;
    match failure {
        CallFailure::Connection => again(WaitCause::NotReached, None, false),
        CallFailure::NoAnswer => again(WaitCause::NotReached, None, uncertain),
        // Without a header, wait one second: the limit is per second.
        CallFailure::Throttled { reset } => {
            again(WaitCause::TooManyCalls, Some(reset.unwrap_or(THROTTLE_WINDOW)), false)
        }
        CallFailure::Unavailable { retry_after } => again(WaitCause::Unavailable, *retry_after, uncertain),
        CallFailure::Transient(_) | CallFailure::ServerError(_) => {
            again(WaitCause::Unavailable, None, uncertain)
        }
        CallFailure::NotReadable(_) | CallFailure::NoJobId => {
            again(WaitCause::UnreadableAnswer, None, uncertain)
        }
        CallFailure::AnswerTooLong(_) => again(WaitCause::AnswerTooLarge, None, uncertain),
        CallFailure::Forbidden | CallFailure::Status(401) if !token_is_new => Verdict::NewToken,
        CallFailure::Forbidden => Verdict::TokenNotTaken(token_failure::new_token_refused(403)),
        CallFailure::Status(401) => Verdict::TokenNotTaken(token_failure::new_token_refused(401)),
        CallFailure::NotFound => match call {
            Call::Poll => Verdict::NewTry,
            Call::Submit => stop(ReasonCode::UnforeseenAnswer, 404),
        },
        CallFailure::TooLarge if call == Call::Submit => Verdict::Split { status: 413 },
        CallFailure::TooLarge => stop(ReasonCode::Refused, 413),
        // The parameter comes from the client, not from a record: another body would not help.
        CallFailure::Status(400)
            if call == Call::Submit && log.iter().all(|entry| entry.parameter_name.is_none()) =>
        {
            Verdict::Split { status: 400 }
        }
        CallFailure::Status(status @ 400) => stop(ReasonCode::Refused, *status),
        CallFailure::Status(status) => stop(ReasonCode::UnforeseenAnswer, *status),
    }
}

impl Verdict {
    /// The reason for calling again when the status does not give it: the answer cannot be read.
    pub(crate) fn unreadable(&self) -> Option<WaitCause> {
        match self {
            Self::PutBack { cause, .. } if cause.is_unreadable() => Some(*cause),
            _ => None,
        }
    }
}

/// The reason for giving up a batch that has waited for the longest allowed time. `cause` is what it waited for last;
/// `no_token` is why there was no token, if it waited for one.
pub(crate) fn given_up(cause: WaitCause, no_token: Option<Reason>) -> Reason {
    let code = if cause.is_unreadable() { ReasonCode::UnreadableAnswer } else { ReasonCode::Deadline };
    no_token.map_or_else(|| Reason::new(code), |reason| Reason { code, ..reason })
}

/// Decides what follows when there is no token. A refusal stops the send, because the server would repeat it.
pub(crate) fn of_token(no_token: NoToken) -> Verdict {
    match no_token {
        NoToken::Refused(reason) => Verdict::Stop(reason),
        NoToken::Later(reason) => Verdict::WaitForToken(wait_for_token(&reason), reason),
    }
}

fn wait_for_token(reason: &Reason) -> WaitCause {
    match reason.cause {
        Some(AuthorizationCause::AuthorizationServerUnreadable) => WaitCause::AuthorizationServerUnreadable,
        _ => WaitCause::AuthorizationServer,
    }
}

/// The wait before the same call is made again. It doubles from the first pause to the longest one. `jitter` (0..=1)
/// picks a point between half of it and all of it. The wait is never shorter than `hint`, unless `hint` is longer than
/// [`LONGEST_PAUSE`].
pub(crate) fn retry_wait(timing: &Timing, put_back: u32, jitter: f64, hint: Option<Duration>) -> Duration {
    let doubled = timing.retry_first.saturating_mul(2_u32.saturating_pow(put_back.min(20)));
    let pause = doubled.min(timing.retry_max).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    pause.max(hint.unwrap_or_default().min(LONGEST_PAUSE))
}

/// The maximum number of calls, and the maximum time, before a batch that Skolverket does not answer is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WorstCase {
    /// The number of calls. Each may take its full time-out.
    pub(crate) calls: u32,
    /// The time from the first failure to the last.
    pub(crate) span: Duration,
}

/// The result of [`retry_wait`] and the deadline when every call fails at once and every pause is the shortest.
pub(crate) fn worst_case(timing: &Timing) -> WorstCase {
    let (mut calls, mut span) = (1, Duration::ZERO);
    while span <= timing.deadline {
        span += retry_wait(timing, calls - 1, 0.0, None);
        calls += 1;
    }
    WorstCase { calls, span }
}

/// The wait before records with a transient fault are sent again. It grows with each round.
pub(crate) fn round_wait(timing: &Timing, round: u32) -> Duration {
    timing
        .retry_first
        .saturating_mul(4_u32.saturating_pow(round.min(8)).saturating_mul(2))
        .min(timing.retry_max)
}

/// The wait before the next poll of a job that is not done. It doubles from the first pause to the longest one.
pub(crate) fn poll_wait(timing: &Timing, looks: u32) -> Duration {
    timing.first_poll.saturating_mul(2_u32.saturating_pow(looks.min(20))).min(timing.poll_max)
}

#[cfg(test)]
mod tests {
    use stafett_runtime::Config;

    use super::*;
    use Call::{Poll, Submit};

    /// The timing of the template. It reads the plain-text values only; the others contain no timing.
    fn template() -> Timing {
        let template = include_str!("../../../infra/aws/template.yaml");
        let value = |line: &str| {
            let (name, value) = line.trim().split_once(": ")?;
            name.ends_with(|last: char| last.is_ascii_uppercase())
                .then(|| (name.to_owned(), value.trim_matches('"').to_owned()))
        };
        let mut variables: std::collections::BTreeMap<_, _> = template.lines().filter_map(value).collect();
        for address in ["SKOLVERKET_URL", "TOKEN_URL", "OPEN_DATA_URL", "VERIFICATION_URL"] {
            variables.insert(address.to_owned(), "https://example.se".to_owned());
        }
        variables.insert("RETENTION_DAYS".to_owned(), "400".to_owned());
        Config::from_variables(variables).unwrap().timing
    }

    #[test]
    fn the_table_of_verdicts() {
        use WaitCause::*;
        let back = |cause, hint, uncertain| Verdict::PutBack { cause, hint, uncertain };
        let stop = |code, status| Verdict::Stop(Reason::with_status(code, status));
        let not_taken = |status| Verdict::TokenNotTaken(token_failure::new_token_refused(status));
        let half = Some(Duration::from_millis(500));
        for (call, failure, fresh, expected) in [
            (Submit, CallFailure::Connection, true, back(NotReached, None, false)),
            (Submit, CallFailure::NoAnswer, true, back(NotReached, None, true)),
            (Poll, CallFailure::NoAnswer, true, back(NotReached, None, false)),
            (Submit, CallFailure::Throttled { reset: half }, true, back(TooManyCalls, half, false)),
            (
                Submit,
                CallFailure::Throttled { reset: None },
                true,
                back(TooManyCalls, Some(THROTTLE_WINDOW), false),
            ),
            (Submit, CallFailure::Unavailable { retry_after: None }, true, back(Unavailable, None, true)),
            (Poll, CallFailure::Unavailable { retry_after: half }, true, back(Unavailable, half, false)),
            (Submit, CallFailure::Transient(408), true, back(Unavailable, None, true)),
            (Poll, CallFailure::Transient(425), true, back(Unavailable, None, false)),
            (Submit, CallFailure::ServerError(500), true, back(Unavailable, None, true)),
            (Poll, CallFailure::ServerError(502), true, back(Unavailable, None, false)),
            (Submit, CallFailure::NotReadable(200), true, back(UnreadableAnswer, None, true)),
            (Poll, CallFailure::NotReadable(404), true, back(UnreadableAnswer, None, false)),
            (Poll, CallFailure::AnswerTooLong(200), true, back(AnswerTooLarge, None, false)),
            (Submit, CallFailure::NoJobId, true, back(UnreadableAnswer, None, true)),
            (Submit, CallFailure::Forbidden, false, Verdict::NewToken),
            (Submit, CallFailure::Forbidden, true, not_taken(403)),
            (Poll, CallFailure::Status(401), false, Verdict::NewToken),
            (Poll, CallFailure::Status(401), true, not_taken(401)),
            (Poll, CallFailure::NotFound, true, Verdict::NewTry),
            (Submit, CallFailure::NotFound, true, stop(ReasonCode::UnforeseenAnswer, 404)),
            (Submit, CallFailure::TooLarge, true, Verdict::Split { status: 413 }),
            (Submit, CallFailure::Status(400), true, Verdict::Split { status: 400 }),
            (Poll, CallFailure::Status(400), true, stop(ReasonCode::Refused, 400)),
            (Submit, CallFailure::Status(302), true, stop(ReasonCode::UnforeseenAnswer, 302)),
            (Poll, CallFailure::Status(418), true, stop(ReasonCode::UnforeseenAnswer, 418)),
        ] {
            assert_eq!(of_call(call, &failure, fresh, &[]), expected, "{call:?} {failure:?} {fresh}");
        }
        let parameter = stafett_skolverket::log_entries(r#"[{"parameterName": "updateIfExists"}]"#);
        let refused = of_call(Submit, &CallFailure::Status(400), true, &parameter);
        assert_eq!(refused, stop(ReasonCode::Refused, 400), "a fault of ours");
    }

    #[test]
    fn a_token_that_was_refused_is_not_asked_for_again() {
        let reason = Reason::with_status(ReasonCode::Authorization, 401);
        assert_eq!(of_token(NoToken::Refused(reason.clone())), Verdict::Stop(reason));
        for (cause, wait) in [
            (AuthorizationCause::AuthorizationServerUnavailable, WaitCause::AuthorizationServer),
            (AuthorizationCause::AuthorizationServerUnreadable, WaitCause::AuthorizationServerUnreadable),
        ] {
            let reason = Reason::authorization(cause);
            let later = NoToken::Later(reason.clone());
            assert_eq!(of_token(later), Verdict::WaitForToken(wait, reason.clone()));
            assert_eq!(given_up(wait, Some(reason)).cause, Some(cause));
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_called_unreachable() {
        let unreadable = [
            WaitCause::UnreadableAnswer,
            WaitCause::AnswerTooLarge,
            WaitCause::AuthorizationServerUnreadable,
        ];
        for cause in WaitCause::ALL {
            let verdict = Verdict::PutBack { cause, hint: None, uncertain: false };
            let (shown, code) = if unreadable.contains(&cause) {
                (Some(cause), ReasonCode::UnreadableAnswer)
            } else {
                (None, ReasonCode::Deadline)
            };
            assert_eq!((verdict.unreadable(), given_up(cause, None).code), (shown, code), "{cause:?}");
        }
        assert_eq!(Verdict::NewToken.unreadable(), None);
    }

    /// The template's timing, with pauses from 1 s to 5 s and a deadline after 20 s.
    fn short() -> Timing {
        let seconds = Duration::from_secs;
        Timing { retry_first: seconds(1), retry_max: seconds(5), deadline: seconds(20), ..template() }
    }

    #[test]
    fn no_batch_makes_more_calls_than_the_worst_case() {
        // The shortest pauses are 0.5, 1 and 2 s, then always 2.5 s. After the call at 18.5 s, the last one is at 21 s.
        let worst = WorstCase { calls: 11, span: Duration::from_secs_f64(21.0) };
        assert_eq!(worst_case(&short()), worst);
        for timing in [short(), template()] {
            let worst = worst_case(&timing);
            assert!(worst.span > timing.deadline && worst.span <= timing.deadline + timing.retry_max);
            for jitter in [0.0, 0.3, 1.0] {
                let (mut calls, mut at) = (1, Duration::ZERO);
                while at <= timing.deadline {
                    at += retry_wait(&timing, calls - 1, jitter, None);
                    calls += 1;
                }
                assert!(calls <= worst.calls, "{calls} calls with the jitter {jitter}");
            }
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let timing = short();
        let waits =
            |jitter| [0, 1, 2, 3, 40].map(|put_back| retry_wait(&timing, put_back, jitter, None).as_millis());
        assert_eq!(waits(1.0), [1000, 2000, 4000, 5000, 5000]);
        assert_eq!(waits(0.0), [500, 1000, 2000, 2500, 2500], "at least half of it");
        assert_eq!(retry_wait(&timing, u32::MAX, 1.0, None), timing.retry_max);
    }

    #[test]
    fn a_pause_is_not_shorter_than_skolverket_asks_for_up_to_a_bound() {
        let pause = |hint| retry_wait(&short(), 0, 0.0, Some(Duration::from_secs(hint)));
        assert_eq!(pause(9), Duration::from_secs(9));
        assert_eq!(pause(0), Duration::from_millis(500));
        // A time of day instead of a number of seconds.
        assert_eq!(pause(1_795_424_397), LONGEST_PAUSE);
    }

    #[test]
    fn polls_and_rounds_grow_up_to_the_longest_pause() {
        let timing =
            Timing { first_poll: Duration::from_secs(1), poll_max: Duration::from_secs(3), ..short() };
        let polls = [0, 1, 2, 40].map(|polls| poll_wait(&timing, polls).as_secs());
        assert_eq!(polls, [1, 2, 3, 3]);
        let timing = Timing { retry_max: Duration::from_secs(60), ..timing };
        assert_eq!([0, 1, 2, 3, 40].map(|round| round_wait(&timing, round).as_secs()), [2, 8, 32, 60, 60]);
    }
}
