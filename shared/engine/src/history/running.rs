//! Which sends have their organiser's place now.

use std::collections::HashMap;

use jiff::Timestamp;

use super::due::IndexEntry;
use super::item::Organiser;
use super::key::{self, Carrier, SHARDS, SendRef};
use super::store::{History, HistoryError, In, from_item, unavailable};

/// A send that has its organiser's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSend {
    /// Which.
    pub send: SendRef,
    /// When it got the place.
    pub since: Timestamp,
}

impl History {
    /// The sends that have their organiser's place, in no order. An organiser is in the index of what is due for as
    /// long as one of its sends has the place.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn running_sends(&self) -> Result<Vec<RunningSend>, HistoryError> {
        let mut organisations = HashMap::new();
        for shard in 0..SHARDS {
            let request = self.in_shard(shard).key_condition_expression("dueShard = :shard");
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                for item in page.map_err(|error| unavailable(&error))?.items.unwrap_or_default() {
                    let entry: IndexEntry = from_item(item)?;
                    if let Some(Carrier::Organiser(organisation)) = entry.carrier() {
                        organisations.insert(key::organiser(&organisation).pk, organisation);
                    }
                }
            }
        }
        let keys: Vec<_> = organisations.values().map(key::organiser).collect();
        // For the figures alone: who cannot be read is missing there, and everywhere else an error.
        let organisers: Vec<In<Organiser>> = self.get_many_listed(&keys).await?;
        let running = organisers.into_iter().filter_map(|In { pk, item }| {
            let send = SendRef::new(organisations.get(&pk)?.clone(), item.running?);
            Some(RunningSend { send, since: item.running_since? })
        });
        Ok(running.collect())
    }
}
