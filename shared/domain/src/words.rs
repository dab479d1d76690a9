//! Everything that people read, in Swedish and English: labels, what findings, reasons and causes mean, and what to do
//! about them.
//!
//! It may use the crate's other modules, and none of them uses it: a code becomes a text where it is shown. It must not
//! decide anything.

mod access_preview;
mod cause;
pub mod finding;
mod finding_code;
pub mod guidance;
pub mod known_words;
pub mod label;
mod register;
pub mod text;
mod unreadable;
