//! The numbers of findings in a body, and the registers that could not be checked.

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::register::Register;
use stafett_domain::{FindingGroup, Findings, KindCount, Severity};

/// The numbers of findings in a body, and the first records that they are about. Rows of records show findings, too
/// (`findings`), except for attributes that are left out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Found")]
pub(crate) struct FoundView {
    errors: u32,
    warnings: u32,
    rules: Vec<FindingGroup>,
    /// The registers that could not be queried; absent if none is queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_checked: Option<Vec<NotCheckedView>>,
}

impl FoundView {
    pub(crate) fn of(counts: &[KindCount], not_checked: Option<&[Register]>) -> Self {
        let mut findings = Findings::default();
        findings.add_counts(counts);
        Self {
            errors: findings.total(Severity::Error),
            warnings: findings.total(Severity::Warning),
            rules: FindingGroup::all(counts),
            not_checked: not_checked.map(NotCheckedView::all),
        }
    }
}

/// A register of Skolverket's that did not answer in time. This does not hold up a send.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotChecked")]
pub(crate) struct NotCheckedView {
    what: Register,
    en: String,
    sv: String,
}

impl NotCheckedView {
    pub(crate) fn all(not_checked: &[Register]) -> Vec<Self> {
        let view = |what: &Register| {
            let text = what.not_checked();
            Self { what: *what, en: text.en, sv: text.sv }
        };
        not_checked.iter().map(view).collect()
    }
}
