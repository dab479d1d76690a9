/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `/transaction` of the authorization server.
    Token,
    /// `/{kind}/bulk`.
    Bulk,
    /// `/{kind}/bulk/jobs/{id}`, with or without `/isCompleted`.
    Job,
    /// Any path of the Open-data API.
    OpenData,
    /// Anything else; such a call is always a violation.
    Other,
}
