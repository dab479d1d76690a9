//! Validation without sending: what is wrong with a body, and who would see whose results.

use stafett_domain::register::{Mentions, Register};
use stafett_domain::{
    Access, Findings, OrganisationNumber, Plan, PlannedBatch, Preview, Read, RecordKind, RowError, Severity,
    Submission, Viewer,
};

use crate::error::IntakeError;
use crate::intake::Intake;

/// The result of a validation.
pub struct ValidationReport {
    /// Whether the body would be accepted, with its own options.
    pub valid: bool,
    /// All that is wrong with it, or worth a warning.
    pub findings: Findings,
    /// The registers that could not be asked.
    pub not_checked: Vec<Register>,
    /// How many readable duties it has.
    pub duties: usize,
    /// Who would see whose results: the first of these duties.
    pub viewers: Vec<Viewer>,
}

impl Intake {
    /// Checks the body of a new send as [`Intake::new_send`] does. `viewers`: the most duties of the access preview, for a
    /// caller with this access. The body is freed as soon as it is read.
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

/// Who would see whose results: of the first `most` duties.
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
