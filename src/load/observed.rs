//! How a target is at a moment.

use serde::{Deserialize, Serialize};

use crate::runtime::RuntimeHandle;
use crate::telemetry::{LaneLatencies, Snapshot, SystemSample};

/// How a target is at a moment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Its agents and links.
    #[serde(flatten)]
    pub runtime: Option<Snapshot>,
    /// The process that holds them, with its host. `None` in what a target in this process says: the load test looks itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemSample>,
    /// Statistics of its store, as the store writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<serde_json::Value>,
    /// Latencies of all agents since their start, for the waits of each second. Not in the file.
    #[serde(skip)]
    pub latencies: Option<LaneLatencies>,
}

impl Observed {
    /// A runtime at this moment: its agents, its links and the latencies of all agents. Costs what a snapshot costs; stops nobody.
    #[must_use]
    pub fn runtime(runtime: &RuntimeHandle) -> Self {
        let mut all = LaneLatencies::default();
        runtime.core().registry.all_cells().iter().for_each(|cell| all.add(&cell.latencies()));
        Self { runtime: Some(runtime.snapshot()), latencies: Some(all), ..Self::default() }
    }
}
