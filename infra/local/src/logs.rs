//! Where the lines go that function processes write.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::metrics::Metrics;
use crate::notice::notice;

/// Takes one function's lines.
#[derive(Debug, Clone)]
pub struct Log {
    function: String,
    sink: Sink,
    metrics: Metrics,
}

/// Where the lines go.
#[derive(Debug, Clone)]
enum Sink {
    /// All lines are written, in the order in which they came from all its processes.
    File(Arc<Mutex<File>>),
    /// Errors are shown, the rest is dropped.
    ErrorsOnly,
}

impl Log {
    /// Opens `<function>.log` in the directory, which is made if it is not there; lines are added at the end. What is
    /// printed as metrics counts there too.
    pub fn open(directory: Option<&Path>, function: &str, metrics: Metrics) -> std::io::Result<Self> {
        let sink = match directory {
            None => Sink::ErrorsOnly,
            Some(directory) => {
                std::fs::create_dir_all(directory)?;
                let path = directory.join(format!("{function}.log"));
                let file = File::options().create(true).append(true).open(path)?;
                Sink::File(Arc::new(Mutex::new(file)))
            }
        };
        Ok(Self { function: function.to_owned(), sink, metrics })
    }

    /// Takes a process's lines until it closes its end.
    pub async fn copy(self, output: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            self.write(&line);
            line.clear();
        }
    }

    fn write(&self, line: &[u8]) {
        if let Err(error) = self.metrics.take(line) {
            notice(format_args!("{}: {error}", self.function));
        }
        // A log that cannot be written must not stop the function.
        let _ = match &self.sink {
            Sink::File(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line),
            Sink::ErrorsOnly if is_error(line) => std::io::stderr().write_all(line),
            Sink::ErrorsOnly => Ok(()),
        };
    }
}

fn is_error(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line)
        .ok()
        .and_then(|line| line["level"].as_str().map(|level| level.eq_ignore_ascii_case("error")))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_say_so_are_errors() {
        assert!(is_error(br#"{"level":"ERROR","message":"m"}"#));
        assert!(!is_error(br#"{"level":"INFO","message":"ERROR"}"#));
        assert!(!is_error(b"ERROR plain text"));
    }

    #[tokio::test]
    async fn lines_are_added_to_the_functions_file() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["one\n", "two"] {
            let log = Log::open(Some(directory.path()), "users", Metrics::default()).unwrap();
            log.copy(text.as_bytes()).await;
        }
        assert_eq!(std::fs::read_to_string(directory.path().join("users.log")).unwrap(), "one\ntwo\n");
    }
}
