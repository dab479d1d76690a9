//! Log lines: one flat JSON object per event, on standard output.
//!
//! Only events of this project's own crates are written, from DEBUG up: other crates may quote the data that they
//! handle.

use std::fmt;
use std::io::Write;
use std::sync::{PoisonError, RwLock};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::clock::Clock;

/// The target of events that are written at every log level. It must always be possible to see who read personal data,
/// even if somebody lowered the level.
pub const AUDIT: &str = "stafett::audit";

/// Starts logging for this process, at the level in `LOG_LEVEL` (error, warn, info, debug; default info). Replaces the
/// panic hook by one that logs where a panic happens, but not its text, because the text may hold data.
pub fn start() {
    let level =
        std::env::var("LOG_LEVEL").ok().and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(FlatJson { level: level.min(LevelFilter::DEBUG) });
    // A second start in one process keeps the first subscriber, which is the same.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(event = "panic", place, "a piece of work panicked");
    }));
}

/// The current invocation of this process. Lambda gives a process one at a time.
static INVOCATION: RwLock<Option<String>> = RwLock::new(None);

/// From now on, every line holds this invocation's id. It is Lambda's own id, which is also in Lambda's own lines.
pub fn begin_invocation(request_id: &str) {
    *INVOCATION.write().unwrap_or_else(PoisonError::into_inner) = Some(request_id.to_owned());
}

/// Writes the lines itself, because the JSON format of `tracing-subscriber` cannot, even with flattened events. It has
/// no place for a field that every line has outside a span (`request_id`). If an event has a field named `level` or
/// `timestamp`, its line has two fields with that name.
struct FlatJson {
    level: LevelFilter,
}

impl FlatJson {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target == AUDIT || target.starts_with("stafett") && *metadata.level() <= self.level
    }
}

impl<S: Subscriber> Layer<S> for FlatJson {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        print(line_of(event));
    }
}

fn line_of(event: &Event<'_>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), Clock.now().to_string().into());
    line.insert("level".to_owned(), event.metadata().level().as_str().into());
    event.record(&mut Fields(&mut line));
    line
}

/// Writes one whole line, with the current invocation.
pub(crate) fn print(mut line: Map<String, Value>) {
    if let Some(id) = INVOCATION.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
        line.insert("request_id".to_owned(), id.as_str().into());
    }
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    // If standard output fails, there is nowhere to report it.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    /// The first value of a name stays: the text of an event comes before its fields, and time and level come before
    /// both.
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.entry(field.name()).or_insert(value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn no_field_of_an_event_takes_the_place_of_its_words_its_time_or_its_level() {
        #[derive(Clone, Default)]
        struct Last(Arc<Mutex<Map<String, Value>>>);
        impl<S: Subscriber> Layer<S> for Last {
            fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
                *self.0.lock().unwrap() = line_of(event);
            }
        }
        let last = Last::default();
        let subscriber = tracing_subscriber::registry().with(last.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                event = "message.stale",
                message = "an id",
                timestamp = 3,
                level = "none",
                other = 4,
                "the words"
            );
        });
        let line = last.0.lock().unwrap();
        assert_eq!(
            (&line["message"], &line["level"], &line["other"]),
            (&"the words".into(), &"INFO".into(), &4.into())
        );
        assert!(line["timestamp"].is_string());
    }
}
