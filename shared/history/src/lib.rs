//! The history stores everything that happened, in DynamoDB. It contains the keys, items, claims, transactions and
//! lists, and the limiter for calls. It may use the domain and the process's services. It must not know HTTP, queues,
//! or the meaning of Skolverket's answers.
//!
//! Small items change through conditional writes and transactions. Large items (bodies, answers, issues) are written
//! once, packed, outside transactions.

mod acceptance;
mod activities;
mod attributes;
mod authorization;
mod catalogue;
mod causes;
mod claim;
mod content;
mod contention;
mod discard;
mod due;
mod end;
mod error;
mod item;
mod job_records;
mod key;
mod limiter;
mod list;
mod order;
mod packed;
mod page;
mod place;
mod progress;
mod read;
mod record_ids;
mod refused;
mod running;
mod sent;
mod shown;
mod start;
mod store;
mod terms;
#[cfg(test)]
mod tests;
mod upload;
mod version;
mod viewers;
mod write;

pub use acceptance::{Acceptance, Idempotency, Received, ReceivedSend};
pub use activities::ACTIVITIES_SHOWN;
pub use authorization::Authorization;
pub use catalogue::{ActivityFilter, CurrentActivity};
pub use causes::{JobCause, JobCauses, looked_up_by};
pub use content::{NewBatch, NewBody, NewJob, SendContent};
pub use contention::Contention;
pub use discard::CancelledUpload;
pub use due::Overdue;
pub use item::{
    Attempt, Batch, Claim, Closed, Job, Open, Organiser, Outcomes, Polling, Progress, SendHeader, Tally,
    Upload, Waiting, Work,
};
pub use job_records::{FoundRecord, JobRecord, ListedRecord, OpenedBatch};
pub use key::{Carrier, JobKey, PartBody, SendRef};
pub use limiter::{LONGEST_PAUSE, Limiter, Slot, Taken};
pub use list::{JobFilter, ListedJob, SendFilter, Span};
pub use packed::{Body, Issue, Issues};
pub use page::{Listed, Page, Wanted};
pub use read::StoredSend;
pub use record_ids::{Place, RecordIds};
pub use running::RunningSend;
pub use sent::AttemptBodies;
pub use shown::{PlacedSend, ShownSend};
pub use store::History;
pub use terms::SendTerms;
pub use upload::{NewPart, PartBatch, Sealed, Stored, StoredPart, UploadParts};
pub use version::{PackedKind, VersionError};

pub use claim::{BatchClaim, ClaimAnswer};
pub use end::{EndedJob, Settled};
pub use error::HistoryError;
pub use progress::{Closing, Next, PutBack, StepError};
pub use refused::record_ids;
pub use start::{AT_ONCE, PAUSED, StartAnswer, StartClaim};
