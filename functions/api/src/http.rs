//! What requests and answers have in common: extractors (caller, path, query, body), problems, size, caching, logs.

pub(crate) mod accept;
pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod gateway;
pub(crate) mod page;
pub(crate) mod parameter_fault;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request_log;
pub(crate) mod size_limit;
