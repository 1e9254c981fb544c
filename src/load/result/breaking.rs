//! What was found by raising the rate.

use serde::{Deserialize, Serialize};

/// What was found by raising the rate until the target broke.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakingResult {
    /// Each step, in order.
    pub steps: Vec<BreakingStep>,
    /// Messages a second of the first step that broke; `None` if none did.
    pub breaking_rate: Option<f64>,
    /// Messages a second at the knee: from there on more load gives more latency than throughput. `None` if the steps do not
    /// show one.
    pub knee_rate: Option<f64>,
    /// Why it broke, or why it is not known.
    pub why: String,
    /// From the drop of the load to the first of the seconds in a row that were normal; `None` if it did not get there.
    pub recovery_seconds: Option<f64>,
    /// The 99th percentile that counts as normal: of the first step.
    pub normal_p99_ms: Option<f64>,
    /// What Critical messages must keep beyond the breaking point.
    pub critical_bound_ms: Option<f64>,
    /// Whether they did, in every step that broke; `None` if there is no bound, no such step or no such message.
    pub critical_held: Option<bool>,
    /// The Universal Scalability Law fitted to the steps; `None` if it was not fitted or does not fit.
    pub usl: Option<UslFit>,
}

/// A step of the rate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakingStep {
    /// Messages a second that were to be sent.
    pub offered: f64,
    /// Messages a second that ended well within the judged part of the step, which is all but its first fifth.
    pub completed: f64,
    /// 99th percentile of what ended within it, whenever it was to be sent; `None` if nothing did.
    pub p99_ms: Option<f64>,
    /// The same of Critical messages.
    pub critical_p99_ms: Option<f64>,
    /// Messages that failed within it, in percent.
    pub error_rate: f64,
    /// Whether the target was broken.
    pub broken: bool,
    /// Why; empty if it was not.
    pub why: String,
}

/// Gunther's Universal Scalability Law: throughput(n) = lambda n / (1 + alpha (n - 1) + beta n (n - 1)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct UslFit {
    /// Throughput of one.
    pub lambda: f64,
    /// Contention.
    pub alpha: f64,
    /// Coherency.
    pub beta: f64,
    /// The most messages a second, by the fit.
    pub peak_rate: f64,
    /// Where that lies, with 95 % confidence.
    pub interval: [f64; 2],
}
