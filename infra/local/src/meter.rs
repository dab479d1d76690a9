//! Measures what the functions use: their calls, their time, their memory, and what DynamoDB would charge. Kept as sums, so that
//! a long run takes no more memory than a short one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// Most kinds of items that are counted separately. The keys of the history make about twenty.
const MAX_KINDS: usize = 64;
/// Where those beyond go.
const OTHER: &str = "other";

/// Counts what all functions of a stack use. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<BTreeMap<String, FunctionUse>>>);

/// A function's use so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionUse {
    /// Events that a process of it took.
    pub invocations: u64,
    /// Those of them that came to no answer.
    pub failed: u64,
    /// From taking the event to the answer, each invocation rounded up to the millisecond, as Lambda charges.
    pub billed_ms: u64,
    /// Processes that took a first event.
    pub starts: u64,
    /// From a process's start to its first event, each rounded up to the millisecond. Lambda charges that too.
    pub start_ms: u64,
    /// The most memory that one of its processes had resident, in KiB; 0 where the system does not report it.
    pub peak_memory_kib: u64,
    /// Its calls, by service and operation: `dynamodb.GetItem`, `sqs.SendMessage`, `skolverket.POST`. The requests
    /// that its event source makes to its queue are among them.
    pub calls: BTreeMap<String, CallUse>,
    /// Write units by the kind of item that was written, named after the words of its key: `large/body`.
    pub write_units: BTreeMap<String, f64>,
    pub read_units: f64,
}

/// How often something was called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallUse {
    pub count: u64,
    /// The same by the status of the answer; 0 without one.
    pub statuses: BTreeMap<u16, u64>,
}

/// What DynamoDB charges for one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Units {
    pub(crate) read: f64,
    pub(crate) write: f64,
    /// The kind of item written.
    pub(crate) kind: String,
}

impl Meter {
    /// What every function has used so far, by its name.
    pub fn reading(&self) -> BTreeMap<String, FunctionUse> {
        self.lock().clone()
    }

    /// A call was answered; `status` is 0 without an answer.
    pub(crate) fn call(&self, function: &str, call: &str, status: u16) {
        self.of(function, |used| {
            let calls = entry(&mut used.calls, call);
            calls.count += 1;
            *calls.statuses.entry(status).or_default() += 1;
        });
    }

    /// DynamoDB charged for a call.
    pub(crate) fn units(&self, function: &str, units: &Units) {
        self.of(function, |used| {
            used.read_units += units.read;
            if units.write > 0.0 {
                *entry(&mut used.write_units, &units.kind) += units.write;
            }
        });
    }

    /// A process took its first event.
    pub(crate) fn started(&self, function: &str, took: Duration) {
        self.of(function, |used| {
            used.starts += 1;
            used.start_ms += rounded_up_ms(took);
        });
    }

    /// An invocation has ended.
    pub(crate) fn invoked(&self, function: &str, took: Duration, answered: bool) {
        self.of(function, |used| {
            used.invocations += 1;
            used.failed += u64::from(!answered);
            used.billed_ms += rounded_up_ms(took);
        });
    }

    /// Records how much memory a process has had. Does nothing for a process that is gone, or where the system does not
    /// report it.
    pub(crate) fn measure_memory(&self, function: &str, pid: u32) {
        if let Some(peak) = peak_memory_kib(pid) {
            self.of(function, |used| used.peak_memory_kib = used.peak_memory_kib.max(peak));
        }
    }

    fn of(&self, function: &str, count: impl FnOnce(&mut FunctionUse)) {
        let mut all = self.lock();
        match all.get_mut(function) {
            Some(used) => count(used),
            None => count(all.entry(function.to_owned()).or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, FunctionUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of this name, or the one for all that are too many.
fn entry<'a, T: Default>(entries: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    let name = if entries.contains_key(name) || entries.len() < MAX_KINDS { name } else { OTHER };
    entries.entry(name.to_owned()).or_default()
}

fn rounded_up_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// The most that a running process has had resident: `VmHWM` of Linux's `/proc`.
fn peak_memory_kib(pid: u32) -> Option<u64> {
    peak_in(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invocation_is_rounded_up_by_itself() {
        let meter = Meter::default();
        meter.invoked("users", Duration::from_micros(1_001), true);
        meter.invoked("users", Duration::from_micros(10), false);
        meter.started("users", Duration::from_millis(7));
        let used = &meter.reading()["users"];
        assert_eq!((used.invocations, used.failed, used.billed_ms), (2, 1, 3));
        assert_eq!((used.starts, used.start_ms), (1, 7));
    }

    #[test]
    fn calls_and_units_are_summed_by_name() {
        let meter = Meter::default();
        for status in [200, 200, 429, 0] {
            meter.call("users", "skolverket.POST", status);
        }
        let body = Units { read: 0.5, write: 3.0, kind: "large/body".to_owned() };
        meter.units("users", &body);
        meter.units("users", &body);
        meter.units("api", &Units { read: 2.0, ..Units::default() });
        let reading = meter.reading();
        let used = &reading["users"];
        assert_eq!(used.calls["skolverket.POST"].count, 4);
        assert_eq!(used.calls["skolverket.POST"].statuses, BTreeMap::from([(0, 1), (200, 2), (429, 1)]));
        assert_eq!((used.read_units, used.write_units["large/body"]), (1.0, 6.0));
        assert_eq!((reading["api"].read_units, reading["api"].write_units.len()), (2.0, 0));
    }

    #[test]
    fn names_without_end_do_not_take_memory_without_end() {
        let meter = Meter::default();
        for number in 0..1000 {
            let kind = format!("kind{number}");
            meter.units("users", &Units { read: 0.0, write: 1.0, kind });
        }
        let used = &meter.reading()["users"];
        assert_eq!(used.write_units.len(), MAX_KINDS + 1);
        assert_eq!(used.write_units.values().sum::<f64>(), 1000.0);
    }

    #[test]
    fn the_peak_is_read_from_the_systems_words() {
        assert_eq!(peak_in("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t   14236 kB\nVmRSS:\t 12 kB\n"), Some(14_236));
        assert_eq!(peak_in("Name:\tx\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_peak_stays_when_its_process_is_gone() {
        let meter = Meter::default();
        meter.measure_memory("users", std::process::id());
        let peak = meter.reading()["users"].peak_memory_kib;
        assert!(peak > 100);
        meter.measure_memory("users", u32::MAX);
        assert_eq!(meter.reading()["users"].peak_memory_kib, peak);
    }
}
