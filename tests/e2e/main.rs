//! The relay as a whole: function processes, emulated AWS, and the simulator of Skolverket, which judges.
//!
//! Each test has a stack of its own, at ten times the pace (`--fast`). Nothing sleeps for a fixed time: tests wait on
//! conditions with a deadline.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod another_aws;
mod another_template;
mod answer;
mod answers;
mod authorization;
mod backlog;
mod bad_input;
mod cancel;
mod catalogue;
mod contract;
mod crash;
mod csv;
mod delivery;
mod faults;
mod federation;
mod findings;
mod going_on;
mod guidance;
mod history;
mod inputs;
mod isolation;
mod lists;
mod magic;
mod marked_answers;
mod metering;
mod never_accepted;
mod newer_version;
mod odd_answers;
mod open_data;
mod openapi;
mod operations;
mod organisers;
mod packaged;
mod people;
mod privacy;
mod program;
mod random;
mod reads;
mod refusals;
mod restart;
mod resume;
mod routes;
mod sizes;
mod sqs_contract;
mod stack;
mod storage;
mod takeover;
mod template;
mod tokens;
mod upload_races;
mod uploads;
mod validation;
mod walk;
mod watchdog;
