//! Evidence as tests need it.

use std::collections::BTreeMap;

use crate::analysis::evidence::*;
use crate::analysis::{Analysis, BottleneckKind, Evidence, analyse};
use crate::message::Priority;
use crate::telemetry::AgentState;

/// The window of all tests, in seconds.
pub(super) const SECONDS: f64 = 100.0;

/// An agent that handled `count` messages, each waiting and served for so many seconds.
pub(super) fn agent(name: &str, count: u64, wait: f64, service: f64) -> AgentEvidence {
    let times = |mean: f64| Times { mean, p50: mean, p99: mean * 1.5, max: mean * 2.0 };
    let lane = Lane { count, wait: times(wait), service: times(service), response: times(wait + service) };
    AgentEvidence {
        name: name.to_owned(),
        agent_type: "Worker".to_owned(),
        instances: 1,
        state: AgentState::Running,
        arbiters: Vec::new(),
        capacity: 10_000,
        queued: 0,
        handled: count,
        failed: 0,
        panicked: 0,
        restarts: 0,
        dropped: BTreeMap::new(),
        busy_seconds: service * count as f64,
        lanes: [(Priority::Normal, lane)].into(),
    }
}

/// Busy this part of the time, waiting as M/M/1 does.
pub(super) fn busy(name: &str, utilization: f64) -> AgentEvidence {
    let service = 0.01;
    let count = (utilization * SECONDS / service).round() as u64;
    agent(name, count, utilization / (1.0 - utilization).max(1e-3) * service, service)
}

pub(super) fn of(agents: impl IntoIterator<Item = AgentEvidence>) -> Evidence {
    Evidence {
        subject: "a test".to_owned(),
        seconds: SECONDS,
        agents: agents.into_iter().collect(),
        ..Evidence::default()
    }
}

pub(super) fn waits(count: u64, mean: f64) -> Waits {
    let times = Times { mean, p50: mean, p99: mean, max: mean };
    Waits { count, seconds: mean * count as f64, times }
}

pub(super) fn store() -> StoreEvidence {
    StoreEvidence {
        database: "SQLite".to_owned(),
        connections: 4,
        in_use: 1,
        waiting: 0,
        pool: waits(5_000, 1e-6),
        timeouts: 0,
        turns: waits(1_000, 1e-6),
        statements: 5_000,
        failed: 0,
        statement_seconds: 1.0,
        retried: 0,
        slow: Vec::new(),
    }
}

pub(super) fn with_store(mut evidence: Evidence, store: StoreEvidence) -> Evidence {
    evidence.stores.insert("store".to_owned(), store);
    evidence
}

/// The kinds and resources of what was found, in order.
pub(super) fn found(evidence: &Evidence) -> Vec<(BottleneckKind, String)> {
    let Analysis { bottlenecks, .. } = analyse(evidence);
    bottlenecks.into_iter().map(|it| (it.kind, it.resource)).collect()
}

pub(super) fn kinds(evidence: &Evidence) -> Vec<BottleneckKind> {
    found(evidence).into_iter().map(|(kind, _)| kind).collect()
}
