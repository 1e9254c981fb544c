//! Evidence of a running system.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::store::Statistics;
use super::{AgentEvidence, Evidence, SystemEvidence, agents, sound};
use crate::monitor::MonitorSnapshot;
use crate::telemetry::{Snapshot, Summary, SystemSample};

/// What the monitor serves under `/snapshot`, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(super) struct Live {
    runtime: Snapshot,
    #[serde(default)]
    system: Option<Value>,
    #[serde(default)]
    summary: Option<Value>,
    #[serde(default)]
    stores: Option<Value>,
    #[serde(default)]
    caches: Option<BTreeMap<String, Value>>,
    /// One store, or several and the cache, as a load test's target has them.
    #[serde(default)]
    store: Option<Value>,
    #[serde(default)]
    cache: Option<Value>,
}

/// The summary's part of an agent: what it did in the last minutes.
#[derive(Debug, Deserialize)]
struct RecentAgent {
    name: String,
    handled: u64,
    failed: u64,
    busy_ratio: f64,
}

#[derive(Debug, Deserialize)]
struct Recent {
    seconds: f64,
    #[serde(default)]
    agents: Vec<RecentAgent>,
    #[serde(default)]
    cpu_percent: Option<RecentGauge>,
    #[serde(default)]
    resident_bytes: Option<RecentGauge>,
}

#[derive(Debug, Deserialize)]
struct RecentGauge {
    mean: f64,
    max: f64,
}

impl Evidence {
    /// Of a runtime since its start. Of the process it says nothing.
    #[must_use]
    pub fn of_runtime(snapshot: &Snapshot) -> Self {
        let (agents, links) = agents::since(snapshot, None);
        Self {
            subject: "a running system".to_owned(),
            seconds: sound(snapshot.uptime_seconds),
            agents,
            links,
            ..Self::default()
        }
    }

    /// Of a runtime between two snapshots of it.
    #[must_use]
    pub fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let (agents, links) = agents::since(after, Some(before));
        Self {
            seconds: sound(after.uptime_seconds - before.uptime_seconds),
            agents,
            links,
            ..Self::of_runtime(after)
        }
    }

    /// Of a monitored runtime: how busy it was in the last minutes, and latencies since its start.
    #[must_use]
    pub fn of_snapshot(snapshot: &MonitorSnapshot) -> Self {
        let MonitorSnapshot { runtime, system, summary, stores, caches, .. } = snapshot;
        let statistics = Statistics::of_watched(stores, caches);
        Self::of_live(runtime, system.as_ref(), Recent::of(summary)).with(&statistics, runtime)
    }

    pub(super) fn of_json(live: Live) -> Self {
        let mut gaps = Vec::new();
        let mut read = |name: &str| {
            gaps.push(format!(
                "The snapshot's `{name}` is not in a form that this version reads; report with the version that wrote it."
            ));
        };
        let system = live
            .system
            .filter(|it| !it.is_null())
            .and_then(|value| SystemSample::deserialize(value).map_err(|_| read("system")).ok());
        let recent =
            live.summary.and_then(|value| Recent::deserialize(value).map_err(|_| read("summary")).ok());
        let mut statistics = Statistics::of(&live.store.unwrap_or_default());
        if let Some(stores) = &live.stores {
            statistics.stores(stores);
        }
        for cache in live.cache.iter().chain(live.caches.iter().flat_map(BTreeMap::values)) {
            statistics.cache(cache);
        }
        gaps.extend(statistics.gaps());
        let mut evidence =
            Self::of_live(&live.runtime, system.as_ref(), recent).with(&statistics, &live.runtime);
        evidence.gaps.extend(gaps);
        evidence
    }

    /// With the statistics of stores and cache. They are since the start; the window has as large a part of them as of the
    /// messages.
    fn with(mut self, statistics: &Statistics, runtime: &Snapshot) -> Self {
        (self.stores, self.cache) = statistics.since(None);
        let attempts = |agents: &[AgentEvidence]| agents.iter().map(|it| it.attempts() as f64).sum::<f64>();
        let whole = attempts(&agents::since(runtime, None).0);
        let part = super::ratio(attempts(&self.agents), whole).unwrap_or(1.0).min(1.0);
        self.stores.values_mut().for_each(|store| store.scale(part));
        if let Some(cache) = &mut self.cache {
            cache.scale(part);
        }
        self
    }

    fn of_live(runtime: &Snapshot, system: Option<&SystemSample>, recent: Option<Recent>) -> Self {
        let mut evidence = Self::of_runtime(runtime);
        evidence.system = system.map(|system| SystemEvidence::since(system, None, 0.0));
        let Some(recent) = recent.filter(|it| it.seconds.is_finite() && it.seconds > 0.0) else {
            return evidence;
        };
        // The window is that of the counts; latencies keep theirs, and means say what they are of.
        let whole = evidence.seconds;
        evidence.seconds = recent.seconds;
        evidence.agents.iter_mut().for_each(|agent| recent.put_on(agent, whole));
        if let Some(system) = &mut evidence.system {
            let cpu =
                recent.cpu_percent.as_ref().and_then(|it| super::ratio(it.mean / 100.0, system.cpu_cores?));
            system.cpu = cpu.map(|it| it.min(1.0)).or(system.cpu);
            system.cpu_seconds =
                recent.cpu_percent.as_ref().map(|it| sound(it.mean) / 100.0 * recent.seconds);
            let most = recent.resident_bytes.as_ref().map(|it| sound(it.max) as u64);
            system.memory_bytes = system.memory_bytes.max(most);
        }
        if evidence.agents.iter().any(|agent| !agent.lanes.is_empty()) {
            evidence.gaps.push(
                "Latencies are since the start of each agent, not of the window; for those of a stretch of time, run a load test or read `/history.hlog`."
                    .to_owned(),
            );
        }
        evidence
    }
}

impl Recent {
    fn of(summary: &Summary) -> Option<Self> {
        let gauge = |it: &crate::telemetry::history::GaugeSummary| RecentGauge { mean: it.mean, max: it.max };
        Some(Self {
            seconds: summary.seconds,
            agents: summary
                .agents
                .iter()
                .map(|it| RecentAgent {
                    name: it.name.clone(),
                    handled: it.handled,
                    failed: it.failed,
                    busy_ratio: it.busy_ratio,
                })
                .collect(),
            cpu_percent: summary.cpu_percent.as_ref().map(gauge),
            resident_bytes: summary.resident_bytes.as_ref().map(gauge),
        })
    }

    /// An agent's counts in the window. One that the summary does not name (it names the busiest) had its part of the
    /// whole at most.
    fn put_on(&self, agent: &mut AgentEvidence, whole: f64) {
        let part = super::ratio(self.seconds, whole).unwrap_or(1.0).min(1.0);
        let scaled = |count: u64| (count as f64 * part).round() as u64;
        let attempts = agent.attempts();
        match self.agents.iter().find(|it| it.name == agent.name) {
            Some(recent) => {
                agent.handled = recent.handled;
                agent.failed = recent.failed;
                agent.busy_seconds = sound(recent.busy_ratio) * self.seconds;
            }
            None => {
                (agent.handled, agent.failed) = (scaled(agent.handled), scaled(agent.failed));
                agent.busy_seconds *= part;
            }
        }
        // Means of all time, weighted by what there was lately.
        let part = super::ratio(agent.attempts() as f64, attempts as f64).unwrap_or(0.0).min(1.0);
        let scaled = |count: &mut u64| *count = (*count as f64 * part).round() as u64;
        agent.lanes.values_mut().for_each(|lane| scaled(&mut lane.count));
        agent.lanes.retain(|_, lane| lane.count > 0);
        agent.dropped.values_mut().for_each(scaled);
    }
}
