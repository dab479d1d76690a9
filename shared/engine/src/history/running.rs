//! Which sends have their organiser's place now.

use jiff::Timestamp;

use super::due::IndexEntry;
use super::item::Organiser;
use super::key::{self, Carrier, SHARDS};
use super::store::{History, HistoryError, from_item, unavailable};

impl History {
    /// When each send that has its organiser's place got it, in no order. An organiser is in the index of what is due
    /// for as long as one of its sends has the place.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn running_since(&self) -> Result<Vec<Timestamp>, HistoryError> {
        let mut organisers = Vec::new();
        for shard in 0..SHARDS {
            let request = self.in_shard(shard).key_condition_expression("dueShard = :shard");
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                for item in page.map_err(|error| unavailable(&error))?.items.unwrap_or_default() {
                    let entry: IndexEntry = from_item(item)?;
                    if let Some(Carrier::Organiser(organisation)) = entry.carrier() {
                        organisers.push(key::organiser(&organisation));
                    }
                }
            }
        }
        let organisers: Vec<Organiser> = self.get_many(&organisers).await?;
        Ok(organisers.into_iter().filter_map(|organiser| organiser.running_since).collect())
    }
}
