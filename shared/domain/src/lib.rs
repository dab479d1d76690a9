//! What a send is made of: ids, records, the order of the stages, states and their transitions.
//!
//! Pure: no clock, no network, no storage.

pub mod across;
pub mod authorization;
pub mod call;
pub mod cause;
mod characters;
pub mod composition;
pub mod corrected;
pub mod dependency;
pub mod environment;
pub mod finding;
pub mod guidance;
pub mod id;
mod json;
pub mod known_words;
pub mod label;
mod links;
pub mod message;
pub mod organisation_number;
pub mod personal;
pub mod piece;
pub mod plan;
pub mod preview;
pub mod reason;
pub mod record;
pub mod reference;
pub mod register;
pub mod row;
mod rules;
pub mod schema;
mod shape;
pub mod skolverket_id;
pub mod stage;
pub mod state;
pub mod submission;
mod table;
pub mod takeover;
pub mod time;
pub mod vocabulary;
pub mod wait;

pub use authorization::AuthorizationCause;
pub use call::{AttemptCall, Call};
pub use cause::Cause;
pub use characters::{first_seen, without_byte_order_mark};
pub use composition::Composition;
pub use corrected::Corrected;
pub use environment::Environment;
pub use finding::{
    Finding, FindingCode, Findings, Group as FindingGroup, Kind as FindingKind, KindCount, Mender,
    RecordFinding, RecordFindings, Severity, Validation,
};
pub use guidance::Guidance;
pub use id::{AttemptId, BatchId, ClaimId, InvalidId, RecordId, SendId, SkolverketJobId};
pub use known_words::{KnownWords, may_be_quoted};
pub use label::Label;
pub use organisation_number::OrganisationNumber;
pub use personal::Personal;
pub use plan::{ActivitySummary, Facts, MAX_BODY_BYTES, Plan, PlannedBatch, SchoolUnitSummary};
pub use preview::{Preview, Viewer};
pub use reason::{Reason, ReasonCode, Text};
pub use record::{Activity, Duty, Group, Person, Record};
pub use reference::{RecordRef, SchoolUnitRef, TestRef};
pub use row::{Access, Row, RowError, rows, sent_object};
pub use rules::{Conditions, ProtectedIdentities};
pub use skolverket_id::{SchoolUnitCode, TestCode, skolverket_id};
pub use stage::StageName;
pub use state::{
    BatchEvent, BatchStatus, Counts, Ending, IllegalTransition, JobEvent, JobStatus, Outcome, SendEvent,
    SendStatus,
};
pub use submission::{Entry, OnRecordErrors, Options, PackedPart, Read, References, Rejection, Submission};
pub use wait::WaitCause;

#[cfg(test)]
mod example;
#[cfg(test)]
mod sample;
