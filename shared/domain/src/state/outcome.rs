//! What became of records: the outcome of each, and how many of a job have which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::vocabulary::vocabulary;
use crate::state::options::OnRecordErrors;
use crate::state::status::Ending;

vocabulary!(
    /// What became of one record.
    Outcome {
        /// No outcome yet.
        Pending = "pending",
        /// Accepted by Skolverket; not yet seen in the test platform.
        Success = "success",
        /// Accepted, but should be fixed.
        Warning = "warning",
        /// Not accepted.
        Error = "error",
        /// Not sent, because a record it depends on was not accepted.
        Skipped = "skipped",
        /// Not sent, because its job ended before.
        NotSent = "notSent",
        /// Sent, but Skolverket reported no outcome, or reported it with a status that is not known.
        Unknown = "unknown",
    }
);

/// How many records of a job have which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All records of the job.
    pub total: u32,
    /// Without an outcome yet.
    pub pending: u32,
    /// Accepted without a warning.
    pub success: u32,
    /// Accepted with a warning.
    pub warning: u32,
    /// Not accepted.
    pub error: u32,
    /// Not sent because of another record.
    pub skipped: u32,
    /// Not sent because the job ended.
    pub not_sent: u32,
    /// Sent, without an outcome that is known.
    pub unknown: u32,
}

impl Counts {
    /// The counts of these outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.total += 1;
            *counts.place(outcome) += 1;
        }
        counts
    }

    /// `total` records, all with the same outcome.
    pub fn all(total: u32, outcome: Outcome) -> Self {
        let mut counts = Self { total, ..Self::default() };
        *counts.place(outcome) = total;
        counts
    }

    /// How many have this outcome.
    pub fn get(&self, outcome: Outcome) -> u32 {
        let mut copy = *self;
        *copy.place(outcome)
    }

    /// These records and those, which are others.
    pub fn plus(mut self, others: Self) -> Self {
        self.total += others.total;
        for &outcome in Outcome::ALL {
            *self.place(outcome) += others.get(outcome);
        }
        self
    }

    /// The same records once nothing is under way any more: what was pending was not sent.
    pub fn settled(mut self) -> Self {
        self.not_sent += self.pending;
        self.pending = 0;
        self
    }

    fn place(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Pending => &mut self.pending,
            Outcome::Success => &mut self.success,
            Outcome::Warning => &mut self.warning,
            Outcome::Error => &mut self.error,
            Outcome::Skipped => &mut self.skipped,
            Outcome::NotSent => &mut self.not_sent,
            Outcome::Unknown => &mut self.unknown,
        }
    }

    /// How a job with these counts ends when nothing stopped it: records that were not accepted fail it, unless the
    /// sender chose to go on; warnings never do.
    pub fn ending(&self, on_record_errors: OnRecordErrors) -> Ending {
        if self.success + self.warning < self.total {
            match on_record_errors {
                OnRecordErrors::Stop => Ending::Failed,
                OnRecordErrors::Continue => Ending::CompletedWithErrors,
            }
        } else if self.warning > 0 {
            Ending::SucceededWithWarnings
        } else {
            Ending::Succeeded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_follows_the_counts() {
        use Outcome::{Error, Success, Unknown, Warning};
        let ending = |outcomes: &[Outcome]| Counts::of(outcomes.iter().copied()).ending(OnRecordErrors::Stop);
        assert_eq!(ending(&[]), Ending::Succeeded);
        assert_eq!(ending(&[Success, Success]), Ending::Succeeded);
        assert_eq!(ending(&[Success, Warning]), Ending::SucceededWithWarnings);
        assert_eq!(ending(&[Success, Warning, Error]), Ending::Failed);
        assert_eq!(ending(&[Success, Unknown]), Ending::Failed);
        assert_eq!(ending(&[Success, Outcome::Pending]), Ending::Failed);
        let goes_on = Counts::of([Success, Error]).ending(OnRecordErrors::Continue);
        assert_eq!(goes_on, Ending::CompletedWithErrors);
        assert_eq!(Counts::of([Success]).ending(OnRecordErrors::Continue), Ending::Succeeded);
    }

    #[test]
    fn what_was_pending_when_a_job_ended_was_not_sent() {
        let counts = Counts::of([Outcome::Pending, Outcome::Pending, Outcome::Success]).settled();
        assert_eq!((counts.total, counts.pending, counts.not_sent, counts.success), (3, 0, 2, 1));
        assert_eq!(Counts::all(4, Outcome::Pending).get(Outcome::Pending), 4);
        let sum = Counts::all(4, Outcome::Error).plus(Counts::of([Outcome::Error, Outcome::Warning]));
        assert_eq!((sum.total, sum.error, sum.warning, sum.success), (6, 5, 1, 0));
    }
}
