//! A new send: complete in one request, or opened for parts.

use stafett_domain::register::Mentions;
use stafett_domain::{Conditions, Facts, SendId, Submission};
use stafett_history::{SendContent, SendTerms, StoredSend};

use crate::acceptance::Started;
use crate::content::content_of;
use crate::error::IntakeError;
use crate::idempotency::{IdempotencyKey, RequestDigest};
use crate::intake::{Intake, Requester};
use crate::upload::opens_upload;

/// The result of a request for a new send. Every repeat gets the same result.
pub enum NewSendAnswer {
    /// The send is accepted.
    Accepted(Box<StoredSend>),
    /// The send is open for parts.
    Open(SendId),
}

impl Intake {
    /// Checks a send, stores it, gives it its place in the order, and queues its first step if it is next. A body
    /// `{"upload": true, options?}` opens a send for parts instead.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing was accepted, and the request can be repeated.
    pub async fn new_send(
        &self,
        requester: &Requester,
        key: &IdempotencyKey,
        body: &[u8],
    ) -> Result<NewSendAnswer, IntakeError> {
        let organisation = &requester.organisation;
        if opens_upload(body) {
            return self.open_upload(requester, key, body).await.map(NewSendAnswer::Open);
        }
        let accepted = |stored| NewSendAnswer::Accepted(Box::new(stored));
        let request = RequestDigest::of(key, body);
        let (terms, content) = match self.check(requester, body).await {
            Ok(checked) => checked,
            Err(refusal) => return self.unless_repeated(organisation, &request, refusal).await.map(accepted),
        };
        let send = self.send_of(organisation, &request).await?;
        match self.store_and_start(&send, &terms, &content, None).await? {
            Started::Accepted => self.accepted(&send).await.map(accepted),
            Started::Closed | Started::Moved => Err(IntakeError::BeingRemoved),
        }
    }

    /// Runs all checks on a body.
    async fn check(
        &self,
        requester: &Requester,
        body: &[u8],
    ) -> Result<(SendTerms, SendContent<Facts>), IntakeError> {
        let Requester { organisation, subject } = requester;
        let now = self.clock.now();
        let organiser = self.organisers.get(organisation, now).await?;
        let mut read = Submission::read(body, Conditions::at(now, organiser.protected))?;
        let mentions = Mentions::of(&read.content);
        let checked = self.registers.check(organisation, &mentions, &mut read.findings).await;
        let validation = read.content.options.validation;
        let (submission, findings) = read.accepted(validation)?;
        let terms = self.terms(&organiser, subject, submission.options, None)?;
        let mut content = content_of(submission, &findings, checked.not_checked);
        checked.known.name(&mut content.activities);
        Ok((terms, content))
    }
}
