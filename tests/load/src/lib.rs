//! Sends of any size with made-up people, for the benchmark: the same preset gives the same bytes every time.
//!
//! Birth numbers are those that the tax agency keeps for made-up people (980–999), with right check digits. Ids, EPPNs
//! and names look random, so that they pack no better than real ones.

mod person;
mod preset;
mod random;
mod school;
mod send;
#[cfg(test)]
mod tests;

pub use preset::Preset;
pub use send::{LARGEST_PART, List, Part, Parts, Send};
