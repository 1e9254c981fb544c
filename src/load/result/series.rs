//! A run second by second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::Priority;

/// A second of a run; in a long run, several.
///
/// What was sent is counted in the second in which it was to be sent; what ended, with its latency, in the one in which it
/// ended. Counts are of the whole point, rates are made by dividing them by `span_seconds`. What is not known is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// When it began, in seconds since the start.
    pub second: f64,
    /// How long it is: 1, more in a long run, less at the end.
    pub span_seconds: f64,
    /// What went on: `stage 1`, `step 3`, `cool-down`, `drain`.
    pub stage: String,
    /// Whether it belongs to the warm-up, which is in no other figure.
    pub warm_up: bool,
    /// Messages that were to be sent.
    pub offered: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that ended well.
    pub completed: u64,
    /// Messages that failed, those not sent included.
    pub failed: u64,
    /// Median latency, in milliseconds; `null` if nothing ended.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// 99th percentile of each priority of which something ended.
    pub p99_by_priority: BTreeMap<Priority, f64>,
    /// Messages under way at its end.
    pub in_flight: u64,
    /// Messages queued at its end, over all agents; empty if the target does not say.
    pub depth: BTreeMap<Priority, u64>,
    /// 99th percentile of the time messages were queued, over all agents, in milliseconds.
    pub wait_p99_ms: BTreeMap<Priority, f64>,
    /// Messages that agents shed.
    pub shed: u64,
    /// Messages that agents or links refused.
    pub refused: u64,
    /// Times agents were rebuilt.
    pub restarts: u64,
    /// Links whose breaker was not closed at its end.
    pub breakers_open: Vec<String>,
    /// Processor use of the target's process, in percent of one processor.
    pub cpu_percent: Option<f64>,
    /// Memory that it held.
    pub rss_bytes: Option<u64>,
    /// 99th percentile of how late messages were sent, in milliseconds; `null` if none was sent.
    pub lag_ms: Option<f64>,
}
