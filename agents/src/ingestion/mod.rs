//! Ingestion: files in, records out.
//!
//! Each member of the pool takes one file at a time and reads it on a blocking thread, record by record; each record
//! goes to deduplication as a message of its own, which waits when that agent is behind (backpressure). How much is on
//! its way at a time is bounded in bytes by the [`Flow`], so memory does not grow with the file. Records that come as a
//! message ([`IngestionMessage::Batch`]) are read the same way, and their sender hears when they are stored.

mod agent;
mod flow;
mod posted;
mod reader;

pub use agent::{FileOutcome, Ingestion, IngestionError, IngestionMessage};
pub use flow::{Flow, Share};
pub(crate) use posted::next_index;
