//! The history on the embedded DynamoDB. Each test has a table of its own. [`table`] lets a test change an item, or make
//! a call fail, at the moment when the history relies on what it has read; [`sample`] has the sends that the tests use.

mod acceptance;
mod catalogue;
mod claim;
mod discard;
mod due;
mod end;
mod fixtures;
mod formats;
mod idempotency;
mod limiter;
mod list;
mod model;
mod packing;
mod place;
mod repeats;
mod route;
mod running;
pub(crate) mod sample;
mod start;
mod step;
mod stop;
mod store;
mod table;
mod upload;
mod written;
