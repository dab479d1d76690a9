//! HTTP in and out: who calls, what an address, a query and a body hold; how large an answer may be, how it is asked for
//! again, and how a request that is not done is answered.

pub(crate) mod accept;
pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod gateway;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod request_log;
pub(crate) mod room;
