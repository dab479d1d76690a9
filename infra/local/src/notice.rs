//! What the local stack itself has to say, apart from what it shows.

use std::fmt::Display;
use std::io::Write;

/// One line on standard error. A reader that has gone away is no reason to stop.
pub fn notice(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "stafett: {text}");
}
