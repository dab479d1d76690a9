//! When a step is taken up again whose holder died, and when its send is stopped instead. Pure: the times
//! are arguments.
//!
//! A disturbance of some minutes (functions that time out, a slow DynamoDB) ends the holders of all steps. So the pauses
//! outlast it, while a step that kills every holder costs a handful of attempts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::state::time::{Millis, later};

/// Claims of a step, one after another, that were never finished: their holders died.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// How many.
    #[serde(rename = "unfinished", default, skip_serializing_if = "is_zero")]
    pub claims: u32,
    /// When the first of them expired.
    #[serde(rename = "unfinishedSince", default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
}

impl Unfinished {
    /// These, and one more claim, which expires at `expires`.
    pub fn and_one(&self, expires: Millis) -> Self {
        Self { claims: self.claims + 1, since: Some(self.since.unwrap_or(expires)) }
    }
}

/// The rules for steps whose holders die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// `RETAKE_PAUSES_MS`: from the end of a dead holder's claim to the next claim; the first after the first such
    /// claim, and so on. One claim more than there are pauses, and the step is given up.
    pub pauses: Vec<Duration>,
    /// `UNFINISHED_SPAN_MS`: not before this long after the first of those claims expired.
    pub span: Duration,
    /// How much later than a step may be claimed the watchdog queues it: clocks disagree. The queue's second.
    pub slack: Duration,
}

impl Takeover {
    /// When a step may be taken up again. `unfinished` are its claims in a row that were never finished, the last of
    /// which expired at `expired`.
    ///
    /// Once there are as many as give it up, that is when its send is stopped: when the span is over. Should that
    /// holder die, too, the longest pause passes before the next one tries.
    pub fn again_at(&self, unfinished: &Unfinished, expired: Millis) -> Millis {
        let nth = usize::try_from(unfinished.claims.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(pause) = self.pauses.get(nth) {
            return later(expired, *pause);
        }
        let longest = self.pauses.iter().max().copied().unwrap_or_default();
        let span_ends = later(unfinished.since.unwrap_or(expired), self.span);
        later(expired, longest).max(span_ends)
    }

    /// When a step whose claim expires at `expires` is overdue: its holder has ended by that time, and nobody
    /// else has its message. `unfinished` are the claims before this one.
    pub fn due_at(&self, unfinished: &Unfinished, expires: Millis) -> Millis {
        later(self.again_at(&unfinished.and_one(expires), expires), self.slack)
    }

    /// Whether a step with so many unfinished claims in a row is given up at `now`: there is something about it that
    /// kills its holders.
    pub fn gives_up(&self, unfinished: &Unfinished, now: Millis) -> bool {
        let enough = usize::try_from(unfinished.claims).is_ok_and(|claims| claims > self.pauses.len());
        enough && unfinished.since.is_some_and(|since| now >= later(since, self.span))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    fn template() -> Takeover {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Takeover {
            pauses: [0, 5, 15, 30, 60].map(minutes).to_vec(),
            span: minutes(180),
            slack: Duration::from_secs(1),
        }
    }

    fn unfinished(claims: u32, since: Millis) -> Unfinished {
        Unfinished { claims, since: Some(since) }
    }

    #[test]
    fn the_table_of_pauses() {
        let rules = template();
        // (unfinished claims in a row, minutes since the first expired when the last did) → the pause in minutes
        for (claims, minutes, pause) in [
            (1, 0, 0),
            (2, 1, 5),
            (3, 7, 15),
            (4, 23, 30),
            (5, 54, 60),
            // Given up, and not before three hours are over.
            (6, 115, 65),
            (6, 120, 60),
            (6, 600, 60),
            (7, 181, 60),
            (100, 7000, 60),
        ] {
            let expired = minutes * MINUTE;
            let again_at = rules.again_at(&unfinished(claims, 0), expired);
            assert_eq!(again_at - expired, pause * MINUTE, "{claims} after {minutes} minutes");
        }
    }

    #[test]
    fn the_table_of_stops() {
        let rules = template();
        for (claims, minutes, stops) in [
            (0, 600, false),
            (3, 2, false),
            (3, 600, false),
            (5, 180, false),
            (6, 179, false),
            (6, 180, true),
            (7, 240, true),
        ] {
            let stopped = rules.gives_up(&unfinished(claims, 1_000), 1_000 + minutes * MINUTE);
            assert_eq!(stopped, stops, "{claims} over {minutes} minutes");
        }
        assert!(!rules.gives_up(&Unfinished::default(), 600 * MINUTE));
    }

    #[test]
    fn a_step_that_kills_every_holder_costs_five_attempts_more_and_three_hours() {
        let (rules, claim) = (template(), MINUTE / 2);
        let (mut now, mut dead) = (0, Unfinished::default());
        let mut claims = Vec::new();
        while !rules.gives_up(&dead, now) {
            claims.push(now);
            let expires = now + claim;
            now = rules.due_at(&dead, expires) - later(0, rules.slack);
            dead = dead.and_one(expires);
            assert_eq!(now, rules.again_at(&dead, expires), "the watchdog looks when it may be taken up");
        }
        assert_eq!(claims.len(), 6);
        assert_eq!(now - claim, 180 * MINUTE, "since the first one died");
    }

    #[test]
    fn no_pauses_at_all_give_up_after_one() {
        let rules = Takeover { pauses: Vec::new(), span: Duration::ZERO, slack: Duration::ZERO };
        assert_eq!(rules.again_at(&unfinished(1, 5), 5), 5);
        assert!(rules.gives_up(&unfinished(1, 5), 5));
    }
}
