//! The figures of a run, from the stack's meter.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use stafett_local::meter::FunctionUse;

/// The functions' memory on AWS (`MemorySize` of the template), in GB as Lambda charges them.
const MEMORY_GB: f64 = 256.0 / 1024.0;
/// Kinds of items that hold what was sent, in one request or in parts, and what was answered.
const BODIES_AND_ANSWERS: [&str; 5] =
    ["large/body", "large#part/", "large/facts", "large/answer", "large/issues"];
/// Lambda asks each queue with at least so many long polls of so many seconds at a time, also when it is empty. Here
/// one asks, so the others are added.
const POLLERS: f64 = 5.0;
const LONG_POLL_S: f64 = 20.0;
const QUEUES: f64 = 4.0;

/// The figures of a run.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    pub(crate) invocations: u64,
    pub(crate) failed_invocations: u64,
    pub(crate) process_starts: u64,
    /// Process starts included.
    pub(crate) billed_ms: u64,
    pub(crate) gb_seconds: f64,
    pub(crate) queue: QueueRequests,
    pub(crate) api_requests: u64,
    /// Each started 512 KB of a body is charged as a request.
    pub(crate) charged_api_requests: u64,
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
    /// Of those.
    pub(crate) body_and_answer_write_units: f64,
    pub(crate) write_units_by_kind: BTreeMap<String, f64>,
    /// By function.
    pub(crate) peak_memory_kib: BTreeMap<String, u64>,
}

/// Requests to the queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueRequests {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) deleted: u64,
    /// Long polls that AWS would make besides, during the run.
    pub(crate) idle: u64,
}

impl QueueRequests {
    /// All of them.
    pub(crate) fn all(self) -> u64 {
        self.sent + self.received + self.deleted + self.idle
    }
}

/// Requests that a run made of the API.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ApiRequests {
    pub(crate) made: u64,
    pub(crate) charged: u64,
}

impl Figures {
    /// Adds up what the functions used in a run of that length.
    pub(crate) fn of(used: &BTreeMap<String, FunctionUse>, wall: Duration, requests: ApiRequests) -> Self {
        let mut figures = Self {
            api_requests: requests.made,
            charged_api_requests: requests.charged,
            queue: QueueRequests { idle: idle_polls(wall), ..QueueRequests::default() },
            ..Self::default()
        };
        for (function, used) in used {
            figures.invocations += used.invocations;
            figures.failed_invocations += used.failed;
            figures.process_starts += used.starts;
            figures.billed_ms += used.billed_ms + used.start_ms;
            figures.read_units += used.read_units;
            for (kind, units) in &used.write_units {
                *figures.write_units_by_kind.entry(kind.clone()).or_default() += units;
            }
            let calls = |name: &str| used.calls.get(name).map_or(0, |calls| calls.count);
            figures.queue.sent += calls("sqs.SendMessage") + calls("sqs.SendMessageBatch");
            figures.queue.received += calls("sqs.ReceiveMessage");
            figures.queue.deleted += calls("sqs.DeleteMessage") + calls("sqs.DeleteMessageBatch");
            figures.peak_memory_kib.insert(function.clone(), used.peak_memory_kib);
        }
        figures.gb_seconds = whole(figures.billed_ms) / 1000.0 * MEMORY_GB;
        figures.write_units = figures.write_units_by_kind.values().sum();
        let large = |kind: &&str| figures.write_units_by_kind.get(*kind);
        figures.body_and_answer_write_units = BODIES_AND_ANSWERS.iter().filter_map(large).sum();
        figures
    }

    /// The function whose process had the most memory, and how much, in MB of 2^20.
    pub(crate) fn peak_memory(&self) -> (&str, f64) {
        let peak = self.peak_memory_kib.iter().max_by_key(|(_, kib)| **kib);
        peak.map_or(("", 0.0), |(function, kib)| (function, whole(*kib) / 1024.0))
    }
}

fn idle_polls(wall: Duration) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, and small")]
    let polls = (wall.as_secs_f64() / LONG_POLL_S * POLLERS * QUEUES).ceil() as u64;
    polls
}

/// A count as a number to reckon with.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use stafett_local::meter::CallUse;

    #[test]
    fn functions_are_added_up_and_the_largest_process_is_found() {
        let calls = |name: &str, count| (name.to_owned(), CallUse { count, ..CallUse::default() });
        let users = FunctionUse {
            invocations: 3,
            billed_ms: 1500,
            start_ms: 500,
            starts: 1,
            peak_memory_kib: 20 * 1024,
            calls: [
                calls("sqs.SendMessage", 5),
                calls("sqs.ReceiveMessage", 7),
                calls("sqs.DeleteMessage", 3),
            ]
            .into(),
            write_units: [("large/body".to_owned(), 10.0), ("send/stage#batch".to_owned(), 2.0)].into(),
            read_units: 4.5,
            ..FunctionUse::default()
        };
        let api = FunctionUse { invocations: 1, peak_memory_kib: 30 * 1024, ..FunctionUse::default() };
        let used = [("users".to_owned(), users), ("api".to_owned(), api)].into();
        let figures = Figures::of(&used, Duration::from_secs(20), ApiRequests { made: 1, charged: 2 });
        assert_eq!((figures.invocations, figures.billed_ms, figures.gb_seconds), (4, 2000, 0.5));
        assert_eq!(figures.queue, QueueRequests { sent: 5, received: 7, deleted: 3, idle: 20 });
        assert_eq!((figures.write_units, figures.body_and_answer_write_units), (12.0, 10.0));
        assert_eq!(figures.peak_memory(), ("api", 30.0));
        assert_eq!((figures.api_requests, figures.charged_api_requests), (1, 2));
    }
}
