//! Validation without sending: what is wrong with a body, and who would get access to which results.

use stafett_domain::register::{Mentions, Register};
use stafett_domain::{
    Access, Findings, OrganisationNumber, Plan, PlannedBatch, Preview, Read, RecordKind, RowError, Severity,
    Submission, Viewer,
};

use crate::error::IntakeError;
use crate::intake::Intake;

/// The result of a validation.
pub struct ValidationReport {
    /// Whether the body would be accepted with its own options.
    pub valid: bool,
    /// All errors and warnings.
    pub findings: Findings,
    /// The registers that did not respond.
    pub not_checked: Vec<Register>,
    /// The number of duties that can be parsed.
    pub duties: usize,
    /// Who would get access to which results, for the first of these duties.
    pub viewers: Vec<Viewer>,
}

impl Intake {
    /// Checks the body of a new send as [`Intake::new_send`] does. `viewers` limits the number of duties in the access
    /// preview, which is made for a caller with `access`. The body's memory is freed as soon as it is parsed.
    ///
    /// # Errors
    /// [`IntakeError`]
    pub async fn validate(
        &self,
        organisation: &OrganisationNumber,
        body: impl AsRef<[u8]>,
        access: Access,
        viewers: usize,
    ) -> Result<ValidationReport, IntakeError> {
        let conditions = self.conditions(organisation).await?;
        let Read { content: submission, mut findings } = Submission::read(body.as_ref(), conditions)?;
        drop(body);
        let mentions = Mentions::of(&submission);
        let checked = self.registers.check(organisation, &mentions, &mut findings).await;
        let valid = !findings.refuse(submission.options.validation);
        let plan = Plan::of(&submission);
        drop(submission);
        let duties = plan.batches(RecordKind::Duty).iter().map(|batch| batch.ids.len()).sum();
        let viewers = preview(&plan, access, viewers)?;
        tracing::info!(
            event = "validation.done", organisation = %organisation, errors = findings.total(Severity::Error),
            warnings = findings.total(Severity::Warning), "a send was looked at"
        );
        Ok(ValidationReport { valid, findings, not_checked: checked.not_checked, duties, viewers })
    }
}

/// Who would get access to which results, for the first `most` duties.
fn preview(plan: &Plan, access: Access, most: usize) -> Result<Vec<Viewer>, RowError> {
    let mut preview = Preview::new(access);
    let mut left = most;
    for PlannedBatch { body, facts, .. } in plan.batches(RecordKind::Duty) {
        if left == 0 {
            break;
        }
        left -= preview.duties(body, facts, 0, left)?;
    }
    for PlannedBatch { body, facts, .. } in plan.batches(RecordKind::Activity) {
        preview.activities(body, facts)?;
    }
    for batch in plan.batches(RecordKind::Group) {
        preview.groups(&batch.body)?;
    }
    Ok(preview.finish())
}
