//! The last minutes, for people and reports.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observation::{AgentObservation, Gauge, Observation};
use crate::message::Priority;
use crate::telemetry::snapshot::Quantiles;
use crate::telemetry::sparse::Sparse;

/// What happened in a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How long it is, in seconds.
    pub seconds: f64,
    /// Messages handled without an error.
    pub handled: u64,
    /// Attempts to handle a message that failed.
    pub failed: u64,
    /// Messages not handled.
    pub dropped: u64,
    /// Messages handled a second.
    pub handled_per_second: f64,
    /// Failed attempts over all attempts; `None` when there were none.
    pub failure_ratio: Option<f64>,
    /// Messages waiting.
    pub queued: Option<GaugeSummary>,
    /// Agents alive.
    pub alive: Option<GaugeSummary>,
    /// Processor use of the process, in percent of one.
    pub cpu_percent: Option<GaugeSummary>,
    /// Memory that the process holds, in bytes.
    pub resident_bytes: Option<GaugeSummary>,
    /// That memory over what it may have, 0 to 1.
    pub memory_ratio: Option<GaugeSummary>,
    /// Queue wait over all agents, in nanoseconds, of each priority that was handled.
    pub wait: BTreeMap<Priority, Quantiles>,
    /// End to end over all agents, in nanoseconds, of each priority that was handled.
    pub end_to_end: BTreeMap<Priority, Quantiles>,
    /// The busiest agents, most first; the others as one.
    pub agents: Vec<AgentSummary>,
}

/// Mean and maximum of something that goes up and down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GaugeSummary {
    /// The mean over time.
    pub mean: f64,
    /// The largest at a look.
    pub max: f64,
}

/// One agent in a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentSummary {
    /// Its name.
    pub name: String,
    /// Messages handled without an error.
    pub handled: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Messages not handled.
    pub dropped: u64,
    /// Messages handled a second.
    pub handled_per_second: f64,
    /// Time in handlers over time; above 1 for a pool.
    pub busy_ratio: f64,
    /// Most messages waiting at a look.
    pub queued_max: u64,
    /// Messages measured end to end: those of the looks that read latencies.
    pub end_to_end_count: u64,
    /// End to end over all priorities, in nanoseconds; `None` if nothing was measured.
    pub end_to_end: Option<Quantiles>,
}

impl Summary {
    pub(super) fn of(all: &Observation) -> Self {
        let seconds = all.span.as_secs_f64();
        let attempts = all.handled + all.failed;
        let lanes = |of: fn(&super::LaneObservation) -> &Sparse| {
            let lanes = Priority::ALL.into_iter().zip(all.lanes.iter().map(of));
            lanes.filter_map(|(priority, values)| Some((priority, values.quantiles()?))).collect()
        };
        let mut agents: Vec<_> = all.agents.iter().map(|agent| AgentSummary::of(agent, seconds)).collect();
        agents.sort_by(|a, b| b.busy_ratio.total_cmp(&a.busy_ratio).then_with(|| a.name.cmp(&b.name)));
        Self {
            seconds,
            handled: all.handled,
            failed: all.failed,
            dropped: all.dropped,
            handled_per_second: per_second(all.handled, seconds),
            failure_ratio: (attempts > 0).then(|| all.failed as f64 / attempts as f64),
            queued: GaugeSummary::of(&all.queued),
            alive: GaugeSummary::of(&all.alive),
            cpu_percent: GaugeSummary::of(&all.cpu_percent),
            resident_bytes: GaugeSummary::of(&all.resident_bytes),
            memory_ratio: GaugeSummary::of(&all.memory_ratio),
            wait: lanes(|lane| &lane.wait),
            end_to_end: lanes(|lane| &lane.end_to_end),
            agents,
        }
    }
}

impl GaugeSummary {
    fn of(gauge: &Gauge) -> Option<Self> {
        Some(Self { mean: gauge.mean()?, max: gauge.max()? })
    }
}

impl AgentSummary {
    fn of(agent: &AgentObservation, seconds: f64) -> Self {
        Self {
            name: agent.name.to_string(),
            handled: agent.handled,
            failed: agent.failed,
            dropped: agent.dropped,
            handled_per_second: per_second(agent.handled, seconds),
            busy_ratio: if seconds > 0.0 { agent.busy.as_secs_f64() / seconds } else { 0.0 },
            queued_max: agent.queued,
            end_to_end_count: agent.end_to_end.count(),
            end_to_end: agent.end_to_end.quantiles(),
        }
    }
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

impl Sparse {
    /// The usual quantiles; `None` without values.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        Some(Quantiles {
            p50: self.quantile(0.50)?,
            p90: self.quantile(0.90)?,
            p99: self.quantile(0.99)?,
            p999: self.quantile(0.999)?,
            max: self.max()?,
            mean: self.mean()?,
        })
    }
}
