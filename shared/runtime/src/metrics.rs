//! Metrics: lines in CloudWatch's embedded metric format (EMF), printed where the log lines are. CloudWatch reads the
//! metrics from these lines; no call is needed.
//!
//! A line is flat except for `_aws`, which names the members that are metrics and those that are dimensions. No
//! dimension grows with the number of organisers, and none holds personal data. A metric is written once, after the
//! write that makes it true. If a process dies between the two, the metric is missing, but it is never counted twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use stafett_domain::{Call, Counts, Ending, Outcome, RecordKind, WaitCause};

use crate::clock::Clock;
use crate::telemetry;

/// Prints metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    namespace: Arc<str>,
    clock: Clock,
}

/// One metric of a line.
struct Metric {
    name: &'static str,
    unit: Unit,
    value: f64,
    /// The sets of dimensions. An empty set gives one total.
    by: &'static [&'static [&'static str]],
}

/// CloudWatch's names for the units.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

/// One total, without dimensions.
const WHOLE: &[&[&str]] = &[&[]];

impl Metrics {
    /// Creates metrics in this CloudWatch namespace: `METRICS_NAMESPACE`.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.into(), clock: Clock }
    }

    /// A send got its place in the order of its organiser's sends.
    pub fn send_accepted(&self) {
        self.print(&[count("SendsAccepted", 1, WHOLE)], &[]);
    }

    /// A send ended.
    pub fn send_ended(&self, ending: Ending) {
        self.print(&[count("SendsEnded", 1, &[&["status"]])], &[("status", ending.as_str().into())]);
    }

    /// Counted by stage and status, and by status alone, because an alarm needs that.
    pub fn job_ended(&self, stage: RecordKind, ending: Ending, counts: Counts) {
        let members = [("stage", stage.as_str().into()), ("status", ending.as_str().into())];
        self.print(&[count("JobsEnded", 1, &[&["stage", "status"], &["status"]])], &members);
        for outcome in Outcome::ALL {
            let records = counts.get(*outcome);
            if records > 0 {
                let members = [("stage", stage.as_str().into()), ("outcome", outcome.as_str().into())];
                self.print(&[count("Records", records, &[&["outcome"]])], &members);
            }
        }
    }

    /// A call to Skolverket. The status is `none` if no answer came.
    pub fn attempt(&self, call: Call, status: Option<u16>, duration: Duration) {
        let mut metrics = vec![
            count("Attempts", 1, &[&["status"]]),
            milliseconds("SkolverketLatency", duration, &[&["call"]]),
        ];
        if status == Some(429) {
            metrics.push(count("TooManyCalls", 1, WHOLE));
        }
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.print(&metrics, &[("call", call.as_str().into()), ("status", status.into())]);
    }

    /// A call or a token request must be repeated: nobody answered, the answer says that Skolverket cannot do it now,
    /// or the answer cannot be read. Refusals for too many calls are counted with the attempt instead.
    pub fn waits_for_skolverket(&self, cause: WaitCause) {
        let name = match cause {
            WaitCause::NotReached | WaitCause::Unavailable | WaitCause::AuthorizationServer => {
                "SkolverketUnavailable"
            }
            WaitCause::UnreadableAnswer
            | WaitCause::AnswerTooLarge
            | WaitCause::AuthorizationServerUnreadable => "SkolverketUnreadable",
            WaitCause::TooManyCalls => return,
        };
        self.print(&[count(name, 1, WHOLE)], &[]);
    }

    /// The time from the request for a slot to the slot.
    pub fn limiter_wait(&self, wait: Duration) {
        self.print(&[milliseconds("LimiterWait", wait, WHOLE)], &[]);
    }

    /// All slots within the allowed wait were taken.
    pub fn limiter_busy(&self) {
        self.print(&[count("LimiterBusy", 1, WHOLE)], &[]);
    }

    /// The authorization server gave a new token.
    pub fn token_refreshed(&self) {
        self.print(&[count("TokenRefreshes", 1, WHOLE)], &[]);
    }

    /// The sends that have their organiser's place. `since`: when each got it. Writes their number and the age of the
    /// oldest. The age is 0 if there is none, so that a missing metric always means that nobody checked.
    pub fn running_sends(&self, since: &[Timestamp]) {
        let now = self.clock.now();
        let age = since.iter().min().map_or(SignedDuration::ZERO, |oldest| now.duration_since(*oldest));
        let oldest = Metric {
            name: "OldestRunningSend",
            unit: Unit::Seconds,
            value: age.as_secs_f64().max(0.0).round(),
            by: WHOLE,
        };
        let running = u32::try_from(since.len()).unwrap_or(u32::MAX);
        self.print(&[count("RunningSends", running, WHOLE), oldest], &[]);
    }

    /// A list was shown without an item, because the item cannot be read.
    pub fn unreadable_item(&self) {
        self.print(&[count("UnreadableItems", 1, WHOLE)], &[]);
    }

    /// The number of days left for the certificate that expires first.
    pub fn certificate_days_left(&self, days: i64) {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let least =
            Metric { name: "CertificateDaysLeft", unit: Unit::Count, value: f64::from(days), by: WHOLE };
        self.print(&[least], &[]);
    }

    fn print(&self, metrics: &[Metric], members: &[(&str, Value)]) {
        telemetry::print(line(&self.namespace, self.clock.now(), metrics, members));
    }
}

fn count(name: &'static str, count: u32, by: &'static [&'static [&'static str]]) -> Metric {
    Metric { name, unit: Unit::Count, value: f64::from(count), by }
}

fn milliseconds(name: &'static str, duration: Duration, by: &'static [&'static [&'static str]]) -> Metric {
    Metric { name, unit: Unit::Milliseconds, value: (duration.as_secs_f64() * 1000.0).round(), by }
}

fn line(
    namespace: &str,
    now: Timestamp,
    metrics: &[Metric],
    members: &[(&str, Value)],
) -> Map<String, Value> {
    let directives: Vec<Value> = metrics
        .iter()
        .map(|metric| {
            json!({
                "Namespace": namespace,
                "Dimensions": metric.by,
                "Metrics": [{"Name": metric.name, "Unit": metric.unit.as_str()}],
            })
        })
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": directives}),
    );
    line.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    line.extend(metrics.iter().map(|metric| (metric.name.to_owned(), metric.value.into())));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_flat_and_names_its_metrics_and_their_dimensions() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let metrics = [
            count("Attempts", 1, &[&["status"]]),
            milliseconds("SkolverketLatency", Duration::from_micros(312_400), &[&["call"]]),
        ];
        let members = [("call", "submit".into()), ("status", "202".into())];
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_420_800_000_i64,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "stafett", "Dimensions": [["status"]],
                        "Metrics": [{"Name": "Attempts", "Unit": "Count"}],
                    },
                    {
                        "Namespace": "stafett", "Dimensions": [["call"]],
                        "Metrics": [{"Name": "SkolverketLatency", "Unit": "Milliseconds"}],
                    },
                ],
            },
            "call": "submit",
            "status": "202",
            "Attempts": 1.0,
            "SkolverketLatency": 312.0,
        });
        assert_eq!(Value::Object(line("stafett", now, &metrics, &members)), expected);
    }
}
