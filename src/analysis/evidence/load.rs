//! The load of a test, and how it went by the generator's measure.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::message::Priority;

/// The load of a test, and how it went by the generator's measure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadEvidence {
    /// Whether every threshold held.
    pub passed: bool,
    /// Messages a second that were to be sent.
    pub offered: f64,
    /// Messages a second that ended well.
    pub throughput: f64,
    /// Messages that were to be sent.
    pub total: u64,
    /// Messages that failed, those not sent included.
    pub failed: u64,
    /// Messages not sent, because too many were under way.
    pub dropped_sends: u64,
    /// Failed messages by class.
    pub errors: BTreeMap<String, u64>,
    /// 99th percentile from the intended send to the end, in seconds.
    pub p99: f64,
    /// The same of each priority.
    pub p99_by_priority: BTreeMap<Priority, f64>,
    /// The generator.
    pub generator: GeneratorEvidence,
    /// Thresholds and targets, line by line.
    pub targets: Vec<TargetEvidence>,
    /// What the 99th percentile of a priority may be at most, in seconds, where a threshold says so.
    pub wanted_p99: BTreeMap<Priority, f64>,
    /// Seconds in which links' breakers were open, by link.
    pub breaker_open_seconds: BTreeMap<String, f64>,
    /// Messages a second at which the target broke.
    pub breaking_rate: Option<f64>,
    /// Messages a second at the knee.
    pub knee_rate: Option<f64>,
    /// Seconds until it was normal again.
    pub recovery_seconds: Option<f64>,
}

/// The generator of the load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct GeneratorEvidence {
    /// 99th percentile of how late messages were sent, in seconds.
    pub lag_p99: f64,
    /// What it may be at most, in seconds.
    pub bound: f64,
    /// Whether it was.
    pub passed: bool,
}

/// A threshold or target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetEvidence {
    /// What is wanted.
    pub wanted: String,
    /// What was measured.
    pub observed: String,
    /// Whether it is met; `None` if this run does not tell.
    pub met: Option<bool>,
}
