//! A send's packed list of record ids: sorted 8-byte hashes, each with the place of its record.
//!
//! It answers two questions without reading a body: which batch contains a record, and whether two sends share a
//! record.

use stafett_domain::{BatchId, RecordId, RecordKind};

use crate::error::HistoryError;
use crate::key::SendRef;
use crate::store::History;
use crate::version::PackedKind;

/// The number of entries in one item. Each has 13 bytes, and hashes do not compress.
const PART_ENTRIES: usize = 25_000;
const ENTRY_BYTES: usize = 13;

/// Where a record is in its send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub stage: RecordKind,
    pub batch: BatchId,
}

/// The ids of one send's records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RecordIds(Vec<([u8; 8], Place)>);

impl RecordIds {
    /// The list of these records, in any order.
    pub fn of(records: impl IntoIterator<Item = (RecordId, Place)>) -> Self {
        let mut entries: Vec<_> = records.into_iter().map(|(id, place)| (id.hash8(), place)).collect();
        entries.sort_unstable();
        Self(entries)
    }

    /// The possible places of the record. There is rarely more than one; if there is, the body decides.
    pub fn places(&self, record: RecordId) -> impl Iterator<Item = Place> {
        let hash = record.hash8();
        let first = self.0.partition_point(|(entry, _)| *entry < hash);
        self.0[first..].iter().take_while(move |(entry, _)| *entry == hash).map(|(_, place)| *place)
    }

    /// Whether the list contains one of these records.
    pub fn holds_any<'a>(&self, mut records: impl Iterator<Item = &'a RecordId>) -> bool {
        records.any(|record| self.places(*record).next().is_some())
    }

    /// Returns items with at most [`PART_ENTRIES`] entries: the big-endian count of all entries, then hash, stage and
    /// batch of each. The version byte is not included.
    fn packed(&self) -> Vec<Vec<u8>> {
        let total = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let mut parts = Vec::new();
        for chunk in self.0.chunks(PART_ENTRIES) {
            let mut part = Vec::with_capacity(4 + chunk.len() * ENTRY_BYTES);
            part.extend(total.to_be_bytes());
            for (hash, place) in chunk {
                part.extend(hash);
                part.push(place.stage.code());
                part.extend(place.batch.0.to_be_bytes());
            }
            parts.push(part);
        }
        parts
    }

    /// Adds the entries of a part. Returns the count of all entries.
    fn take(&mut self, part: &[u8]) -> Option<usize> {
        let (total, entries) = part.split_first_chunk::<4>()?;
        for entry in entries.chunks(ENTRY_BYTES) {
            let (hash, rest) = entry.split_first_chunk::<8>()?;
            let (stage, batch) = rest.split_first()?;
            let stage = RecordKind::of_code(*stage)?;
            let batch = BatchId(u32::from_be_bytes(batch.try_into().ok()?));
            self.0.push((*hash, Place { stage, batch }));
        }
        usize::try_from(u32::from_be_bytes(*total)).ok()
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct IdsItem {
    #[serde(with = "serde_bytes")]
    ids: Vec<u8>,
    expires: i64,
}

impl History {
    pub(crate) async fn put_record_ids(
        &self,
        send: &SendRef,
        ids: &RecordIds,
        expires: i64,
    ) -> Result<(), HistoryError> {
        for (part, ids) in ids.packed().into_iter().enumerate() {
            let ids = PackedKind::RecordIds.with_version(&ids);
            self.put(&send.ids(part), &IdsItem { ids, expires }).await?;
        }
        Ok(())
    }

    /// Returns the ids of a send's records.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn record_ids(&self, send: &SendRef) -> Result<RecordIds, HistoryError> {
        let mut ids = RecordIds::default();
        for part in 0.. {
            let Some(item) = self.get::<IdsItem>(&send.ids(part)).await? else { break };
            let packed = PackedKind::RecordIds.without_version(&item.ids)?;
            let total = ids.take(packed).ok_or(HistoryError::Corrupt("a packed list of ids"))?;
            if ids.0.len() >= total {
                break;
            }
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_record_is_found_where_it_was_put(
            records in proptest::collection::vec((any::<u128>(), 0_usize..4, 0_u32..100_000), 0..300),
            other: u128,
        ) {
            let records: Vec<_> = records
                .into_iter()
                .map(|(id, stage, batch)| {
                    let place = Place { stage: RecordKind::ALL[stage], batch: BatchId(batch) };
                    (RecordId(uuid::Uuid::from_u128(id)), place)
                })
                .collect();
            let ids = RecordIds::of(records.iter().copied());
            let mut read = RecordIds::default();
            for part in ids.packed() {
                prop_assert_eq!(read.take(&part), Some(records.len()));
            }
            prop_assert_eq!(&read, &ids);
            for (id, place) in &records {
                prop_assert!(read.places(*id).any(|found| found == *place));
            }
            let other = RecordId(uuid::Uuid::from_u128(other));
            prop_assert_eq!(read.places(other).count(), records.iter().filter(|(id, _)| *id == other).count());
        }
    }

    #[test]
    fn a_long_list_takes_several_items() {
        let place = Place { stage: RecordKind::Person, batch: BatchId(0) };
        let records = (0..60_000_u128).map(|id| (RecordId(uuid::Uuid::from_u128(id)), place));
        let parts = RecordIds::of(records).packed();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.len() < 390_000));
    }
}
