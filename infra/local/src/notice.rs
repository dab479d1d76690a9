//! The local stack's own notices, on standard error.

use std::fmt::Display;
use std::io::Write;

/// One line on standard error. A reader that has gone away is no reason to stop.
pub fn notice(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "stafett: {text}");
}
