//! The metrics that the functions print, read as CloudWatch would read them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// Most series that are counted; further ones are dropped, so that a program that runs for days takes no more memory.
const MAX_SERIES: usize = 1000;
/// CloudWatch takes no more of them.
const MAX_DIMENSIONS: usize = 30;

/// The metrics that were printed so far. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<Identity, Series>>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

/// A metric with one set of dimensions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Under which CloudWatch keeps it.
    pub namespace: String,
    pub name: String,
    /// By which it is counted, with their values.
    pub dimensions: BTreeMap<String, String>,
    pub unit: String,
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub last: f64,
}

/// A line that CloudWatch would make no metric of: what it says of itself is not what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of metrics that cannot be read: {0}")]
pub struct NotReadable(&'static str);

impl Metrics {
    /// Takes a line; one that holds no metrics changes nothing.
    pub fn take(&self, line: &[u8]) -> Result<(), NotReadable> {
        // Most lines are none, and need not be read.
        if !line.windows(b"\"_aws\"".len()).any(|window| window == b"\"_aws\"") {
            return Ok(());
        }
        let Ok(line) = serde_json::from_slice::<Value>(line) else { return Err(NotReadable("no JSON")) };
        let Some(meta) = line.get("_aws") else { return Ok(()) };
        if !meta["Timestamp"].is_i64() {
            return Err(NotReadable("Timestamp"));
        }
        let directives = meta["CloudWatchMetrics"].as_array().ok_or(NotReadable("CloudWatchMetrics"))?;
        directives.iter().try_for_each(|directive| self.take_directive(&line, directive))
    }

    fn take_directive(&self, line: &Value, directive: &Value) -> Result<(), NotReadable> {
        let namespace = directive["Namespace"]
            .as_str()
            .filter(|name| !name.is_empty())
            .ok_or(NotReadable("Namespace"))?;
        let sets = directive["Dimensions"].as_array().ok_or(NotReadable("Dimensions"))?;
        for metric in directive["Metrics"].as_array().ok_or(NotReadable("Metrics"))? {
            let name = metric["Name"].as_str().ok_or(NotReadable("Name"))?;
            let unit = metric["Unit"].as_str().unwrap_or("None");
            let value = line[name].as_f64().ok_or(NotReadable("a metric without a number"))?;
            for set in sets {
                let (namespace, name) = (namespace.to_owned(), name.to_owned());
                let dimensions = dimensions(line, set)?;
                self.add(Identity { namespace, name, dimensions }, unit, value);
            }
        }
        Ok(())
    }

    fn add(&self, identity: Identity, unit: &str, value: f64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SERIES && !all.contains_key(&identity) {
            return;
        }
        let Identity { namespace, name, dimensions } = identity.clone();
        let series = all.entry(identity).or_insert_with(|| Series {
            namespace,
            name,
            dimensions,
            unit: unit.to_owned(),
            count: 0,
            sum: 0.0,
            min: value,
            max: value,
            last: value,
        });
        series.count += 1;
        series.sum += value;
        series.min = series.min.min(value);
        series.max = series.max.max(value);
        series.last = value;
    }

    /// All series, by namespace, name and dimensions.
    pub fn reading(&self) -> Vec<Series> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// The values of a set of dimensions: members of the line that are texts.
fn dimensions(line: &Value, set: &Value) -> Result<BTreeMap<String, String>, NotReadable> {
    let set = set.as_array().filter(|set| set.len() <= MAX_DIMENSIONS).ok_or(NotReadable("Dimensions"))?;
    set.iter()
        .map(|name| {
            let name = name.as_str().ok_or(NotReadable("Dimensions"))?;
            let value = line[name].as_str().filter(|value| !value.is_empty());
            Ok((name.to_owned(), value.ok_or(NotReadable("a dimension without a text"))?.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(status: &Value, jobs: &Value) -> Vec<u8> {
        let directive = json!({
            "Namespace": "stafett", "Dimensions": [["stage", "status"], ["status"]],
            "Metrics": [{"Name": "JobsEnded", "Unit": "Count"}],
        });
        json!({
            "_aws": {"Timestamp": 1_795_420_800_000_i64, "CloudWatchMetrics": [directive]},
            "stage": "users", "status": status, "JobsEnded": jobs,
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_value_counts_in_every_set_of_dimensions() {
        let metrics = Metrics::default();
        for jobs in [1, 3] {
            metrics.take(&line(&json!("failed"), &json!(jobs))).unwrap();
        }
        let reading = metrics.reading();
        let sets: Vec<Vec<&str>> =
            reading.iter().map(|series| series.dimensions.keys().map(String::as_str).collect()).collect();
        assert_eq!(sets, [vec!["stage", "status"], vec!["status"]]);
        for Series { count, sum, min, max, last, unit, .. } in reading {
            assert_eq!((count, sum, min, max, last, unit.as_str()), (2, 4.0, 1.0, 3.0, 3.0, "Count"));
        }
    }

    #[test]
    fn a_line_that_cloudwatch_would_drop_is_reported() {
        let metrics = Metrics::default();
        for (status, jobs) in [(json!(429), json!(1)), (json!(""), json!(1)), (json!("failed"), json!("1"))] {
            assert!(metrics.take(&line(&status, &jobs)).is_err());
        }
        assert!(metrics.take(br#"{"_aws": 1"#).is_err());
        assert_eq!(metrics.take(br#"{"level":"INFO","event":"job.ended"}"#), Ok(()));
        assert!(metrics.reading().is_empty());
    }
}
