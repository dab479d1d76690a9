//! The labels of states, outcomes, stages and calls, in Swedish and English.
//!
//! Lower case, to be used alone or in a sentence; the stages are names. Skolverket's answer only means that a record was
//! accepted: it reaches the test platform in a separate step (shared/README, Skolverket 7), and no label says more.

use crate::kind::record_kind::RecordKind;
use crate::state::call::AttemptCall;
use crate::state::outcome::Outcome;
use crate::state::status::{JobStatus, SendStatus};
use crate::words::text::Text;

/// A name in the two languages of the admins.
pub type Label = Text<&'static str>;

const fn label(sv: &'static str, en: &'static str) -> Label {
    Label { sv, en }
}

impl SendStatus {
    /// What people call it.
    pub fn label(self) -> Label {
        match self {
            Self::Receiving => label("tas emot", "being received"),
            Self::Queued => label("i kö", "queued"),
            Self::Running => label("pågår", "running"),
            Self::Succeeded => label(
                "godtagen av Skolverket; ännu inte sedd i provplattformen",
                "accepted by Skolverket; not yet seen in the test platform",
            ),
            Self::SucceededWithWarnings => label(
                "godtagen av Skolverket med varningar; ännu inte sedd i provplattformen",
                "accepted by Skolverket with warnings; not yet seen in the test platform",
            ),
            Self::CompletedWithErrors => label(
                "genomförd med fel; en del poster godtogs inte",
                "completed with errors; some records were not accepted",
            ),
            Self::Failed => label("misslyckad", "failed"),
            Self::Cancelled => label("avbruten", "cancelled"),
        }
    }
}

impl JobStatus {
    /// What people call it.
    pub fn label(self) -> Label {
        match self {
            Self::Waiting => label("väntar på tidigare jobb", "waiting for earlier jobs"),
            Self::Running => label("pågår", "running"),
            Self::Succeeded => label(
                "godtaget av Skolverket; ännu inte sett i provplattformen",
                "accepted by Skolverket; not yet seen in the test platform",
            ),
            Self::SucceededWithWarnings => label(
                "godtaget av Skolverket med varningar; ännu inte sett i provplattformen",
                "accepted by Skolverket with warnings; not yet seen in the test platform",
            ),
            Self::CompletedWithErrors => label(
                "genomfört med fel; en del poster godtogs inte",
                "completed with errors; some records were not accepted",
            ),
            Self::Failed => label("misslyckat", "failed"),
            Self::Cancelled => label("avbrutet", "cancelled"),
            Self::NotStarted => label("inte startat", "not started"),
        }
    }
}

impl Outcome {
    /// What people call it.
    pub fn label(self) -> Label {
        match self {
            Self::Pending => label("inget utfall ännu", "no outcome yet"),
            Self::Success => label(
                "godtagen av Skolverket; ännu inte sedd i provplattformen",
                "accepted by Skolverket; not yet seen in the test platform",
            ),
            Self::Warning => label(
                "godtagen av Skolverket med varning; bör rättas",
                "accepted by Skolverket with a warning; should be mended",
            ),
            Self::Error => label("inte godtagen av Skolverket", "not accepted by Skolverket"),
            Self::Skipped => label(
                "inte skickad; beror på en post som inte godtogs",
                "not sent; depends on a record that was not accepted",
            ),
            Self::NotSent => {
                label("inte skickad; jobbet avslutades dessförinnan", "not sent; the job had ended before")
            }
            Self::Unknown => label("skickad; inget utfall har kommit", "sent; no outcome has come"),
        }
    }
}

impl RecordKind {
    /// What people call its job.
    pub fn label(self) -> Label {
        match self {
            Self::Person => label("Användare", "Users"),
            Self::Duty => label("Tjänstgöringar", "Duties"),
            Self::Group => label("Grupper", "Groups"),
            Self::Activity => label("Aktiviteter", "Activities"),
        }
    }
}

impl AttemptCall {
    /// What people call it.
    pub fn label(self) -> Label {
        match self {
            Self::Token => label("begärde en token", "asked for a token"),
            Self::Submit => label("skickade poster", "records sent"),
            Self::Poll => label("frågade efter utfallet", "asked for the outcome"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Every label has a name in both languages, and no two labels of a kind are equal.
    fn all_named(labels: impl IntoIterator<Item = Label>) {
        let (mut sv, mut en) = (HashSet::new(), HashSet::new());
        for label in labels {
            assert!(!label.sv.trim().is_empty() && !label.en.trim().is_empty(), "{label:?}");
            assert_ne!(label.sv, label.en);
            assert!(sv.insert(label.sv) && en.insert(label.en), "{label:?} names two things");
        }
    }

    #[test]
    fn everything_has_a_name_of_its_own_in_both_languages() {
        all_named(SendStatus::ALL.iter().map(|status| status.label()));
        all_named(JobStatus::ALL.iter().map(|status| status.label()));
        all_named(Outcome::ALL.iter().map(|outcome| outcome.label()));
        all_named(RecordKind::ALL.map(RecordKind::label));
        all_named([AttemptCall::Token, AttemptCall::Submit, AttemptCall::Poll].map(AttemptCall::label));
    }

    #[test]
    fn success_says_no_more_than_is_known() {
        let known = "accepted by Skolverket; not yet seen in the test platform";
        assert_eq!(SendStatus::Succeeded.label().en, known);
        assert_eq!(JobStatus::Succeeded.label().en, known);
        assert_eq!(Outcome::Success.label().en, known);
        assert_eq!(
            SendStatus::Succeeded.label().sv,
            "godtagen av Skolverket; ännu inte sedd i provplattformen"
        );
    }
}
