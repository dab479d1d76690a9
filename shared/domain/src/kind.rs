//! What a record is: the kinds of record, their ids and references, the closed vocabularies, and the one table of
//! attributes and of who refers to whom.
//!
//! It may use nothing else of this crate. It must not know what a send is, what is right or wrong with a record, or the
//! texts that people read.

pub mod attribute;
pub mod characters;
pub mod environment;
pub mod finding_code;
pub mod id;
pub mod organisation_number;
pub mod per_kind;
pub mod personal;
pub mod record;
pub mod record_kind;
pub mod reference;
pub mod relation;
pub mod skolverket_id;

pub mod vocabulary;
