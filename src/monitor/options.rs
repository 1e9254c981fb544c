//! How a monitor looks.

use std::time::Duration;

use crate::telemetry::{HistoryOptions, RegistryOptions};

/// How a monitor looks and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorOptions {
    /// Time between two looks. Default: 1 s; at least 50 ms.
    pub interval: Duration,
    /// Time between two looks that also read the histograms of every agent that did something, which cost about 0.05 ms an
    /// agent. Default: 30 s.
    pub latency_interval: Duration,
    /// Agents that are told apart, in the order in which they came; the others are one, `(other)`. Default: 1,000.
    pub agents: usize,
    /// What is remembered. Default: 24 h.
    pub history: HistoryOptions,
    /// Bounds of the program's own metrics.
    pub registry: RegistryOptions,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            latency_interval: Duration::from_secs(30),
            agents: 1000,
            history: HistoryOptions::default(),
            registry: RegistryOptions::default(),
        }
    }
}

impl MonitorOptions {
    /// Shortest interval that is meant seriously.
    pub(super) const SHORTEST: Duration = Duration::from_millis(50);
}
