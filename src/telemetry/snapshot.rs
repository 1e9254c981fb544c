//! The state of a runtime at a moment, ready to be serialised.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::link::LinkSnapshot;
use crate::mailbox::Reason;
use crate::message::Priority;
use crate::resilience::AdmissionSnapshot;

/// All agents of a runtime at one moment. Cheap: it reads counters and histograms and stops nobody; a
/// figure is late by one slice of its agent's loop at most.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// Seconds since the runtime started.
    pub uptime_seconds: f64,
    /// Each agent, by name.
    pub agents: Vec<AgentSnapshot>,
    /// Each guarded link, by name.
    #[serde(default)]
    pub links: Vec<LinkSnapshot>,
    /// Messages ever put in the dead letters (those no longer kept included).
    pub dead_letters: u64,
}

impl Snapshot {
    /// The agent of this name.
    #[must_use]
    pub fn agent(&self, name: &str) -> Option<&AgentSnapshot> {
        self.agents.iter().find(|agent| agent.name == name)
    }

    /// The link of this name, such as `ingestion -> deduplication`.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<&LinkSnapshot> {
        self.links.iter().find(|link| link.name == name)
    }
}

/// Where an agent is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Its `started` has not finished yet; messages queue.
    Starting,
    /// Serving.
    Running,
    /// Told to pause; messages queue.
    Paused,
    /// Failed, and waiting for its next start; messages queue.
    BackingOff,
    /// Closed to new messages, finishing what is queued.
    Draining,
    /// Ended as asked.
    Stopped,
    /// Ended because it failed too often.
    Failed,
}

impl AgentState {
    /// Whether the agent will never serve again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// One agent at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentSnapshot {
    /// The name it was spawned under.
    pub name: String,
    /// The agent's Rust type, without its path.
    pub agent_type: String,
    /// Instances that share the mailbox.
    pub instances: usize,
    /// The state of the first instance.
    pub state: AgentState,
    /// The arbiters its instances live on, ascending. Agents with a number in common share a thread. The numbers mean
    /// nothing else.
    #[serde(default)]
    pub arbiters: Vec<u32>,
    /// The mailbox's bound.
    pub capacity: usize,
    /// Messages queued, for each priority.
    pub depth: BTreeMap<Priority, u64>,
    /// Messages handled without an error.
    pub handled: u64,
    /// Messages whose handling failed or panicked, each attempt counted.
    pub failed: u64,
    /// Panics caught.
    pub panicked: u64,
    /// Times the agent was rebuilt.
    pub restarts: u64,
    /// Messages not handled, for each reason that occurred.
    pub dropped: BTreeMap<Reason, u64>,
    /// Admission control, if the agent has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionSnapshot>,
    /// Seconds spent in handlers, waiting inside them included, over all instances.
    pub busy_seconds: f64,
    /// Processor time of its turns, over all instances; `None` if it is not measured (see
    /// [`RuntimeBuilder::cpu_time`](crate::RuntimeBuilder::cpu_time)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Bytes that its turns allocated less those they freed; `None` if allocations are not counted (see
    /// [`AllocationMeter`](super::AllocationMeter)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_bytes: Option<u64>,
    /// Busy time over lifetime and instances, 0 to 1.
    pub utilization: f64,
    /// Latencies of each priority that was handled at least once.
    pub latency: BTreeMap<Priority, LatencySummary>,
}

/// Latencies of one priority, in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Messages measured.
    pub count: u64,
    /// From the send to the start of handling. For a sender that had to wait for room, from when it began.
    pub wait: Quantiles,
    /// From the start of handling to its end.
    pub service: Quantiles,
    /// From the send to the end of handling.
    pub end_to_end: Quantiles,
}

/// Quantiles in nanoseconds, within 1 % of a measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50: u64,
    /// 90 of 100 are at most this.
    pub p90: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// 999 of 1,000 are at most this.
    pub p999: u64,
    /// The largest.
    pub max: u64,
    /// The arithmetic mean.
    pub mean: f64,
}

impl Quantiles {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.50),
            p90: histogram.value_at_quantile(0.90),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
            mean: histogram.mean(),
        }
    }
}
