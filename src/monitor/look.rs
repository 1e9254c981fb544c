//! What one look saw.

use std::time::SystemTime;

use super::parts::PartSample;
use crate::message::Priority;
use crate::sync::Arc;
use crate::telemetry::names::{Metric, metric};
use crate::telemetry::{LaneLatencies, MetricSample, RegistryReading, RuntimeReading, Sparse, SystemSample};

/// What one look saw.
#[derive(Debug, Clone)]
pub struct Look {
    /// When.
    pub at: SystemTime,
    /// The agents, without their histograms.
    pub runtime: RuntimeReading,
    /// Process, host and cgroup.
    pub system: SystemSample,
    /// The program's own metrics; distributions of what was recorded since they were read before.
    pub registry: RegistryReading,
    /// Stores, query caches, outboxes and guards that are watched; histograms as for agents.
    pub(super) parts: Vec<PartSample>,
    /// Latencies since they were read before, of agents that did something, by name; `None` if this look did not read
    /// them.
    pub latencies: Option<Vec<(Arc<str>, LaneLatencies)>>,
    /// The same over all agents.
    pub all_latencies: Option<LaneLatencies>,
}

type Lanes = fn(&LaneLatencies) -> &[Sparse; Priority::COUNT];

const LATENCIES: &[(&Metric, &Metric, Lanes)] = &[
    (metric::AGENT_WAIT, metric::WAIT, |it| &it.wait),
    (metric::AGENT_RESPONSE, metric::RESPONSE, |it| &it.end_to_end),
];

impl Look {
    /// Every value of this look, for alert rules: counters from the start of the process, gauges, and histograms of what was
    /// measured since they were read before. In a look that did not read histograms there are none.
    pub fn samples(&self) -> impl Iterator<Item = MetricSample<'_>> {
        let agents = LATENCIES.iter().flat_map(|(metric, _, lanes)| self.agents_in(metric, *lanes));
        let service = self.agents_in(metric::AGENT_SERVICE, |it| &it.service);
        let all = LATENCIES.iter().flat_map(|(_, metric, lanes)| {
            let latencies = self.all_latencies.iter();
            latencies.flat_map(move |it| {
                filled(it, *lanes).map(move |(priority, values)| {
                    MetricSample::distribution(metric, [priority.as_str()], values)
                })
            })
        });
        self.runtime
            .samples()
            .chain(self.system.samples())
            .chain(self.registry.samples())
            .chain(self.parts.iter().map(PartSample::sample))
            .chain(all)
            .chain(agents)
            .chain(service)
    }

    fn agents_in(&self, metric: &'static Metric, lanes: Lanes) -> impl Iterator<Item = MetricSample<'_>> {
        self.latencies.iter().flatten().flat_map(move |(name, latencies)| {
            filled(latencies, lanes).map(move |(priority, values)| {
                MetricSample::distribution(metric, [&**name, priority.as_str()], values)
            })
        })
    }
}

fn filled(latencies: &LaneLatencies, lanes: Lanes) -> impl Iterator<Item = (Priority, &Sparse)> {
    Priority::ALL.into_iter().zip(lanes(latencies)).filter(|(_, values)| !values.is_empty())
}
