//! `POST /v1/validations`: what would be said of a send, and who would see whose results. Nothing is stored or sent.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use stafett_domain::finding::MAX_LISTED;
use stafett_domain::register::Mentions;
use stafett_domain::{
    Access, FindingGroup, Plan, PlannedBatch, Preview, Read, RecordKind, Severity, Submission, Viewer,
};

use crate::Shared;
use crate::body::unpacked;
use crate::caller::Sender;
use crate::problem::Problem;
use crate::records::unreadable;
use crate::registers::{self, NotCheckedView};
use crate::room::Room;
use crate::terms::conditions;

/// Duties that the preview shows; the answer says how many there are.
const VIEWERS_SHOWN: usize = 100;

/// What is said of a body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValidationView<'a> {
    /// Whether `POST /v1/sends` takes this body as it is, with the options that it has.
    valid: bool,
    counts: CountsView,
    /// By rule and code: how many, and the first hundred; fewer where all of them together would be too large.
    rules: Vec<FindingGroup<'a>>,
    /// The registers that it could not be held against.
    not_checked: Vec<NotCheckedView>,
    access_preview: PreviewView,
}

#[derive(Serialize)]
struct CountsView {
    errors: u32,
    warnings: u32,
}

/// Who would see whose results: of the records that can be read.
#[derive(Serialize)]
struct PreviewView {
    /// How many duties there are.
    total: usize,
    /// The first hundred of them; fewer where these would be too large.
    items: Vec<Viewer>,
}

/// Looks at a send: the body of `POST /v1/sends`.
pub(crate) async fn validate(
    State(relay): State<Shared>,
    Sender(caller): Sender,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let conditions = conditions(&relay, &caller.organisation).await?;
    let body = unpacked(&headers, body)?;
    let Read { content: submission, mut findings } = Submission::read(&body, conditions)?;
    drop(body);
    let mentions = Mentions::of(&submission);
    let checked = registers::check(&relay, &caller.organisation, &mentions, &mut findings).await;
    let valid = !findings.refuse(submission.options.validation);
    let plan = Plan::of(&submission);
    drop(submission);
    let [mut for_rules, for_preview] = Room::halves();
    let mut rules = findings.groups();
    fit(&mut rules, &mut for_rules)?;
    let view = ValidationView {
        valid,
        counts: CountsView {
            errors: findings.total(Severity::Error),
            warnings: findings.total(Severity::Warning),
        },
        rules,
        not_checked: NotCheckedView::all(&checked.not_checked),
        access_preview: preview(&plan, caller.access(), for_preview)?,
    };
    tracing::info!(
        event = "validation.done", organisation = %caller.organisation, errors = view.counts.errors,
        warnings = view.counts.warnings, "a send was looked at"
    );
    Ok(Json(view).into_response())
}

/// Leaves as many findings as there is room for: of each group the first ones.
fn fit(groups: &mut [FindingGroup<'_>], room: &mut Room) -> Result<(), Problem> {
    let mut kept = vec![0; groups.len()];
    for place in 0..MAX_LISTED {
        for (group, kept) in groups.iter().zip(&mut kept) {
            let finding = group.findings.as_ref().and_then(|findings| findings.get(place));
            // A group that has come to its end stays there.
            if let Some(finding) = finding.filter(|_| *kept == place)
                && room.take(finding)?
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

fn preview(plan: &Plan, access: Access, mut for_preview: Room) -> Result<PreviewView, Problem> {
    let duties = plan.batches(RecordKind::Duty);
    let mut preview = Preview::new(access);
    let mut room = VIEWERS_SHOWN;
    for PlannedBatch { body, facts, .. } in duties {
        if room == 0 {
            break;
        }
        room -= preview.duties(body, facts, 0, room).map_err(unreadable)?;
    }
    for PlannedBatch { body, facts, .. } in plan.batches(RecordKind::Activity) {
        preview.activities(body, facts).map_err(unreadable)?;
    }
    for batch in plan.batches(RecordKind::Group) {
        preview.groups(&batch.body).map_err(unreadable)?;
    }
    let total = duties.iter().map(|batch| batch.ids.len()).sum();
    let mut items = preview.finish();
    let mut shown = 0;
    while let Some(viewer) = items.get(shown)
        && for_preview.take(viewer)?
    {
        shown += 1;
    }
    items.truncate(shown);
    Ok(PreviewView { total, items })
}
