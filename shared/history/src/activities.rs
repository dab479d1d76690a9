//! A send's activities. The first ones have their own small item, so that the header stays small. If there are more,
//! all of them are stored packed.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_domain::register::Register;
use stafett_domain::{ActivitySummary, KindCount, SendId};

use crate::attributes::In;
use crate::content::SendContent;
use crate::error::HistoryError;
use crate::item::SendHeader;
use crate::key::SendRef;
use crate::page::{Listed, Page};
use crate::store::History;
use crate::version::PackedKind;

/// The number of activities shown with a send. The others are read page by page.
pub const ACTIVITIES_SHOWN: usize = 20;

/// The first activities of a send, and its findings.
#[derive(Serialize, Deserialize)]
pub(crate) struct ActivitiesItem {
    activities: String,
    /// The number of findings of each kind when the send was accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) findings: Vec<KindCount>,
    /// The registers that did not respond when the send was checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_checked: Vec<Register>,
    /// The packed list has more activities.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) more: bool,
    pub(crate) expires: i64,
}

/// Returns the activities in an item.
pub(crate) fn activities_in(item: &ActivitiesItem) -> Result<Vec<ActivitySummary>, HistoryError> {
    serde_json::from_str(&item.activities)
        .map_err(|_| HistoryError::Corrupt("activities that cannot be read"))
}

/// Returns the activities of a send on a page with others. An error in one send must not hide the others.
pub(crate) fn shown(
    send: SendId,
    read: Result<Vec<ActivitySummary>, HistoryError>,
) -> Result<Vec<ActivitySummary>, HistoryError> {
    let Some(what) = read.as_ref().err().and_then(HistoryError::unreadable) else { return read };
    tracing::warn!(event = "activities.unreadable", send = %send, what, "a send is listed without its activities");
    Ok(Vec::new())
}

fn by_partition(found: Vec<In<ActivitiesItem>>) -> HashMap<String, ActivitiesItem> {
    found.into_iter().map(|In { pk, item }| (pk, item)).collect()
}

impl History {
    pub(crate) async fn put_activities<F>(
        &self,
        send: &SendRef,
        content: &SendContent<F>,
        expires: i64,
    ) -> Result<(), HistoryError> {
        let activities = content.activities.as_slice();
        let first = activities.get(..ACTIVITIES_SHOWN).unwrap_or(activities);
        let more = first.len() < activities.len();
        if more {
            self.put_packed_json(PackedKind::Activities, &send.all_activities(), &activities, expires)
                .await?;
        }
        let first = serde_json::to_string(first)
            .map_err(|_| HistoryError::Corrupt("activities that cannot be written"))?;
        let (findings, not_checked) = (content.findings.clone(), content.not_checked.clone());
        let item = ActivitiesItem { activities: first, findings, not_checked, more, expires };
        self.put(&send.activities(), &item).await
    }

    /// Returns the items with the first activities of these sends by partition, for a list. Items that cannot be parsed
    /// are left out.
    pub(crate) async fn first_activities(
        &self,
        sends: &[SendRef],
    ) -> Result<HashMap<String, ActivitiesItem>, HistoryError> {
        let keys: Vec<_> = sends.iter().map(SendRef::activities).collect();
        Ok(by_partition(self.get_many_listed(&keys).await?))
    }

    /// Does the same, and fails if an item cannot be parsed.
    pub(crate) async fn all_first_activities(
        &self,
        sends: &[SendRef],
    ) -> Result<HashMap<String, ActivitiesItem>, HistoryError> {
        let keys: Vec<_> = sends.iter().map(SendRef::activities).collect();
        Ok(by_partition(self.get_many(&keys).await?))
    }

    /// Returns all activities of a send whose first ones are known.
    pub(crate) async fn with_rest(
        &self,
        send: &SendRef,
        first: &ActivitiesItem,
    ) -> Result<Vec<ActivitySummary>, HistoryError> {
        if !first.more {
            return activities_in(first);
        }
        let all = self.get_packed_json(PackedKind::Activities, &send.all_activities()).await?;
        all.ok_or(HistoryError::Corrupt("a send without its activities"))
    }

    /// Returns all activities of an accepted send that has not expired, in order.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn activities(
        &self,
        send: &SendRef,
        now: Timestamp,
    ) -> Result<Option<Vec<ActivitySummary>>, HistoryError> {
        let header: Option<SendHeader> = self.get(&send.header()).await?;
        if !header.is_some_and(|header| header.is_seen(now)) {
            return Ok(None);
        }
        let first: Option<ActivitiesItem> = self.get(&send.activities()).await?;
        let first = first.ok_or(HistoryError::Corrupt("a send without its activities"))?;
        self.with_rest(send, &first).await.map(Some)
    }

    /// Returns the activities of a send in order: at most `limit`, starting at index `first`.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn activities_from(
        &self,
        send: &SendRef,
        first: usize,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Page<ActivitySummary>>, HistoryError> {
        let Some(all) = self.activities(send, now).await? else { return Ok(None) };
        let next = first.saturating_add(limit);
        let next = (next < all.len()).then(|| next.to_string());
        let items = all.into_iter().enumerate().skip(first).take(limit);
        let items = items.map(|(place, item)| Listed { item, after: (place + 1).to_string() });
        Ok(Some(Page { items: items.collect(), next }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out_and_what_cannot_be_reached_is_an_error() {
        let send = SendId(uuid::Uuid::nil());
        let stored = |activities: &str| ActivitiesItem {
            activities: activities.to_owned(),
            findings: Vec::new(),
            not_checked: Vec::new(),
            more: false,
            expires: 0,
        };
        assert!(activities_in(&stored("[{}]")).is_err());
        assert!(shown(send, activities_in(&stored("[{}]"))).unwrap().is_empty());
        let away = HistoryError::Unavailable { code: "timeout".to_owned() };
        assert!(shown(send, Err(away)).is_err());
    }
}
