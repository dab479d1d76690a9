//! What reached the simulator of Skolverket, and what one history item a record would have cost.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use stafett_simulator::{Call, CallKind, Kind, Limits};

/// The simulator's limits: the published ones, and times as they are seen at the real server.
pub(crate) fn limits() -> Limits {
    Limits {
        call_time: Duration::from_millis(300),
        job_time: Duration::from_millis(500),
        ..Limits::default()
    }
}

/// A second of Skolverket's that is hard to meet: calls are up to 80 ms on their way.
pub(crate) const JITTER: Duration = Duration::from_millis(80);

/// Key, state and times of an item that holds one record, in bytes.
const ITEM_FRAME: usize = 200;
/// What DynamoDB charges a write by.
const WRITE_UNIT: usize = 1024;

/// Calls, counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Calls {
    /// Bulk and job calls, whatever their answers: all that count against the rate.
    pub(crate) all: u64,
    pub(crate) bulk: u64,
    pub(crate) job: u64,
    /// Different bulk bodies, identified by their first record.
    pub(crate) batches: u64,
    /// Job calls beyond one a batch that were answered.
    pub(crate) extra_polls: u64,
    /// Refused because they came too fast.
    pub(crate) too_fast: u64,
    /// Calls a second in the middle half of the busiest stage's, where nothing but the rate holds them up.
    pub(crate) a_second: f64,
    /// Neither that nor answered well.
    pub(crate) failed: u64,
    /// Write units of one item a record: written once when it is accepted, and once with its outcome.
    pub(crate) item_a_record_write_units: u64,
}

impl Calls {
    pub(crate) fn of(calls: &[Call]) -> Self {
        let mut counted = Self::default();
        let mut batches = HashSet::new();
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        let (mut good_polls, mut written) = (0, 0);
        for call in calls {
            match call.call {
                CallKind::Bulk => counted.bulk += 1,
                CallKind::Job => counted.job += 1,
                CallKind::Token | CallKind::OpenData | CallKind::Other => continue,
            }
            match call.status {
                200 | 202 => {}
                429 => counted.too_fast += 1,
                _ => counted.failed += 1,
            }
            if call.call == CallKind::Bulk && call.status == 202 {
                for record in list(&call.request, "data") {
                    let Some(id) = record["id"].as_str() else { continue };
                    let size = ITEM_FRAME + record.to_string().len();
                    sizes.insert(id, size);
                    written += size.div_ceil(WRITE_UNIT);
                }
            }
            if call.call == CallKind::Bulk
                && let Some(first) =
                    list(&call.request, "data").first().and_then(|record| record["id"].as_str())
            {
                batches.insert(first);
            }
            if call.call == CallKind::Job && call.status == 200 {
                good_polls += 1;
                for answer in list(&call.response, "responses") {
                    if answer["response"]["status"] == "Pending" {
                        continue;
                    }
                    let record = answer["id"].as_str().and_then(|id| sizes.get(id)).copied();
                    written += (record.unwrap_or(ITEM_FRAME) + answer.to_string().len()).div_ceil(WRITE_UNIT);
                }
            }
        }
        counted.all = counted.bulk + counted.job;
        counted.a_second = a_second(calls);
        counted.batches = wide(batches.len());
        counted.extra_polls = wide(good_polls).saturating_sub(counted.batches);
        counted.item_a_record_write_units = wide(written);
        counted
    }

    /// The shortest time that so many batches can take: a bulk call and a job call each, at the rate that Skolverket
    /// allows, and each of the four stages' last job.
    pub(crate) fn floor(&self, limits: &Limits) -> Duration {
        #[allow(clippy::cast_precision_loss, reason = "batches are few")]
        let calls = (2 * self.batches) as f64;
        Duration::from_secs_f64(calls / limits.calls_per_second) + 4 * limits.job_time
    }
}

/// Calls a second in the middle half of those of the stage that has most; 0 where they are too few.
fn a_second(calls: &[Call]) -> f64 {
    let mut stages: HashMap<Kind, Vec<Instant>> = HashMap::new();
    for call in calls {
        if let (Some(kind), CallKind::Bulk | CallKind::Job) = (call.kind, call.call) {
            stages.entry(kind).or_default().push(call.at);
        }
    }
    let mut arrivals = stages.into_values().max_by_key(Vec::len).unwrap_or_default();
    arrivals.sort_unstable();
    let quarter = arrivals.len() / 4;
    match arrivals.get(quarter..arrivals.len() - quarter) {
        Some([first, between @ .., last]) if between.len() > 10 => {
            #[allow(clippy::cast_precision_loss, reason = "calls are few")]
            let gaps = (between.len() + 1) as f64;
            gaps / last.duration_since(*first).as_secs_f64()
        }
        _ => 0.0,
    }
}

fn list<'a>(body: &'a Option<Value>, name: &str) -> &'a [Value] {
    body.as_ref().and_then(|body| body[name].as_array()).map(Vec::as_slice).unwrap_or_default()
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(kind: CallKind, status: u16, request: Value, response: Value) -> Call {
        let now = Instant::now();
        Call {
            at: now,
            answered_at: now,
            organisation: None,
            method: String::new(),
            path: String::new(),
            kind: Some(Kind::Persons),
            call: kind,
            request: Some(request),
            request_bytes: 0,
            status,
            response: Some(response),
            fault: None,
        }
    }

    #[test]
    fn repeats_are_calls_but_no_batches_and_polls_beyond_one_a_batch_are_extra() {
        let bulk = |id: &str, status| call(CallKind::Bulk, status, json!({"data": [{"id": id}]}), json!({}));
        let poll = |status| call(CallKind::Job, status, json!({}), json!({"responses": []}));
        let token = call(CallKind::Token, 200, json!({}), json!({}));
        let calls = [
            token,
            bulk("a", 429),
            bulk("a", 202),
            bulk("b", 503),
            bulk("b", 202),
            poll(200),
            poll(200),
            poll(200),
        ];
        let counted = Calls::of(&calls);
        assert_eq!((counted.all, counted.bulk, counted.job, counted.batches), (7, 4, 3, 2));
        assert_eq!((counted.extra_polls, counted.too_fast, counted.failed), (1, 1, 1));
        // Four calls at five a second, four jobs of half a second.
        assert_eq!(counted.floor(&limits()), Duration::from_millis(2_800));
    }

    #[test]
    fn the_pace_is_that_of_the_middle_of_the_busiest_stage() {
        let start = Instant::now();
        let at = |ms: u64| {
            let call = call(CallKind::Job, 200, json!({}), json!({}));
            Call { at: start + Duration::from_millis(ms), ..call }
        };
        // Slow at both ends.
        let middle = (0..100).map(|number| at(100_000 + number * 200));
        let calls: Vec<_> = (0..20).map(|number| at(number * 1_000)).chain(middle).collect();
        assert_eq!(a_second(&calls), 5.0);
        assert_eq!(a_second(&calls[..10]), 0.0);
    }

    #[test]
    fn an_item_a_record_is_written_when_it_comes_and_with_its_outcome() {
        let record = |id: &str, bytes: usize| json!({"id": id, "text": "x".repeat(bytes)});
        let answer = |id: &str, status: &str| json!({"id": id, "response": {"status": status}, "text": "x".repeat(500)});
        let calls = [
            call(CallKind::Bulk, 202, json!({"data": [record("a", 100), record("b", 1500)]}), json!({})),
            call(
                CallKind::Job,
                200,
                json!({}),
                json!({"responses": [answer("a", "Pending"), answer("b", "Pending")]}),
            ),
            call(
                CallKind::Job,
                200,
                json!({}),
                json!({"responses": [answer("a", "Success"), answer("b", "Success")]}),
            ),
        ];
        // 1 and 2 KiB without, 1 and 3 KiB with their answers.
        assert_eq!(Calls::of(&calls).item_a_record_write_units, 1 + 2 + 1 + 3);
    }
}
