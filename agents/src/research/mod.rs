//! Research: questions about the catalogue, answered through the query cache.
//!
//! Reads only. What it answers is at most [`Research::FRESH`] old: the cache is not told what deduplication stores, so the
//! time to live is the bound. (Consent is not for a cache, and is not asked here: nothing of a patient is in the catalogue.)

mod agent;

pub use agent::{Research, ResearchError, ResearchMessage};
