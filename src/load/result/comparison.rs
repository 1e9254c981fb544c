//! How a run compares with an earlier one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run compares with an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Where the earlier one is from.
    pub file: String,
    /// Figure by figure.
    pub differences: Vec<Difference>,
}

/// A figure then and now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Which: `p99`, `throughput`, `p99{priority=critical}`.
    pub figure: String,
    /// Then.
    pub baseline: f64,
    /// Now.
    pub now: f64,
    /// Now over then; `None` if it was 0 then.
    pub change: Option<f64>,
    /// How far from 1 the change may be by chance; of the error rate, how far now may be from then, in percentage points.
    pub band: f64,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What to make of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better, beyond what chance explains.
    Better,
    /// Within what chance explains.
    Same,
    /// Worse, beyond what chance explains.
    Worse,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
        })
    }
}
