//! What a send is made of: records, their rules, and the states that they go through.
//!
//! It may use nothing but serialisation, ids, dates and Unicode. It must not know the clock, the network or any storage.
//! Each of its modules may use only those before it: `kind`, `state`, `rules`, `submission`, `words`.

pub mod kind;
pub mod rules;
pub mod state;
pub mod submission;
pub mod words;

pub use kind::attribute::may_be_quoted;
pub use kind::characters::{first_seen, without_byte_order_mark};
pub use kind::environment::Environment;
pub use kind::finding_code::{FindingCode, Mender, Severity};
pub use kind::id::{AttemptId, BatchId, ClaimId, InvalidId, RecordId, SendId, SkolverketJobId};
pub use kind::organisation_number::OrganisationNumber;
pub use kind::per_kind::PerKind;
pub use kind::personal::Personal;
pub use kind::record::{Activity, Duty, Group, Person, Record};
pub use kind::record_kind::RecordKind;
pub use kind::reference::{RecordRef, SchoolUnitRef, TestRef};
pub use kind::relation::{IfRefused, Relation};
pub use kind::skolverket_id::{SchoolUnitCode, TestCode, skolverket_id};
pub use rules::access_preview::{Preview, Viewer};
pub use rules::conditions::{Conditions, ProtectedIdentities};
pub use rules::finding::{Finding, FindingKind, Findings, KindCount};
pub use rules::record_findings::RecordFindings;
pub use rules::{dependency, finding, register};
pub use state::activity_summary::{ActivitySummary, SchoolUnitSummary};
pub use state::authorization_cause::AuthorizationCause;
pub use state::call::{AttemptCall, Call};
pub use state::cause::Cause;
pub use state::facts::Facts;
pub use state::options::{OnRecordErrors, Options, References, Validation};
pub use state::outcome::{Counts, Outcome};
pub use state::reason::{Reason, ReasonCode};
pub use state::route::{Operation, Route, Stage};
pub use state::row::{Access, Row, RowError, rows, sent_object};
pub use state::status::{
    BatchEvent, BatchStatus, Ending, IllegalTransition, JobEvent, JobStatus, SendEvent, SendStatus,
};
pub use state::wait_cause::WaitCause;
pub use state::{message, piece, takeover, time};
pub use submission::activity_records::ActivityRecords;
pub use submission::batch::{BatchRecord, MAX_BODY_BYTES, PlannedBatch, cut};
pub use submission::body::Submission;
pub use submission::corrections::Corrected;
pub use submission::entry::Entry;
pub use submission::part::PackedPart;
pub use submission::plan::Plan;
pub use submission::reader::{Read, Rejection};
pub use submission::{schema, upload_check};
pub use words::finding::{FindingGroup, RecordFinding};
pub use words::guidance::{Guidance, catalogue as guidance};
pub use words::known_words::KnownWords;
pub use words::label::Label;
pub use words::text::Text;

#[cfg(test)]
mod sample;
