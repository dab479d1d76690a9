//! Log lines: one flat JSON object an event, on standard output.
//!
//! Only events of our own crates are written, from DEBUG up: other crates may quote what they handle.

use std::fmt;
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::clock::Clock;

/// Starts logging for this process, at the level that `LOG_LEVEL` names (error, warn, info, debug; default info),
/// and replaces the panic hook by one that says where, never what: a panic's text may hold data.
pub fn start() {
    let level =
        std::env::var("LOG_LEVEL").ok().and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(FlatJson { level: level.min(LevelFilter::DEBUG) });
    // A second start in one process keeps the first one's subscriber, which is the same.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(event = "panic", place, "a piece of work panicked");
    }));
}

struct FlatJson {
    level: LevelFilter,
}

impl FlatJson {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("stafett") && *metadata.level() <= self.level
    }
}

impl<S: Subscriber> Layer<S> for FlatJson {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), Clock.now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        event.record(&mut Fields(&mut line));
        print(line);
    }
}

/// Writes one line, whole.
pub(crate) fn print(line: Map<String, Value>) {
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    // There is nobody left to tell when standard output is gone.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
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
