//! The intake turns a request into an accepted send (new, in parts or resumed), and validates without sending. It may
//! use the domain, the process's services, the history, and Skolverket's public registers. It must not know HTTP,
//! Skolverket's bulk calls, or how a send is relayed.

mod acceptance;
mod content;
mod error;
mod idempotency;
mod intake;
mod new_send;
mod organiser;
mod registers;
mod resume;
mod submit;
mod terms;
mod upload;
mod upload_content;
mod validation;

pub use error::IntakeError;
pub use idempotency::{IdempotencyKey, UnusableKey};
pub use intake::{Intake, Requester};
pub use new_send::NewSendAnswer;
pub use organiser::OrganiserStatus;
pub use resume::ResumeRequest;
pub use upload::TakenPart;
pub use validation::ValidationReport;
