//! The terms on which a send is accepted.

use stafett_domain::{Options, Route, SendId};

/// What is decided about a send before its records are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTerms {
    /// The `sub` claim of the caller's token.
    pub requested_by: String,
    /// The caller's options, with the environment set.
    pub options: Options,
    pub route: Route,
    pub retention_days: u32,
    /// The number of days until the organiser's certificate expires, if few are left.
    pub certificate_days_left: Option<i64>,
    /// The send that this one resumes.
    pub resume_of: Option<SendId>,
}
