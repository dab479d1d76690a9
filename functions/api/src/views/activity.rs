//! Test activities.

use jiff::Timestamp;
use serde::Serialize;
use stafett_domain::{ActivitySummary, Label, SendId, SendStatus};
use stafett_history::CurrentActivity;

/// An activity, as the latest send that holds it has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrentActivityView {
    #[serde(flatten)]
    activity: ActivitySummary,
    /// When that send was accepted.
    last_changed: Option<Timestamp>,
    latest_send: LatestSendView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LatestSendView {
    id: SendId,
    status: SendStatus,
    status_label: Label,
}

impl From<CurrentActivity> for CurrentActivityView {
    fn from(CurrentActivity { activity, latest }: CurrentActivity) -> Self {
        let latest_send =
            LatestSendView { id: latest.id, status: latest.status, status_label: latest.status.label() };
        Self { activity, last_changed: latest.accepted_at, latest_send }
    }
}
