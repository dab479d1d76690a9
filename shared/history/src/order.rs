//! The order in which an organiser's sends were accepted.

use futures::StreamExt;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use stafett_domain::{OrganisationNumber, SendId};

use crate::error::HistoryError;
use crate::key::{self, SendRef};
use crate::store::History;

/// A place in the order, as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct OrderItem {
    pub(crate) send: SendId,
    pub(crate) expires: i64,
}

/// A send with its place in the order.
pub(crate) struct Placed {
    pub(crate) seq: u64,
    pub(crate) send: SendRef,
    pub(crate) expires: i64,
}

impl History {
    /// Returns an organiser's sends that were accepted after place `seq`, in order. They are read on demand, `page` per
    /// call.
    pub(crate) fn placed_after<'a>(
        &'a self,
        organisation: &'a OrganisationNumber,
        seq: u64,
        page: usize,
    ) -> BoxStream<'a, Result<Placed, HistoryError>> {
        let after = key::order(organisation, seq);
        let places = self.query_all(after.pk, key::ORDER_PREFIX, Some(after.sk), page);
        let placed = move |place: Result<(String, OrderItem), HistoryError>| {
            let (sk, OrderItem { send, expires }) = place?;
            let seq = sk.strip_prefix(key::ORDER_PREFIX).and_then(|seq| seq.parse().ok());
            let seq = seq.ok_or(HistoryError::Corrupt("a place in the order"))?;
            Ok(Placed { seq, send: SendRef::new(organisation.clone(), send), expires })
        };
        places.map(placed).boxed()
    }
}
