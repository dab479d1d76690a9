//! The result of a validation, cut to the largest size of a response.

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::finding::MAX_LISTED;
use stafett_domain::{FindingGroup, Severity, Viewer};
use stafett_intake::ValidationReport;

use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;
use crate::views::findings::NotCheckedView;

/// The result of a validation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Validation")]
pub(crate) struct ValidationView {
    /// Whether `POST /v1/sends` accepts this body, with its own options.
    #[schemars(example = true)]
    valid: bool,
    counts: CountsView,
    /// The findings by rule and code: how many, and the first hundred, or fewer if the answer would be too large.
    rules: Vec<FindingGroup>,
    /// The registers that could not be queried.
    not_checked: Vec<NotCheckedView>,
    access_preview: PreviewView,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FindingCounts")]
struct CountsView {
    errors: u32,
    warnings: u32,
}

/// Who would see whose results, according to the records that can be read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccessPreview")]
struct PreviewView {
    /// How many duties there are.
    total: usize,
    /// The first hundred, or fewer where the answer would be too large.
    #[schemars(length(max = 100))]
    items: Vec<Viewer>,
}

impl ValidationView {
    /// As much of the report as fits into an answer.
    pub(crate) fn new(report: ValidationReport) -> Result<Self, Problem> {
        let ValidationReport { valid, findings, not_checked, duties, viewers } = report;
        let [mut for_rules, mut for_preview] = SizeLimit::halves();
        let mut rules = findings.groups();
        fit(&mut rules, &mut for_rules)?;
        let mut items = Vec::new();
        for viewer in viewers {
            if !for_preview.take(&viewer)? {
                break;
            }
            items.push(viewer);
        }
        Ok(Self {
            valid,
            counts: CountsView {
                errors: findings.total(Severity::Error),
                warnings: findings.total(Severity::Warning),
            },
            rules,
            not_checked: NotCheckedView::all(&not_checked),
            access_preview: PreviewView { total: duties, items },
        })
    }
}

/// Keeps the first findings of each group, as many as fit.
fn fit(groups: &mut [FindingGroup], size_limit: &mut SizeLimit) -> Result<(), Problem> {
    let mut kept = vec![0; groups.len()];
    for place in 0..MAX_LISTED {
        for (group, kept) in groups.iter().zip(&mut kept) {
            let finding = group.findings.as_ref().and_then(|findings| findings.get(place));
            // A group whose finding did not fit gets no further ones.
            if let Some(finding) = finding.filter(|_| *kept == place)
                && size_limit.take(finding)?
            {
                *kept += 1;
            }
        }
    }
    for (group, kept) in groups.iter_mut().zip(kept) {
        if let Some(findings) = &mut group.findings {
            findings.truncate(kept);
        }
    }
    Ok(())
}
