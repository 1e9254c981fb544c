//! The health-data agents that run on Statim.
//!
//! One folder an agent ([`ingestion`], [`deduplication`], [`consent`], [`research`], [`monitor`], [`alerting`]); [`deployment`]
//! puts them together as a configuration says, [`messages`] lets others send to them, and `cli` is the binary `statim`. What they work with: [`formats`] reads files
//! into [`record`]s, [`catalogue`] keeps these, [`generate`] makes synthetic ones.
//! [`rehearsal`] plays cases against alert rules.

pub mod alerting;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod consent;
pub mod deduplication;
pub mod deployment;
pub mod formats;
pub mod generate;
pub mod ingestion;
pub mod load;
pub mod messages;
pub mod monitor;
pub mod record;
pub mod rehearsal;
pub mod research;
