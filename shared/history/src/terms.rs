//! On what terms a send is taken.

use stafett_domain::{Options, Route, SendId};

/// What is settled about a send before its records are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTerms {
    /// Who asked for it: the token's `sub`.
    pub requested_by: String,
    /// What the sender chose, with an environment.
    pub options: Options,
    pub route: Route,
    pub retention_days: u32,
    /// The days that the organiser's certificate has left, where those are few.
    pub certificate_days_left: Option<i64>,
    /// The send that it takes up again.
    pub resume_of: Option<SendId>,
}
