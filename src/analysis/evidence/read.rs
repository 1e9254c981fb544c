//! Evidence as files and servers have it.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::Evidence;
use super::live::Live;
use crate::load::LoadResult;

/// Longer texts are not looked at: a run of an hour, second by second, takes some megabytes.
const LONGEST: usize = 256 << 20;

/// Why there is nothing to analyse.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// It is too long.
    #[error("{bytes} bytes are no load test's result nor a snapshot: those take at most {LONGEST}")]
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// It is not JSON.
    #[error("this is not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of something else.
    #[error(
        "this JSON is neither the result of a load test (`result.json`) nor a monitor's snapshot (`/snapshot`): it has neither `results` nor `runtime`"
    )]
    Neither,
    /// It looks like the result of a load test, and something in it is not as it should be.
    #[error("this is not a whole result of a load test: {0}; was it written by another version?")]
    Result(#[source] serde_json::Error),
    /// It looks like a snapshot, and something in it is not as it should be.
    #[error("this is not a whole snapshot: {0}; was it written by another version?")]
    Snapshot(#[source] serde_json::Error),
}

impl Evidence {
    /// From JSON: the `result.json` of a load test, or what the monitor serves under `/snapshot`.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`]: neither of the two, or damaged.
    pub fn read(json: &[u8]) -> Result<Self, EvidenceError> {
        if json.len() > LONGEST {
            return Err(EvidenceError::TooLong { bytes: json.len() });
        }
        let value: Value = serde_json::from_slice(json).map_err(EvidenceError::NotJson)?;
        if value.get("results").is_some() {
            let result = LoadResult::deserialize(value).map_err(EvidenceError::Result)?;
            Ok(Self::of_run(&result))
        } else if value.get("runtime").is_some() {
            Ok(Self::of_json(Live::deserialize(value).map_err(EvidenceError::Snapshot)?))
        } else {
            Err(EvidenceError::Neither)
        }
    }
}
