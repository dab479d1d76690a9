//! Reads and writes the table, in the few forms that the history uses.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stafett_runtime::{Metrics, Process};

use crate::attributes::{Attributes, from_item, key_item};
use crate::contention::Contention;
use crate::error::{Cancelled, Done, HistoryError, WriteError, cancelled, done, unavailable};
use crate::key::Key;
use crate::write::{Write, WriteKind};

/// DynamoDB reads at most 100 keys per call.
const LARGEST_GET: usize = 100;
/// DynamoDB allows at most 100 writes per transaction.
pub(crate) const LARGEST_TRANSACTION: usize = 100;
/// The number of independent calls to make at the same time: enough to hide most of their latency, but few enough to
/// leave connections for others.
const CALLS_AT_ONCE: usize = 8;

/// Where reading a partition continues.
struct NextPage {
    pk: String,
    prefix: String,
    after: Option<String>,
}

/// The history's table.
#[derive(Clone)]
pub struct History {
    pub(crate) db: Client,
    pub(crate) table: String,
    metrics: Metrics,
}

impl History {
    /// Returns the history of a process.
    pub fn of(process: &Process) -> Self {
        Self::new(process.dynamodb.clone(), process.config.table.clone(), process.metrics.clone())
    }

    /// Returns the history in `table`. `metrics` counts the items that lists leave out.
    pub fn new(db: Client, table: String, metrics: Metrics) -> Self {
        Self { db, table, metrics }
    }

    /// Returns an item of a list. An item that cannot be parsed is logged, counted and returned as `None`. A newer
    /// version may have written it, and one such item must not hide the whole list. Reads that decide something are
    /// strict.
    pub(crate) fn listed<T>(&self, read: Result<T, HistoryError>) -> Result<Option<T>, HistoryError> {
        let Some(what) = read.as_ref().err().and_then(HistoryError::unreadable) else {
            return read.map(Some);
        };
        tracing::error!(
            event = "history.unreadable",
            what,
            "a list is shown without an item that cannot be read"
        );
        self.metrics.unreadable_item();
        Ok(None)
    }

    /// As [`History::get_many`], for a list: items that cannot be parsed are left out.
    pub(crate) async fn get_many_listed<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<T>, HistoryError> {
        let items = self.get_many_items(keys).await?;
        items.into_iter().filter_map(|item| self.listed(from_item(item)).transpose()).collect()
    }

    /// As [`History::query`], for a list: an item that cannot be parsed is `None` and keeps its place.
    pub(crate) async fn query_listed<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        ascending: bool,
        limit: usize,
    ) -> Result<Vec<(String, Option<T>)>, HistoryError> {
        let items = self.query_items(pk, prefix, after, ascending, limit).await?;
        items.into_iter().map(|(sk, item)| Ok((sk, self.listed(from_item(item))?))).collect()
    }

    /// Reads one item, consistently.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, HistoryError> {
        self.read(key, true).await
    }

    /// Reads an item that never changes. Only if the cheaper read does not find it, reads it again with strong
    /// consistency.
    pub(crate) async fn get_unchanging<T: DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, HistoryError> {
        match self.read(key, false).await? {
            Some(item) => Ok(Some(item)),
            None => self.read(key, true).await,
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        key: &Key,
        consistent: bool,
    ) -> Result<Option<T>, HistoryError> {
        let request = self
            .db
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .consistent_read(consistent);
        let answer = request.send().await.map_err(|error| unavailable(&error))?;
        answer.item.map(from_item).transpose()
    }

    /// Reads many items, in any order. Missing items are left out.
    pub(crate) async fn get_many<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, HistoryError> {
        self.get_many_items(keys).await?.into_iter().map(from_item).collect()
    }

    async fn get_many_items(&self, keys: &[Key]) -> Result<Vec<Attributes>, HistoryError> {
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(LARGEST_GET) {
            let mut wanted: Vec<Attributes> = chunk.iter().map(key_item).collect();
            // DynamoDB may return some keys as unprocessed.
            while !wanted.is_empty() {
                let asked = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(true)
                    .build()
                    .map_err(|_| HistoryError::Corrupt("a read without keys"))?;
                let request = self.db.batch_get_item().request_items(&self.table, asked);
                let answer = request.send().await.map_err(|error| unavailable(&error))?;
                let items =
                    answer.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
                found.extend(items);
                let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
                wanted = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(found)
    }

    /// Writes one item without a condition.
    pub(crate) async fn put<T: Serialize>(&self, key: &Key, item: &T) -> Result<(), HistoryError> {
        self.write(Write::put(key.clone(), item)?).await.map(drop)
    }

    /// Deletes one item, if it exists.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), HistoryError> {
        let request = self.db.delete_item().table_name(&self.table).set_key(Some(key_item(key)));
        request.send().await.map(drop).map_err(|error| unavailable(&error))
    }

    /// Returns all sort keys of a partition.
    pub(crate) async fn sort_keys(&self, pk: &str) -> Result<Vec<String>, HistoryError> {
        let (mut start, mut found) = (None, Vec::new());
        loop {
            let request = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .projection_expression("sk")
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let answer = request.send().await.map_err(|error| unavailable(&error))?;
            let keys = answer.items.unwrap_or_default().into_iter();
            found.extend(keys.filter_map(|item| item.get("sk").and_then(|sk| sk.as_s().ok()).cloned()));
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes one write if its condition holds, and returns whether it did. This is faster and cheaper than a
    /// transaction with one write. If it conflicts with a transaction on the same item, it is retried.
    pub(crate) async fn write(&self, write: Write) -> Result<bool, HistoryError> {
        let names = write.names();
        let values = (!write.values.is_empty()).then(|| write.values.clone());
        let mut contention = Contention::default();
        loop {
            let done = match &write.kind {
                WriteKind::Put(item) => {
                    let request = self
                        .db
                        .put_item()
                        .table_name(&self.table)
                        .set_item(Some(item.clone()))
                        .set_condition_expression(write.condition.clone())
                        .set_expression_attribute_names(names.clone())
                        .set_expression_attribute_values(values.clone());
                    done(request.send().await.map(drop))
                }
                WriteKind::Update(expression) => {
                    let request = self
                        .db
                        .update_item()
                        .table_name(&self.table)
                        .set_key(Some(key_item(&write.key)))
                        .update_expression(expression)
                        .set_condition_expression(write.condition.clone())
                        .set_expression_attribute_names(names.clone())
                        .set_expression_attribute_values(values.clone());
                    done(request.send().await.map(drop))
                }
                WriteKind::Delete | WriteKind::Check => {
                    return Err(HistoryError::Corrupt("a removal or a check outside a transaction"));
                }
            };
            match done? {
                Done::Yes(()) => return Ok(true),
                Done::ConditionFailed => return Ok(false),
                Done::MetTransaction => contention.met_another().await?,
            }
        }
    }

    /// Makes all `writes` or none. A conflict with another transaction is retried. The SDK gives each call a client
    /// request token, so that a retry by the SDK does not write twice.
    pub(crate) async fn transact(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let mut items = Vec::with_capacity(writes.len());
        for write in writes {
            items.push(write.into_item(&self.table)?);
        }
        let mut contention = Contention::default();
        loop {
            let request = self.db.transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else { return Ok(()) };
            match cancelled(&error) {
                Cancelled::Conditions(places) => return Err(WriteError::Condition(places)),
                Cancelled::Conflict => contention.met_another().await?,
                Cancelled::No => return Err(unavailable(&error).into()),
            }
        }
    }

    /// Reads the items of a partition whose sort key begins with `prefix`: at most `limit`, after the sort key `after`,
    /// ascending or descending. Fewer items than `limit` mean that there are no more.
    pub(crate) async fn query<T: DeserializeOwned>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        ascending: bool,
        limit: usize,
    ) -> Result<Vec<(String, T)>, HistoryError> {
        let items = self.query_items(pk, prefix, after, ascending, limit).await?;
        items.into_iter().map(|(sk, item)| Ok((sk, from_item(item)?))).collect()
    }

    /// Reads all items of a partition whose sort key begins with `prefix`, after the sort key `after`, ascending. They
    /// are read on demand, `page` items per call.
    pub(crate) fn query_all<'a, T: DeserializeOwned + Send + 'a>(
        &'a self,
        pk: String,
        prefix: &str,
        after: Option<String>,
        page: usize,
    ) -> BoxStream<'a, Result<(String, T), HistoryError>> {
        let first = Some(NextPage { pk, prefix: prefix.to_owned(), after });
        let pages = stream::try_unfold(first, move |next| async move {
            let Some(NextPage { pk, prefix, after }) = next else { return Ok(None) };
            let items = self.query::<T>(&pk, &prefix, after.as_deref(), true, page).await?;
            let last = items.last().filter(|_| items.len() == page).map(|(sk, _)| sk.clone());
            let next = last.map(|last| NextPage { pk, prefix, after: Some(last) });
            Ok::<_, HistoryError>(Some((stream::iter(items.into_iter().map(Ok)), next)))
        });
        pages.try_flatten().boxed()
    }

    async fn query_items(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        ascending: bool,
        limit: usize,
    ) -> Result<Vec<(String, Attributes)>, HistoryError> {
        let mut start = after.map(|sk| key_item(&Key { pk: pk.to_owned(), sk: sk.to_owned() }));
        let mut found = Vec::new();
        loop {
            let left = i32::try_from(limit - found.len()).unwrap_or(i32::MAX);
            let request = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
                .consistent_read(true)
                .scan_index_forward(ascending)
                .set_exclusive_start_key(start)
                .limit(left);
            let answer = request.send().await.map_err(|error| unavailable(&error))?;
            for item in answer.items.unwrap_or_default() {
                let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
                found.push((sk, item));
            }
            // A page may contain fewer items than the limit.
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= limit {
                return Ok(found);
            }
        }
    }
}

/// Runs independent calls, some at the same time. Returns the results in the order of the calls.
pub(crate) async fn at_once<T>(
    calls: Vec<impl Future<Output = Result<T, HistoryError>>>,
) -> Result<Vec<T>, HistoryError> {
    stream::iter(calls).buffered(CALLS_AT_ONCE).try_collect().await
}
