//! Agents and the links between them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{seconds, sound};
use crate::link::{LinkEnd, LinkSnapshot};
use crate::mailbox::Reason;
use crate::message::Priority;
use crate::resilience::BreakerState;
use crate::telemetry::{AgentSnapshot, AgentState, LatencySummary, Quantiles, Snapshot};

/// One agent in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentEvidence {
    /// Its name; of a pool that is routed by key, the member's.
    pub name: String,
    /// Its Rust type.
    pub agent_type: String,
    /// Instances that share the mailbox, at least 1.
    pub instances: usize,
    /// Where it is in its life.
    pub state: AgentState,
    /// The arbiters it lives on; agents with one in common share a thread. Empty if not known.
    pub arbiters: Vec<u32>,
    /// The mailbox's bound.
    pub capacity: usize,
    /// Messages queued at the end.
    pub queued: u64,
    /// Messages handled without an error.
    pub handled: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Panics caught.
    pub panicked: u64,
    /// Times it was rebuilt.
    pub restarts: u64,
    /// Messages not handled, by reason.
    pub dropped: BTreeMap<Reason, u64>,
    /// Seconds in handlers, waiting inside them included, over all instances.
    pub busy_seconds: f64,
    /// Latencies by priority.
    pub lanes: BTreeMap<Priority, Lane>,
}

/// Latencies of one priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Lane {
    /// Messages measured in the window.
    pub count: u64,
    /// From the send to the start of handling. Means are of the window, quantiles since the agent's start.
    pub wait: Times,
    /// From the start of handling to its end.
    pub service: Times,
    /// From the send to the end of handling.
    pub response: Times,
}

/// Seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Times {
    /// Of quantiles in nanoseconds.
    #[must_use]
    pub fn of(quantiles: &Quantiles) -> Self {
        let nanos = |nanos: u64| seconds(nanos as f64);
        Self {
            mean: seconds(quantiles.mean),
            p50: nanos(quantiles.p50),
            p99: nanos(quantiles.p99),
            max: nanos(quantiles.max),
        }
    }

    /// The same with the mean of the window alone, of `count` values now and those counted before.
    fn since(now: (&Quantiles, u64), before: Option<(&Quantiles, u64)>) -> Self {
        let mut times = Self::of(now.0);
        if let Some((quantiles, count)) = before {
            let sum = times.mean * now.1 as f64 - seconds(quantiles.mean) * count as f64;
            times.mean = sound(sum / now.1.saturating_sub(count) as f64);
        }
        times
    }
}

impl Lane {
    fn since(now: &LatencySummary, before: Option<&LatencySummary>) -> Option<Self> {
        // An agent that was spawned anew under its name counts from 0 again.
        let before = before.filter(|before| before.count <= now.count);
        let times = |of: fn(&LatencySummary) -> &Quantiles| {
            Times::since((of(now), now.count), before.map(|before| (of(before), before.count)))
        };
        let count = now.count - before.map_or(0, |before| before.count);
        (count > 0).then(|| Self {
            count,
            wait: times(|it| &it.wait),
            service: times(|it| &it.service),
            response: times(|it| &it.end_to_end),
        })
    }
}

impl AgentEvidence {
    /// An agent since an earlier reading of it, or since its start.
    #[must_use]
    pub fn since(now: &AgentSnapshot, before: Option<&AgentSnapshot>) -> Self {
        let attempts = |it: &AgentSnapshot| it.handled.saturating_add(it.failed);
        let before = before.filter(|before| attempts(before) <= attempts(now));
        let count = |of: fn(&AgentSnapshot) -> u64| of(now).saturating_sub(before.map_or(0, of));
        let dropped = now.dropped.iter().map(|(reason, now)| {
            let then = before.and_then(|before| before.dropped.get(reason)).copied();
            (*reason, now.saturating_sub(then.unwrap_or_default()))
        });
        let lanes = now.latency.iter().filter_map(|(priority, latency)| {
            Some((*priority, Lane::since(latency, before.and_then(|it| it.latency.get(priority)))?))
        });
        Self {
            name: now.name.clone(),
            agent_type: now.agent_type.clone(),
            instances: now.instances.max(1),
            state: now.state,
            arbiters: now.arbiters.clone(),
            capacity: now.capacity,
            queued: now.depth.values().fold(0, |sum, depth| sum.saturating_add(*depth)),
            handled: count(|it| it.handled),
            failed: count(|it| it.failed),
            panicked: count(|it| it.panicked),
            restarts: count(|it| it.restarts),
            dropped: dropped.filter(|(_, count)| *count > 0).collect(),
            busy_seconds: sound(now.busy_seconds - before.map_or(0.0, |before| sound(before.busy_seconds))),
            lanes: lanes.collect(),
        }
    }

    /// Times a message was handled, well or not.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.handled.saturating_add(self.failed)
    }

    /// Messages dropped for one of these reasons.
    #[must_use]
    pub fn dropped(&self, reasons: &[Reason]) -> u64 {
        reasons.iter().filter_map(|it| self.dropped.get(it)).fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// One guarded link in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkEvidence {
    /// Whose link it is.
    pub from: String,
    /// The agent behind it.
    pub to: String,
    /// Messages given to it.
    pub offered: u64,
    /// Messages that the agent has, or answered.
    pub passed: u64,
    /// Messages that its circuit breaker refused.
    pub circuit_open: u64,
    /// Messages that its rate limit or bulkhead refused.
    pub limited: u64,
    /// Messages that found no room, no answer in time, or a handler that failed.
    pub failed: u64,
    /// Its breaker's state at the end, if it has one.
    pub breaker: Option<BreakerState>,
    /// Times the breaker opened.
    pub opened: u64,
    /// Attempts beyond the first.
    pub retries: u64,
}

impl LinkEvidence {
    /// A link since an earlier reading of it, or since it was made.
    #[must_use]
    pub fn since(now: &LinkSnapshot, before: Option<&LinkSnapshot>) -> Self {
        let before = before.filter(|before| before.offered <= now.offered);
        let count = |of: &dyn Fn(&LinkSnapshot) -> u64| of(now).saturating_sub(before.map_or(0, of));
        let ended = |ends: &[LinkEnd]| {
            count(&|link| ends.iter().fold(0, |sum, end| sum.saturating_add(link.ended(*end))))
        };
        Self {
            from: now.from.clone(),
            to: now.to.clone(),
            offered: count(&|it| it.offered),
            passed: ended(&[LinkEnd::Passed]),
            circuit_open: ended(&[LinkEnd::CircuitOpen]),
            limited: ended(&[LinkEnd::RateLimited, LinkEnd::BulkheadFull]),
            failed: ended(&[LinkEnd::Full, LinkEnd::TimedOut, LinkEnd::Dropped, LinkEnd::NoReply]),
            breaker: now.guards.breaker.as_ref().map(|it| it.state),
            opened: count(&|it| it.guards.breaker.as_ref().map_or(0, |it| it.transitions.opened)),
            retries: count(&|it| it.guards.retry.as_ref().map_or(0, |it| it.retries)),
        }
    }
}

/// Agents and links since an earlier snapshot, or since the start.
pub(super) fn since(now: &Snapshot, before: Option<&Snapshot>) -> (Vec<AgentEvidence>, Vec<LinkEvidence>) {
    let agents = now
        .agents
        .iter()
        .map(|agent| AgentEvidence::since(agent, before.and_then(|before| before.agent(&agent.name))));
    let links = now
        .links
        .iter()
        .map(|link| LinkEvidence::since(link, before.and_then(|before| before.link(&link.name))));
    (agents.collect(), links.collect())
}
