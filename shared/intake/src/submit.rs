//! Submit: checks a send that arrived in parts as a whole, and accepts it.

use stafett_domain::register::Mentions;
use stafett_domain::{SendStatus, Submission, Validation};
use stafett_history::{Sealed, SendContent, SendRef, StoredPart, StoredSend};

use crate::acceptance::Started;
use crate::error::IntakeError;
use crate::intake::Intake;
use crate::upload_content::UploadContent;

impl Intake {
    /// Accepts a send that arrived in parts: `{"parts": n}`. A repeat gets the same answer.
    ///
    /// # Errors
    /// [`IntakeError`]; nothing was accepted, and the request can be repeated.
    pub async fn submit(&self, send: &SendRef, body: &[u8]) -> Result<StoredSend, IntakeError> {
        let count = Submission::parse_submit(body)?;
        let found = self.history.upload(send).await?.ok_or(IntakeError::NotFound)?;
        if found.upload.submitted.is_some_and(|submitted| submitted != count) {
            return Err(IntakeError::Submitted);
        }
        if found.header.was_accepted() {
            return self.accepted(send).await;
        }
        if found.header.status != SendStatus::Receiving {
            return Err(IntakeError::Ended);
        }
        all_there(&found.parts, count)?;
        let (options, rev) = (found.header.options, found.upload.rev);
        let validation = match found.upload.submitted {
            None => {
                let organiser = self.organisers.get(&send.organisation, self.clock.now()).await?;
                self.terms(&organiser, &found.header.requested_by, options, None)?;
                options.validation
            }
            // The send passed the checks when it was closed for parts. A repeat continues, even if settings and
            // registers have changed.
            Some(_) => Validation::WarnOnly,
        };

        let mut mentions = Mentions::default();
        let read =
            UploadContent::read(&self.history, send, options.references, &found.parts, &mut mentions).await;
        let mut read = match read {
            Ok(read) => read,
            Err(error) => return Err(self.overtaken(send, rev).await?.unwrap_or(error.into())),
        };
        let checked = self.registers.check(&send.organisation, &mentions, &mut read.findings).await;
        let (mut whole, findings) = read.accepted(validation)?;
        checked.known.name(&mut whole.activities);
        if let Err(error) = whole.mark(&self.history, send, findings.records()).await {
            return Err(self.overtaken(send, rev).await?.unwrap_or(error.into()));
        }
        let content = SendContent {
            activities: whole.activities,
            findings: findings.counts().to_vec(),
            not_checked: checked.not_checked,
            jobs: whole.jobs,
        };
        let sealed = self.history.seal_upload(send, rev, count, &content).await?;
        if sealed == Sealed::Yes && self.store_and_start_upload(send, &content).await? == Started::Accepted {
            return self.accepted(send).await;
        }
        // Another request was faster: a part, a cancellation, the watchdog, or another submit.
        match self.overtaken(send, rev).await? {
            Some(refusal) => Err(refusal),
            None => self.accepted(send).await,
        }
    }

    /// Returns why a send whose parts were read at `rev` can no longer be accepted, if it changed meanwhile. When a
    /// part is replaced, its old bodies are deleted.
    async fn overtaken(&self, send: &SendRef, rev: u64) -> Result<Option<IntakeError>, IntakeError> {
        let Some((header, upload)) = self.history.upload_header(send).await? else {
            return Ok(Some(IntakeError::NotFound));
        };
        Ok(if header.status == SendStatus::Cancelled && !header.was_accepted() {
            Some(IntakeError::Ended)
        } else {
            (upload.rev != rev).then_some(IntakeError::PartsMoved)
        })
    }
}

/// Checks that exactly the parts 1 to `count` exist.
fn all_there(parts: &[StoredPart], count: u32) -> Result<(), IntakeError> {
    let there = |number| parts.iter().any(|part| part.part == number);
    let missing: Vec<u32> = (1..=count).filter(|number| !there(*number)).collect();
    let beyond: Vec<u32> = parts.iter().map(|part| part.part).filter(|part| *part > count).collect();
    if missing.is_empty() && beyond.is_empty() {
        Ok(())
    } else {
        Err(IntakeError::WrongParts { missing, beyond })
    }
}

#[cfg(test)]
mod tests {
    use stafett_domain::PerKind;

    use super::*;

    #[test]
    fn parts_are_numbered_without_a_gap() {
        let part = |part| StoredPart {
            part,
            request: uuid::Uuid::nil(),
            batches: PerKind::default(),
            findings: Vec::new(),
            expires: 0,
        };
        assert!(all_there(&[part(1), part(2)], 2).is_ok());
        let Err(IntakeError::WrongParts { missing, beyond }) = all_there(&[part(2), part(5)], 3) else {
            panic!("taken")
        };
        assert_eq!((missing, beyond), (vec![1, 3], vec![5]));
    }
}
