//! The figures of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::load::target::ErrorClass;
use crate::message::Priority;

/// The figures of all messages, and by priority and kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Of all messages.
    #[serde(flatten)]
    pub all: Figures,
    /// Of each priority that was sent.
    pub by_priority: BTreeMap<Priority, Figures>,
    /// Of each kind that was sent.
    pub by_kind: BTreeMap<String, Figures>,
    /// Of each priority of each kind that was sent.
    pub by_kind_and_priority: BTreeMap<String, BTreeMap<Priority, Figures>>,
    /// Latencies from the actual sends.
    pub uncorrected: Uncorrected,
    /// Messages a second that were to be sent.
    pub offered_rate: f64,
    /// Messages that were not sent, because too many were under way. They are in `failed_requests` too.
    pub dropped_sends: u64,
    /// Messages that failed, by class.
    pub errors: BTreeMap<ErrorClass, u64>,
}

/// What was measured of some messages.
///
/// Latencies are from the moment at which a message was to be sent, of those that ended well and of those that did not end in
/// time (with the time they were waited for). What failed otherwise is in the error rate and in no latency: a
/// refusal that takes a microsecond would make an overloaded target look fast.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Messages that were to be sent.
    pub total_requests: u64,
    /// Messages that ended well.
    pub successful_requests: u64,
    /// Messages that failed, for whatever reason, those not sent included.
    pub failed_requests: u64,
    /// Messages whose latency is in the figures below: those that ended well, and those that did not end in time.
    pub measured: u64,
    /// Mean latency, in milliseconds; 0 if nothing was measured.
    pub avg_response_time: f64,
    /// Latencies.
    pub percentiles: Percentiles,
    /// Messages a second that ended well.
    pub throughput: f64,
    /// Failed messages, in percent of all.
    pub error_rate: f64,
}

/// Latencies in milliseconds, within 0.1 % of a measured value; all 0 if nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// 90 of 100 are at most this.
    pub p90: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// 999 of 1,000 are at most this.
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

/// Latencies from the actual sends: what a measurement sees that does not count the time in which it was held up itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Uncorrected {
    /// Mean latency, in milliseconds.
    pub avg_response_time: f64,
    /// Latencies.
    pub percentiles: Percentiles,
}
