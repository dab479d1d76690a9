//! Gets the organiser's token for a step, and stores the token requests as attempts.

use std::num::NonZeroU8;

use stafett_domain::{AttemptCall, AttemptId, AuthorizationCause, Call, Reason};
use stafett_history::{Attempt, Batch, HistoryError, Open};
use stafett_skolverket::{Identity, Token, TokenAnswer, TokenRequest};

use crate::error::{HandleError, StepFailure};
use crate::follow_up::JobRef;
use crate::relay::Relay;
use crate::token_failure::{self, NoToken};

/// The result of a step's request for a token.
pub(crate) enum ObtainedToken {
    /// A token.
    Token(Token),
    /// No token, and why.
    None(NoToken),
}

impl Relay {
    /// Gets the organiser's token for the send's environment. Stores the requests for it as attempts, and records their
    /// results for those who maintain the settings.
    pub(crate) async fn token(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
    ) -> Result<ObtainedToken, StepFailure> {
        let (organisation, now) = (&job.key.send.organisation, self.clock.now());
        let organiser = match self.organisers.get(organisation, now).await {
            Ok(organiser) => organiser,
            Err(error) => {
                let cause = error.cause().ok_or(HandleError::Settings(error))?;
                return Ok(ObtainedToken::None(NoToken::Refused(Reason::authorization(cause))));
            }
        };
        // Open jobs are polled to their end with the existing token.
        if batch.call() == Call::Submit {
            let allowed = organiser.environment(Some(batch.environment)).is_some();
            let not_allowed = (!allowed).then_some(AuthorizationCause::EnvironmentNotAllowed);
            if let Some(cause) = organiser.refusal(now).or(not_allowed) {
                return Ok(ObtainedToken::None(NoToken::Refused(Reason::authorization(cause))));
            }
        }
        let identity = &organiser.identity;
        let TokenAnswer { requests, token } = self.skolverket.token(identity, batch.environment, now).await;
        self.keep_token_requests(job, batch, &requests, identity).await?;
        let no_token = match &token {
            Ok(token) if !token.fresh => return Ok(ObtainedToken::Token(token.clone())),
            Ok(_) => None,
            Err(failure) => {
                tracing::warn!(
                    event = "token.failed", send = %job.key.send.send, organisation = %organisation,
                    environment = %batch.environment, error = %failure, "no token"
                );
                Some(token_failure::no_token(failure, identity, now))
            }
        };
        let failure = no_token.as_ref().map(NoToken::reason);
        self.history.note_authorization(organisation, batch.environment, failure, now).await?;
        Ok(match token {
            Ok(token) => ObtainedToken::Token(token),
            Err(failure) => ObtainedToken::None(token_failure::no_token(&failure, identity, now)),
        })
    }

    /// Stores the token requests of a step, so that a reader of the step's call also sees the requests before it.
    async fn keep_token_requests(
        &self,
        job: &JobRef,
        batch: &Batch<Open>,
        requests: &[TokenRequest],
        identity: &Identity,
    ) -> Result<(), HistoryError> {
        for (number, request) in (1..).map_while(NonZeroU8::new).zip(requests) {
            let failure = request.failure.as_ref();
            let cause = failure.and_then(|failure| {
                token_failure::no_token(failure, identity, request.started_at).reason().cause
            });
            let attempt = Attempt {
                attempt: AttemptId { token_request: Some(number), ..batch.attempt() },
                call: AttemptCall::Token,
                method: "POST".to_owned(),
                path: request.path.clone(),
                started_at: request.started_at,
                duration_ms: u64::try_from(request.duration.as_millis()).unwrap_or(u64::MAX),
                status: request.status,
                cause,
                wait_cause: None,
                request_bytes: request.request_bytes as u64,
                request: Some(request.request.to_string()),
                response_bytes: request.response_bytes as u64,
                response: request.response.clone(),
                answer_kept: false,
                records: Vec::new(),
                expires: batch.expires,
            };
            self.history.put_attempt(&job.key, &attempt).await?;
        }
        Ok(())
    }
}
