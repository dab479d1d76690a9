//! What a send is made of: ids, records, the order of the stages, states and their transitions.
//!
//! Pure: no clock, no network, no storage.

pub mod id;
pub mod stage;

pub use id::{
    AttemptId, BatchId, ClaimId, InvalidId, OrganisationNumber, RecordId, SendId, SkolverketJobId,
};
pub use stage::StageName;
