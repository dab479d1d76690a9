//! A claimed step of a batch: makes the calls and decides what follows from each.

use std::time::Duration;

use stafett_domain::piece::ROUNDS;
use stafett_domain::{Call, Outcome, Reason, ReasonCode, WaitCause};
use stafett_history::{Batch, Issue, Next, Open, Polling, PutBack, Work};
use stafett_skolverket::{Submitted, Token, log_entries};

use crate::attempt_log::Kept;
use crate::batch_body::BatchBody;
use crate::error::StepFailure;
use crate::follow_up::{FollowUp, JobRef};
use crate::issue_log;
use crate::next_step::StepResult;
use crate::record_outcomes::{Reading, outcomes};
use crate::relay::Relay;
use crate::settlement::Found;
use crate::slot::Turn;
use crate::token::ObtainedToken;
use crate::verdict::{self, Verdict};

/// How many times a batch is submitted when Skolverket answers 404 for its job.
const TRIES: u32 = 3;
/// A batch of a send that is stopping is given up after this number of unreadable answers.
const UNREADABLE_ANSWERS: u32 = 3;

impl Relay {
    /// Takes the steps of a claimed batch one after another, as long as the waits between them are short.
    pub(crate) async fn work(&self, job: &JobRef, mut batch: Batch<Open>) -> Result<FollowUp, StepFailure> {
        if self.timing.takeover.gives_up(&batch.progress.unfinished, self.clock.now().as_millisecond()) {
            return self.stop(job, &batch, Reason::new(ReasonCode::Unfinished)).await;
        }
        let loaded = self.load(job, &batch).await?;
        if batch.progress.work == Work::Submit {
            match Box::pin(self.skip(job, batch, &loaded)).await? {
                StepResult::Continue(rest) => batch = *rest,
                StepResult::Done(follow_up) => return Ok(follow_up),
            }
        }
        loop {
            match Box::pin(self.take_step(job, &batch, &loaded)).await? {
                StepResult::Continue(next) => batch = *next,
                StepResult::Done(follow_up) => return Ok(follow_up),
            }
        }
    }

    async fn take_step(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        loaded: &BatchBody,
    ) -> Result<StepResult, StepFailure> {
        let token = match self.token(job, batch).await? {
            ObtainedToken::Token(token) => token,
            ObtainedToken::None(no_token) => {
                return self.carry_out(job, batch, verdict::of_token(no_token)).await;
            }
        };
        if token.fresh {
            self.metrics.token_refreshed();
        }
        match &batch.progress.work {
            Work::Submit => self.submit(job, batch, &token, loaded).await,
            Work::Poll(polling) => Box::pin(self.poll(job, batch, polling, &token, loaded)).await,
        }
    }

    async fn submit(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        token: &Token,
        loaded: &BatchBody,
    ) -> Result<StepResult, StepFailure> {
        let body = loaded.call_body(job.key.stage, batch)?;
        // Everything that takes time happens before the slot.
        let call = self.skolverket.submit(job.key.stage, token, body).await;
        let slot = match self.turn(job, call.is_connected()).await? {
            Turn::Now(slot) => slot,
            Turn::Later(wait) => {
                call.put_off();
                return self.put_back(job, batch, wait, PutBack::NoTime).await;
            }
        };
        let started_at = self.clock.now();
        let exchange = call.make(started_at).await;
        self.note_arrival(slot, Call::Submit, started_at, &exchange).await;
        match &exchange.answer {
            Ok(Submitted { job_id }) => {
                self.keep(job, batch, &exchange, started_at, Kept::small(&exchange.body, None)).await?;
                let now = self.clock.now();
                let next = self.next(job, self.timing.first_poll);
                let after = batch.submitted(&job.key.send, *job_id, now, next);
                self.show_waiting(job, batch, None).await?;
                self.step_on(job, batch, after, next).await
            }
            Err(failure) => {
                let log = log_entries(&exchange.body);
                let token_is_new = batch.progress.token_renewed && token.fresh;
                let verdict = verdict::of_call(Call::Submit, failure, token_is_new, &log);
                let kept = Kept::small(&exchange.body, verdict.unreadable());
                self.keep(job, batch, &exchange, started_at, kept).await?;
                match verdict {
                    Verdict::Split { status } => {
                        issue_log::note(job, batch, log.iter().map(|entry| ("refused", entry)));
                        self.refused(job, batch, loaded, status, &log).await
                    }
                    verdict => self.carry_out(job, batch, verdict).await,
                }
            }
        }
    }

    async fn poll(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        polling: &Polling,
        token: &Token,
        loaded: &BatchBody,
    ) -> Result<StepResult, StepFailure> {
        let call = self.skolverket.job(job.key.stage, token, polling.job_id).await;
        let slot = match self.turn(job, call.is_connected()).await? {
            Turn::Now(slot) => slot,
            Turn::Later(wait) => {
                call.put_off();
                return self.put_back(job, batch, wait, PutBack::NoTime).await;
            }
        };
        let started_at = self.clock.now();
        let exchange = call.make(started_at).await;
        self.note_arrival(slot, Call::Poll, started_at, &exchange).await;
        let answer = match &exchange.answer {
            Ok(answer) => answer,
            Err(failure) => {
                let token_is_new = batch.progress.token_renewed && token.fresh;
                let verdict = verdict::of_call(Call::Poll, failure, token_is_new, &[]);
                let kept = Kept::small(&exchange.body, verdict.unreadable());
                self.keep(job, batch, &exchange, started_at, kept).await?;
                return self.carry_out(job, batch, verdict).await;
            }
        };
        let age = Duration::try_from(started_at.duration_since(polling.submitted_at));
        let stuck = age.is_ok_and(|age| age > self.timing.job_stuck);
        let piece = batch.piece();
        let records: Vec<_> = piece
            .records
            .iter()
            .filter_map(|index| Some((*index, *loaded.records.get(*index as usize)?)))
            .collect();
        let reading = Reading {
            last: stuck,
            again: piece.round < ROUNDS && !stuck,
            usual_status_code: batch.progress.settled.usual_status_code,
        };
        let read = outcomes(&records, answer, reading);
        if read.counts.pending > 0 {
            self.keep(job, batch, &exchange, started_at, Kept::default()).await?;
            let wait = verdict::poll_wait(&self.timing, polling.not_done + 1);
            return self.put_back(job, batch, wait, PutBack::NotReady).await;
        }
        let messages = read
            .issues
            .iter()
            .flat_map(|issue| issue.messages.iter().map(|message| (issue.outcome.as_str(), message)));
        issue_log::note(job, batch, messages);
        tokio::try_join!(
            self.history.put_answer(
                &job.key,
                batch.attempt(),
                exchange.body.as_bytes(),
                &loaded.body,
                batch.expires
            ),
            async {
                let kept = Kept { whole: true, ..Kept::default() };
                self.keep(job, batch, &exchange, started_at, kept).await
            },
        )?;
        let mut issues = read.issues;
        for (index, without) in loaded.left_out(job.key.stage, &piece.records) {
            match issues.iter_mut().find(|issue| issue.index == index) {
                Some(issue) => issue.without = without,
                None if read.transient.contains(&index) => {}
                None => issues.push(Issue {
                    status_code: read.usual_status_code,
                    without,
                    ..Issue::new(index, Outcome::Success)
                }),
            }
        }
        let found =
            Found { counts: read.counts, issues, usual_status_code: read.usual_status_code, answered: true };
        let stop = (read.given_up > 0).then(|| Reason::new(ReasonCode::JobStuck));
        self.settle_piece(job, batch, found, read.transient, stop).await
    }

    async fn carry_out(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        verdict: Verdict,
    ) -> Result<StepResult, StepFailure> {
        match verdict {
            Verdict::PutBack { cause, hint, uncertain } => {
                // All calls share the limit; other waits concern only this batch.
                if let Some(reset) = hint.filter(|_| cause == WaitCause::TooManyCalls) {
                    self.limiter.pause(self.clock.now(), reset).await?;
                }
                let in_the_end = verdict::given_up(cause, None);
                self.wait(job, batch, Wait { cause, hint, uncertain, in_the_end }).await
            }
            Verdict::WaitForToken(cause, reason) => {
                let in_the_end = verdict::given_up(cause, Some(reason));
                self.wait(job, batch, Wait { cause, hint: None, uncertain: false, in_the_end }).await
            }
            Verdict::NewToken => {
                self.skolverket.forget_token(&job.key.send.organisation, batch.environment).await;
                self.put_back(job, batch, Duration::ZERO, PutBack::NewToken).await
            }
            Verdict::NewTry if batch.progress.lost + 1 >= TRIES => self
                .stop(job, batch, Reason::with_status(ReasonCode::JobLost, 404))
                .await
                .map(StepResult::Done),
            Verdict::NewTry => {
                let next = Next { kept: false, ..self.next(job, self.timing.retry_first) };
                let after = batch.new_try(&job.key.send, next);
                self.step_on(job, batch, after, next).await
            }
            Verdict::Split { status } => self
                .stop(job, batch, Reason::with_status(ReasonCode::Refused, status))
                .await
                .map(StepResult::Done),
            Verdict::Stop(reason) => self.stop(job, batch, reason).await.map(StepResult::Done),
            Verdict::TokenNotTaken(reason) => {
                let (organisation, now) = (&job.key.send.organisation, self.clock.now());
                self.history.note_authorization(organisation, batch.environment, Some(&reason), now).await?;
                self.stop(job, batch, reason).await.map(StepResult::Done)
            }
        }
    }

    /// Schedules the same step again later, or ends it if it has waited long enough.
    async fn wait(&self, job: &JobRef, batch: &Batch<Open>, wait: Wait) -> Result<StepResult, StepFailure> {
        let Wait { cause, hint, uncertain, in_the_end } = wait;
        self.metrics.waits_for_skolverket(cause);
        let now = self.clock.now();
        let since = batch.progress.waiting.map_or(now, |waiting| waiting.since);
        let overdue =
            Duration::try_from(now.duration_since(since)).is_ok_and(|age| age > self.timing.deadline);
        if overdue || self.is_unreadable_for_good(job, batch, cause).await? {
            return self.stop(job, batch, in_the_end).await.map(StepResult::Done);
        }
        let wait = verdict::retry_wait(&self.timing, batch.faults(), fastrand::f64(), hint);
        self.put_back(job, batch, wait, PutBack::Waiting { since, cause, uncertain }).await
    }

    /// Whether to stop waiting for another answer after one that could not be read. A send that is stopping waits for
    /// its open batches, but not without limit. An answer that is too large stays too large.
    async fn is_unreadable_for_good(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        cause: WaitCause,
    ) -> Result<bool, StepFailure> {
        let unreadable = batch.progress.waiting.map_or(0, |waiting| waiting.unreadable);
        if !cause.is_unreadable() || unreadable + 1 < UNREADABLE_ANSWERS {
            return Ok(false);
        }
        Ok(cause == WaitCause::AnswerTooLarge || self.history.is_stopping(&job.key.send).await?)
    }

    async fn put_back(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        wait: Duration,
        why: PutBack,
    ) -> Result<StepResult, StepFailure> {
        let mut next = self.next(job, wait);
        // A submit that is not made now must check for a stop first, and its next claim does that. A step that had no
        // slot, or not enough time for one, lets others go first.
        next.kept &= batch.call() == Call::Poll && !matches!(why, PutBack::NoTime);
        match why {
            PutBack::NoTime | PutBack::NewToken => {}
            PutBack::NotReady => self.show_waiting(job, batch, None).await?,
            PutBack::Waiting { since, cause, .. } => {
                self.show_waiting(job, batch, Some((since, cause))).await?;
            }
        }
        let after = batch.put_back(&job.key.send, next, why);
        self.step_on(job, batch, after, next).await
    }
}

/// A wait for an answer, or for a token.
struct Wait {
    cause: WaitCause,
    /// The shortest wait before the next call, if Skolverket gave one.
    hint: Option<Duration>,
    /// Skolverket may have carried out the call.
    uncertain: bool,
    /// Why the send ends if it waits too long.
    in_the_end: Reason,
}
