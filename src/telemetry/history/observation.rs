//! What happened in a stretch of time.

use std::time::Duration;

use crate::message::Priority;
use crate::sync::Arc;
use crate::telemetry::sparse::Sparse;

/// The agents that a slot does not name.
pub(crate) const OTHERS: &str = "(other)";

/// What happened in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// How long it is.
    pub span: Duration,
    /// Messages handled without an error.
    pub handled: u64,
    /// Attempts to handle a message that failed.
    pub failed: u64,
    /// Messages not handled.
    pub dropped: u64,
    /// Messages waiting.
    pub queued: Gauge,
    /// Agents alive.
    pub alive: Gauge,
    /// Processor use of the process, in percent of one.
    pub cpu_percent: Gauge,
    /// Memory that the process holds, in bytes.
    pub resident_bytes: Gauge,
    /// That memory over what it may have, 0 to 1.
    pub memory_ratio: Gauge,
    /// By lane.
    pub lanes: [LaneObservation; Priority::COUNT],
    /// Agents that did anything.
    pub agents: Vec<AgentObservation>,
}

/// Something that goes up and down: mean and maximum over a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gauge {
    /// The sum of value times seconds.
    weighted: f64,
    /// For how many seconds it was known.
    seconds: f64,
    max: f64,
}

impl Gauge {
    /// It was this for so long; `None` is not known.
    #[must_use]
    pub fn of(value: Option<f64>, span: Duration) -> Self {
        let seconds = span.as_secs_f64();
        match value.filter(|value| value.is_finite() && seconds > 0.0) {
            Some(value) => Self { weighted: value * seconds, seconds, max: value },
            None => Self::default(),
        }
    }

    /// The mean; `None` if it was never known.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.weighted / self.seconds)
    }

    /// The largest; `None` if it was never known.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.seconds > 0.0).then_some(self.max)
    }

    fn add(&mut self, other: &Self) {
        if other.seconds > 0.0 {
            self.max = if self.seconds > 0.0 { self.max.max(other.max) } else { other.max };
            self.weighted += other.weighted;
            self.seconds += other.seconds;
        }
    }
}

/// Interval histograms of one lane over all agents, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneObservation {
    /// From the send to the start of handling.
    pub wait: Sparse,
    /// From the send to the end of handling.
    pub end_to_end: Sparse,
}

/// What one agent did.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentObservation {
    /// Its name.
    pub name: Arc<str>,
    /// Messages handled without an error.
    pub handled: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Messages not handled.
    pub dropped: u64,
    /// Time in handlers.
    pub busy: Duration,
    /// Most messages waiting at a look.
    pub queued: u64,
    /// Interval histogram over all lanes, in nanoseconds.
    pub end_to_end: Sparse,
}

impl AgentObservation {
    /// Nothing, yet.
    #[must_use]
    pub fn new(name: Arc<str>) -> Self {
        let end_to_end = Sparse::default();
        Self { name, handled: 0, failed: 0, dropped: 0, busy: Duration::ZERO, queued: 0, end_to_end }
    }

    fn add(&mut self, other: &Self) {
        self.handled += other.handled;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.busy += other.busy;
        self.queued = self.queued.max(other.queued);
        self.end_to_end.add(&other.end_to_end);
    }
}

impl Observation {
    /// Appends what happened after it.
    pub(super) fn add(&mut self, later: &Self) {
        self.span += later.span;
        self.handled += later.handled;
        self.failed += later.failed;
        self.dropped += later.dropped;
        self.queued.add(&later.queued);
        self.alive.add(&later.alive);
        self.cpu_percent.add(&later.cpu_percent);
        self.resident_bytes.add(&later.resident_bytes);
        self.memory_ratio.add(&later.memory_ratio);
        for (ours, theirs) in self.lanes.iter_mut().zip(&later.lanes) {
            ours.wait.add(&theirs.wait);
            ours.end_to_end.add(&theirs.end_to_end);
        }
        for theirs in &later.agents {
            self.agent(&theirs.name).add(theirs);
        }
    }

    /// The agents by busy time, most first, and no more than `most` of them: the others become one.
    pub(super) fn keep_busiest(&mut self, most: usize) {
        let mut others = AgentObservation::new(Arc::from(OTHERS));
        let (mut folded, mut named) = (false, std::mem::take(&mut self.agents));
        named.retain(|agent| {
            let is_others = &*agent.name == OTHERS;
            if is_others {
                folded = true;
                others.add(agent);
            }
            !is_others
        });
        named.sort_by(|a, b| {
            b.busy.cmp(&a.busy).then_with(|| b.queued.cmp(&a.queued)).then_with(|| a.name.cmp(&b.name))
        });
        for agent in named.drain(most.min(named.len())..) {
            folded = true;
            others.add(&agent);
        }
        self.agents = named;
        if folded {
            self.agents.push(others);
        }
    }

    fn agent(&mut self, name: &Arc<str>) -> &mut AgentObservation {
        let at = self.agents.iter().position(|agent| agent.name == *name);
        let at = at.unwrap_or_else(|| {
            self.agents.push(AgentObservation::new(Arc::clone(name)));
            self.agents.len() - 1
        });
        &mut self.agents[at]
    }
}
