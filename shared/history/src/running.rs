//! The sends that have their organiser's running place, and the sends that wait behind them.

use std::collections::HashMap;

use futures::TryStreamExt;
use jiff::Timestamp;
use stafett_domain::{OrganisationNumber, SendStatus};

use crate::attributes::{In, from_item};
use crate::due::IndexEntry;
use crate::error::{HistoryError, unavailable};
use crate::item::{Organiser, SendHeader};
use crate::key::{self, Carrier, SHARDS, SendRef};
use crate::store::History;

/// A send that has its organiser's running place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSend {
    pub send: SendRef,
    /// When it got the place.
    pub since: Timestamp,
}

/// The number of places in the order to read at once.
const ORDER_PAGE: usize = 100;

impl History {
    /// Returns the sends that have their organiser's running place, in any order.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn running_sends(&self) -> Result<Vec<RunningSend>, HistoryError> {
        let named = |organisation| (key::organiser(&organisation).pk, organisation);
        let organisations: HashMap<_, _> = self.organisers_at_work().await?.into_iter().map(named).collect();
        let keys: Vec<_> = organisations.values().map(key::organiser).collect();
        // Only metrics use this. An organiser that cannot be parsed is left out here, and is an error everywhere else.
        let organisers: Vec<In<Organiser>> = self.get_many_listed(&keys).await?;
        let running = organisers.into_iter().filter_map(|In { pk, item }| {
            let send = SendRef::new(organisations.get(&pk)?.clone(), item.running?);
            Some(RunningSend { send, since: item.running_since? })
        });
        Ok(running.collect())
    }

    /// Returns the organisers with a running send, in any order. Each is in the index of due items as long as a send
    /// runs.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn organisers_at_work(&self) -> Result<Vec<OrganisationNumber>, HistoryError> {
        let mut organisers = Vec::new();
        for shard in 0..SHARDS {
            let request = self.in_shard(shard).key_condition_expression("dueShard = :shard");
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                for item in page.map_err(|error| unavailable(&error))?.items.unwrap_or_default() {
                    let entry: IndexEntry = from_item(item)?;
                    if let Some(Carrier::Organiser(organisation)) = entry.carrier() {
                        organisers.push(organisation);
                    }
                }
            }
        }
        Ok(organisers)
    }

    /// Returns an organiser's waiting and running sends, the last accepted first.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn unended(&self, organisation: &OrganisationNumber) -> Result<Vec<SendRef>, HistoryError> {
        let organiser = self.organiser(organisation).await?;
        // If no send has the place, none waits for it.
        let Some(running) = organiser.and_then(|organiser| organiser.running_seq) else {
            return Ok(Vec::new());
        };
        let placed = self.placed_after(organisation, running.saturating_sub(1), ORDER_PAGE);
        let headers: Vec<_> = placed.map_ok(|placed| placed.send.header()).try_collect().await?;
        let mut sends: Vec<SendHeader> = self.get_many(&headers).await?;
        sends.retain(|send| matches!(send.status, SendStatus::Queued | SendStatus::Running));
        sends.sort_by_key(|send| std::cmp::Reverse(send.seq));
        Ok(sends.into_iter().map(|send| SendRef::new(organisation.clone(), send.id)).collect())
    }
}
