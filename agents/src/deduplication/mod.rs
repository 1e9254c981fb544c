//! Deduplication: of every record the newest version, by identity, and what it was before.
//!
//! Here by identifier alone: the NCT number with its aliases, the PMID and its version, the application number, the set
//! id. What decides is in the [catalogue](crate::catalogue); the agent brings it records in batches, each one short
//! transaction.

mod agent;

pub use agent::{BatchOutcome, Deduplication, DeduplicationError, DeduplicationMessage, Settled, Stored};
