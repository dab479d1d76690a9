//! Test activities.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{ActivitySummary, Label, SendId, SendStatus};
use stafett_history::CurrentActivity;

/// A test activity, with the data of the latest send that holds it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CurrentActivity")]
pub(crate) struct CurrentActivityView {
    #[serde(flatten)]
    activity: ActivitySummary,
    /// When that send was accepted.
    last_changed: Option<Timestamp>,
    latest_send: LatestSendView,
}

/// The latest send that holds an activity.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LatestSend")]
struct LatestSendView {
    id: SendId,
    #[schemars(example = SendStatus::Failed)]
    status: SendStatus,
    #[schemars(example = SendStatus::Failed.label())]
    status_label: Label,
}

impl From<CurrentActivity> for CurrentActivityView {
    fn from(CurrentActivity { activity, latest }: CurrentActivity) -> Self {
        let latest_send =
            LatestSendView { id: latest.id, status: latest.status, status_label: latest.status.label() };
        Self { activity, last_changed: latest.accepted_at, latest_send }
    }
}
