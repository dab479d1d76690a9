//! Skolverket's budget: so many calls a second for all organisers and stages together, because the limit is on the
//! client's address. One item a budget, a slot a call.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use crate::history::key;
use crate::history::{CONFLICT_TRIES, Done, History, HistoryError, done, pause};
use crate::verdict::LONGEST_HINT;

/// How often a slot is asked for when others move the item at the same time.
const TRIES: u32 = 4;

/// Hands out slots. The item holds `tat`, the time of the next free slot, in microseconds since 1970.
#[derive(Clone)]
pub struct Limiter {
    history: History,
    name: &'static str,
    interval_us: i64,
    longest_wait: Duration,
}

/// A slot, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Call after this long.
    In(Duration),
    /// All slots that may be waited for are taken; one may be free after this long. Neither an attempt nor a failure.
    Busy(Duration),
}

impl Limiter {
    /// The budget of this name: `calls_per_second` slots a second; a slot is waited for at most `longest_wait`.
    pub fn new(history: History, name: &'static str, calls_per_second: f64, longest_wait: Duration) -> Self {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "rates are checked when they are read; a slot is short"
        )]
        let interval_us = (1_000_000.0 / calls_per_second).ceil() as i64;
        Self { history, name, interval_us, longest_wait }
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`HistoryError`] when the item cannot be written.
    pub async fn take(&self, now: Timestamp) -> Result<Slot, HistoryError> {
        let now = now.as_microsecond();
        let longest = i64::try_from(self.longest_wait.as_micros()).unwrap_or(i64::MAX);
        let horizon = now.saturating_add(longest);
        for _ in 0..TRIES {
            // The usual case while there is work: the next slot is near, and the one after it becomes the next.
            let queued = self
                .move_tat(
                    "SET tat = tat + :step",
                    "tat BETWEEN :now AND :horizon",
                    [(":step", self.interval_us), (":now", now), (":horizon", horizon)],
                )
                .await?;
            if let Some(tat) = queued {
                return Ok(Slot::In(micros(tat - self.interval_us - now)));
            }
            let idle = self
                .move_tat(
                    "SET tat = :next",
                    "attribute_not_exists(tat) OR tat < :now",
                    [(":next", now + self.interval_us), (":now", now), (":now", now)],
                )
                .await?;
            if idle.is_some() {
                return Ok(Slot::In(Duration::ZERO));
            }
            // Neither: the next slot is too far away, or another took the idle one between the two looks.
            if let Some(tat) = self.tat().await?.filter(|tat| *tat > horizon) {
                return Ok(Slot::Busy(micros(tat - horizon)));
            }
        }
        Ok(Slot::Busy(Duration::ZERO))
    }

    /// Keeps everybody from calling for so long, after Skolverket said that the rate was reached: forward only, and
    /// at most a minute, for a header that means something else must not stop all organisers.
    ///
    /// # Errors
    /// [`HistoryError`] when the item cannot be written.
    pub async fn pause(&self, now: Timestamp, pause: Duration) -> Result<(), HistoryError> {
        let pause = i64::try_from(pause.min(LONGEST_HINT).as_micros()).unwrap_or_default();
        let until = now.as_microsecond().saturating_add(pause);
        let values = [(":until", until), (":until", until), (":until", until)];
        self.move_tat("SET tat = :until", "attribute_not_exists(tat) OR tat < :until", values).await.map(drop)
    }

    /// One conditional write; the new `tat`, or none where the condition did not hold.
    async fn move_tat(
        &self,
        expression: &str,
        condition: &str,
        values: [(&str, i64); 3],
    ) -> Result<Option<i64>, HistoryError> {
        let mut request = self
            .history
            .db
            .update_item()
            .table_name(&self.history.table)
            .set_key(Some(crate::history::key_item(&key::limiter(self.name))))
            .update_expression(expression)
            .condition_expression(condition)
            .return_values(ReturnValue::UpdatedNew);
        for (name, value) in values {
            request = request.expression_attribute_values(name, AttributeValue::N(value.to_string()));
        }
        for attempt in 1..=CONFLICT_TRIES {
            match done(request.clone().send().await)? {
                Done::Yes(answer) => {
                    let tat =
                        answer.attributes().and_then(|attributes| attributes.get("tat")).and_then(number);
                    return tat.map(Some).ok_or(HistoryError::Corrupt("the limiter"));
                }
                Done::ConditionFailed => return Ok(None),
                Done::MetTransaction => pause(attempt).await,
            }
        }
        Err(HistoryError::Contended)
    }

    async fn tat(&self) -> Result<Option<i64>, HistoryError> {
        #[derive(serde::Deserialize)]
        struct Item {
            tat: i64,
        }
        Ok(self.history.get::<Item>(&key::limiter(self.name)).await?.map(|item| item.tat))
    }
}

fn number(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

fn micros(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
}
