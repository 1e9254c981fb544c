//! What had to hold.

use serde::{Deserialize, Serialize};

/// A threshold and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// As it was written.
    pub expression: String,
    /// Whether it held.
    pub passed: bool,
    /// What was measured, with its unit: `12.3 ms`; `no data` if nothing was, and then it has not held.
    pub observed: String,
}

/// A target and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetLine {
    /// What it is about.
    pub name: String,
    /// What is wanted, with its unit.
    pub wanted: String,
    /// What was measured, with its unit.
    pub observed: String,
    /// Whether it is met; `null` if this run does not tell.
    pub met: Option<bool>,
}

/// Whether the generator kept up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorResult {
    /// How late messages were sent.
    pub lag_ms: LagMs,
    /// Messages sent in the measured part.
    pub sends: u64,
    /// What the 99th percentile may be at most.
    pub bound_ms: f64,
    /// Whether it was.
    pub passed: bool,
    /// The most users of any stage.
    pub users: u32,
    /// Threads that sent.
    pub workers: u32,
}

/// How late messages were sent, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LagMs {
    /// The median.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}
