//! Ingestion: files in, records out.
//!
//! Each member of the pool takes one file at a time and reads it on a blocking thread, record by record; each record
//! goes to deduplication as a message of its own, which waits when that agent is behind (backpressure). How much is on
//! its way at a time is bounded in bytes by the [`Flow`], so memory does not grow with the file.

mod agent;
mod flow;
mod reader;

pub use agent::{FileOutcome, Ingestion, IngestionError, IngestionMessage};
pub use flow::{Flow, Share};
