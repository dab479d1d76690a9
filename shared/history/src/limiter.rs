//! Skolverket's rate limit: a number of calls per second for all organisers and stages together, because the limit
//! applies to the client's address. Each budget is one item, and each call takes one slot. [`lanes`] contains the
//! arithmetic. All writes may run concurrently: no caller waits for another caller's write.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use stafett_runtime::Budget;

use crate::attributes::key_item;
use crate::contention::Contention;
use crate::error::{Done, HistoryError, done};
use crate::key;
use crate::store::History;

mod lanes;

use lanes::{Pace, Place, Settlement, micros};

/// The maximum pause. A header with another meaning must not stop all calls for long.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The maximum number of tries to take a slot when others change the item at the same time.
const TRIES: u32 = 4;

/// The time after a pause during which calls are known to be late, in microseconds.
const WARY: i64 = 15_000_000;

type Item = HashMap<String, AttributeValue>;

/// Hands out slots. The item contains `tat`, the time of the next free slot, in microseconds since 1970; `seq`, the
/// number of slots handed out; `held{lane}`, the earliest time of the lane's next call; and `pausedUntil`.
#[derive(Clone)]
pub struct Limiter {
    history: History,
    name: &'static str,
    pace: Pace,
    longest_wait: Duration,
}

/// A slot, or the time until one may be free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The caller must call at the time of the slot.
    Slot(Slot),
    /// All slots within the maximum wait are taken. One may be free after this time. This counts neither as an attempt
    /// nor as a failure.
    Busy(Duration),
}

/// The right to make one call at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    place: Place,
    /// Calls were too fast recently.
    wary: bool,
}

impl Slot {
    /// When to call.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.place.at).unwrap_or(Timestamp::MAX)
    }

    /// Whether calls were too fast recently. Then their delay has other causes than the network.
    pub fn is_wary(&self) -> bool {
        self.wary
    }
}

impl Limiter {
    /// The budget with this name. A caller waits at most `longest_wait` for a slot.
    pub fn new(history: History, name: &'static str, budget: Budget, longest_wait: Duration) -> Self {
        let pace = Pace::new(budget.calls_per_second, budget.window, budget.spread);
        Self { history, name, pace, longest_wait }
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`HistoryError`], if the item cannot be written.
    pub async fn take(&self, now: Timestamp) -> Result<Taken, HistoryError> {
        let now = now.as_microsecond();
        let horizon = now.saturating_add(micros(self.longest_wait));
        for _ in 0..TRIES {
            // The usual case under load: the next slot is near, and the one after it becomes the next.
            let queued = self
                .update("tat = tat + :step", "tat BETWEEN :now AND :horizon")
                .expression_attribute_values(":step", number(self.pace.step))
                .expression_attribute_values(":now", number(now))
                .expression_attribute_values(":horizon", number(horizon));
            let idle = self
                .update("tat = :next", "attribute_not_exists(tat) OR tat < :now")
                .expression_attribute_values(":next", number(now + self.pace.step))
                .expression_attribute_values(":now", number(now));
            for request in [queued, idle] {
                if let Some(item) = self.written(counting(request)).await? {
                    let seq = u64::try_from(of(&item, "seq")).unwrap_or_default();
                    let place = self.pace.place(of(&item, "tat"), seq);
                    return Ok(Taken::Slot(slot(&item, place)));
                }
            }
            // Neither write succeeded: the next slot is too far away, or another caller took the idle slot between the
            // two writes.
            let tat = of(&self.item().await?, "tat");
            if tat > horizon {
                return Ok(Taken::Busy(duration(tat - horizon)));
            }
        }
        Ok(Taken::Busy(Duration::ZERO))
    }

    /// Reads a slot again that was taken some time ago, because a late call before it in its lane may delay it. Returns
    /// `None` if the slot falls into a pause.
    ///
    /// # Errors
    /// [`HistoryError`], if the item cannot be read.
    pub async fn confirm(&self, Slot { place, .. }: Slot) -> Result<Option<Slot>, HistoryError> {
        let item = self.item().await?;
        Ok((of(&item, "pausedUntil") <= place.at).then(|| slot(&item, place)))
    }

    /// Notes the maximum delay of a slot's call. If the call was on time, later slots move to an earlier time. The
    /// holder of the lane's next slot waits already, if it must.
    ///
    /// # Errors
    /// [`HistoryError`], if the item cannot be written.
    pub async fn settle(&self, Slot { place, .. }: Slot, lateness: Duration) -> Result<(), HistoryError> {
        let Settlement { held_until, back } = self.pace.settled(place, lateness);
        let held = held(place);
        let request = self
            .update(
                &format!("tat = tat - :back, {held} = :until"),
                &format!("attribute_not_exists({held}) OR {held} < :until"),
            )
            .expression_attribute_values(":back", number(back))
            .expression_attribute_values(":until", number(held_until));
        self.written(request).await.map(drop)
    }

    /// Stops all calls for `length`, after Skolverket answered that the rate limit was reached. The end of a pause
    /// never moves back. A pause is at most a minute, because a header with another meaning must not stop all
    /// organisers.
    ///
    /// # Errors
    /// [`HistoryError`], if the item cannot be written.
    pub async fn pause(&self, now: Timestamp, length: Duration) -> Result<(), HistoryError> {
        let until = now.as_microsecond().saturating_add(micros(length.min(LONGEST_PAUSE)));
        // `tat` delays the slots that are still free, `pausedUntil` the slots that are already taken.
        for name in ["tat", "pausedUntil"] {
            let request = self
                .update(
                    &format!("{name} = :until"),
                    &format!("attribute_not_exists({name}) OR {name} < :until"),
                )
                .expression_attribute_values(":until", number(until));
            self.written(request).await?;
        }
        Ok(())
    }

    async fn item(&self) -> Result<Item, HistoryError> {
        let item = self.history.get::<HashMap<String, serde_json::Value>>(&key::limiter(self.name)).await?;
        let numbers =
            item.into_iter().flatten().filter_map(|(name, value)| Some((name, number(value.as_i64()?))));
        Ok(numbers.collect())
    }

    fn update(&self, set: &str, condition: &str) -> UpdateItemFluentBuilder {
        let request = self.history.db.update_item().table_name(&self.history.table);
        request
            .set_key(Some(key_item(&key::limiter(self.name))))
            .update_expression(format!("SET {set}"))
            .condition_expression(condition)
            .return_values(ReturnValue::AllNew)
    }

    /// Makes a conditional write. Returns the item after the write, or `None` if the condition failed.
    async fn written(&self, request: UpdateItemFluentBuilder) -> Result<Option<Item>, HistoryError> {
        let mut contention = Contention::default();
        loop {
            match done(request.clone().send().await)? {
                Done::Yes(answer) => return Ok(Some(answer.attributes.unwrap_or_default())),
                Done::ConditionFailed => return Ok(None),
                Done::MetTransaction => contention.met_another().await?,
            }
        }
    }
}

/// Adds to the request that one more slot is taken.
fn counting(request: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
    let set = request.get_update_expression().clone().unwrap_or_default();
    request
        .update_expression(format!("{set}, seq = if_not_exists(seq, :none) + :one"))
        .expression_attribute_values(":none", number(0))
        .expression_attribute_values(":one", number(1))
}

/// Returns the slot, delayed if a late call before it in its lane requires that.
fn slot(item: &Item, place: Place) -> Slot {
    let place = place.held_up(of(item, &held(place)));
    Slot { place, wary: of(item, "pausedUntil") > place.at - WARY }
}

fn held(place: Place) -> String {
    format!("held{}", place.lane)
}

/// Returns a number of the item, or 0 if it has no such attribute.
fn of(item: &Item, name: &str) -> i64 {
    item.get(name).and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or_default()
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn duration(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
}
