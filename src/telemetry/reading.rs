//! Every agent's figures at a moment, as the monitor reads them.
//!
//! Unlike a [`Snapshot`](super::Snapshot), which is for people and computes every quantile, a reading is cheap enough for
//! once a second and thousands of agents: totals always, histograms only for those that handled something since they were
//! read last.

use std::time::Duration;

use super::buckets::Buckets;
use super::latency::Latencies;
use super::names::{Metric, metric};
use super::sample::MetricSample;
use super::snapshot::AgentState;
use super::sparse::Sparse;
use crate::mailbox::Reason;
use crate::message::Priority;
use crate::sync::Arc;

/// The agents of a runtime at a moment. Counters are from the start of the process.
#[derive(Debug, Clone, Default)]
pub struct RuntimeReading {
    /// Since the runtime started.
    pub uptime: Duration,
    /// Each agent, in the order of their names; those beyond the monitor's limit as one, `(other)`.
    pub agents: Vec<AgentReading>,
    /// Agents that have not ended.
    pub alive: u64,
    /// Agents that were given up because they failed too often.
    pub given_up: u64,
    /// Over all agents, ended ones included.
    pub totals: Totals,
    /// Messages waiting.
    pub queued: u64,
    /// Messages put in the dead letters.
    pub dead_letters: u64,
    /// Latencies over all agents, ended ones included; `None` if they were not read.
    pub latencies: Option<Arc<LaneLatencies>>,
}

/// What became of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Handled without an error.
    pub handled: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Not handled, by reason.
    pub dropped: [u64; Reason::COUNT],
}

impl Totals {
    /// Not handled, for whatever reason.
    #[must_use]
    pub fn all_dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Adds what `other` counted.
    pub fn add(&mut self, other: &Self) {
        self.handled += other.handled;
        self.failed += other.failed;
        self.dropped.iter_mut().zip(other.dropped).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// Times a message was handled, well or not.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.handled + self.failed
    }

    /// What was counted after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut dropped = self.dropped;
        dropped.iter_mut().zip(earlier.dropped).for_each(|(now, then)| *now = now.saturating_sub(then));
        Self {
            handled: self.handled.saturating_sub(earlier.handled),
            failed: self.failed.saturating_sub(earlier.failed),
            dropped,
        }
    }
}

/// One agent at a moment.
#[derive(Debug, Clone)]
pub struct AgentReading {
    /// The name it was spawned under, with the number of the member in a pool that is routed by key.
    pub name: Arc<str>,
    /// The state of its first instance.
    pub state: AgentState,
    /// Instances that share the mailbox.
    pub instances: u64,
    /// The bound of the mailbox.
    pub capacity: u64,
    /// Messages waiting, by lane.
    pub depth: [u64; Priority::COUNT],
    /// What became of its messages.
    pub totals: Totals,
    /// Panics caught.
    pub panics: u64,
    /// Times it was rebuilt.
    pub restarts: u64,
    /// Time in handlers, over all instances.
    pub busy: Duration,
    /// Processor time of its turns, over all instances; `None` if it is not measured.
    pub cpu: Option<Duration>,
    /// Bytes that its turns allocated less those they freed; `None` if allocations are not counted.
    pub allocated: Option<u64>,
    /// The share of messages that admission control refuses, by lane; `None` without admission control.
    pub refused: Option<[f64; Priority::COUNT]>,
    /// Busy time over time and instances between the last two looks, 0 to 1; `None` before its second.
    pub utilization: Option<f64>,
    /// Its latencies; `None` if they were not read.
    pub latencies: Option<Arc<LaneLatencies>>,
}

impl AgentReading {
    /// Messages waiting.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.depth.iter().sum()
    }
}

/// Latencies by lane, each in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneLatencies {
    /// From the send to the start of handling.
    pub wait: [Sparse; Priority::COUNT],
    /// From the start of handling to its end.
    pub service: [Sparse; Priority::COUNT],
    /// From the send to the end of handling.
    pub end_to_end: [Sparse; Priority::COUNT],
}

impl LaneLatencies {
    pub(crate) fn of(latencies: &Latencies) -> Self {
        let mut all = Self::default();
        latencies.each(|lane, [wait, service, end_to_end]| {
            all.wait[lane] = Sparse::of_buckets(wait);
            all.service[lane] = Sparse::of_buckets(service);
            all.end_to_end[lane] = Sparse::of_buckets(end_to_end);
        });
        all
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end_to_end.iter().all(Sparse::is_empty)
    }

    /// What was measured after `earlier`, an older state of the same agents.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let lanes = |now: &[Sparse; Priority::COUNT], then: &[Sparse; Priority::COUNT]| {
            std::array::from_fn(|lane| now[lane].since(&then[lane]))
        };
        Self {
            wait: lanes(&self.wait, &earlier.wait),
            service: lanes(&self.service, &earlier.service),
            end_to_end: lanes(&self.end_to_end, &earlier.end_to_end),
        }
    }

    /// Adds what `other` measured.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.wait, &other.wait),
            (&mut self.service, &other.service),
            (&mut self.end_to_end, &other.end_to_end),
        ];
        for (ours, theirs) in pairs {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| ours.add(theirs));
        }
    }

    /// End to end over all lanes.
    #[must_use]
    pub fn all_end_to_end(&self) -> Sparse {
        let mut all = Sparse::default();
        self.end_to_end.iter().for_each(|lane| all.add(lane));
        all
    }
}

/// Latencies over many agents, to which many small parts are added: each costs what it holds, and not what the sum does.
#[derive(Debug, Default)]
pub(crate) struct LaneSums([[Buckets; Priority::COUNT]; 3]);

impl LaneSums {
    /// Adds what `other` measured.
    pub(crate) fn add(&mut self, other: &LaneLatencies) {
        for (ours, theirs) in self.0.iter_mut().zip([&other.wait, &other.service, &other.end_to_end]) {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                theirs.pairs().iter().for_each(|(value, count)| ours.record_n(*value, *count));
            }
        }
    }

    /// All of it.
    pub(crate) fn read(&self) -> LaneLatencies {
        let [wait, service, end_to_end] =
            self.0.each_ref().map(|lanes| lanes.each_ref().map(Sparse::of_buckets));
        LaneLatencies { wait, service, end_to_end }
    }
}

type AgentNumber = fn(&AgentReading) -> Option<f64>;

const AGENT_NUMBERS: &[(&Metric, AgentNumber)] = &[
    (metric::AGENT_UP, |it| Some(f64::from(u8::from(it.state == AgentState::Running)))),
    (metric::AGENT_INSTANCES, |it| Some(it.instances as f64)),
    (metric::AGENT_ATTEMPTS, |it| Some(it.totals.attempts() as f64)),
    (metric::AGENT_HANDLED, |it| Some(it.totals.handled as f64)),
    (metric::AGENT_FAILED, |it| Some(it.totals.failed as f64)),
    (metric::AGENT_PANICKED, |it| Some(it.panics as f64)),
    (metric::AGENT_RESTARTS, |it| Some(it.restarts as f64)),
    (metric::AGENT_BUSY, |it| Some(it.busy.as_secs_f64())),
    (metric::AGENT_CPU, |it| it.cpu.map(|cpu| cpu.as_secs_f64())),
    (metric::AGENT_ALLOCATED, |it| it.allocated.map(|bytes| bytes as f64)),
    (metric::AGENT_UTILIZATION, |it| it.utilization),
    (metric::MAILBOX_CAPACITY, |it| Some(it.capacity as f64)),
    (metric::MAILBOX_USED, |it| (it.capacity > 0).then(|| it.queued() as f64 / it.capacity as f64)),
];

type RuntimeNumber = fn(&RuntimeReading) -> f64;

const RUNTIME_NUMBERS: &[(&Metric, RuntimeNumber)] = &[
    (metric::UPTIME, |it| it.uptime.as_secs_f64()),
    (metric::AGENTS, |it| it.alive as f64),
    (metric::AGENTS_FAILED, |it| it.given_up as f64),
    (metric::MESSAGES, |it| it.totals.attempts() as f64),
    (metric::MESSAGES_FAILED, |it| it.totals.failed as f64),
    (metric::MESSAGES_QUEUED, |it| it.queued as f64),
    (metric::DEAD_LETTERS, |it| it.dead_letters as f64),
];

type Lanes = fn(&LaneLatencies) -> &[Sparse; Priority::COUNT];

const AGENT_LATENCIES: &[(&Metric, Lanes)] = &[
    (metric::AGENT_WAIT, |it| &it.wait),
    (metric::AGENT_SERVICE, |it| &it.service),
    (metric::AGENT_RESPONSE, |it| &it.end_to_end),
];

const ALL_LATENCIES: &[(&Metric, Lanes)] =
    &[(metric::WAIT, |it| &it.wait), (metric::RESPONSE, |it| &it.end_to_end)];

impl RuntimeReading {
    /// The reading as metrics, those of one name together. Histograms only if they were read, and only of priorities that
    /// were handled.
    pub fn samples(&self) -> impl Iterator<Item = MetricSample<'_>> {
        let numbers =
            RUNTIME_NUMBERS.iter().map(|(metric, read)| MetricSample::number(metric, [], read(self)));
        let dropped = Reason::ALL.into_iter().map(|reason| {
            let count = self.totals.dropped[reason as usize];
            MetricSample::number(metric::MESSAGES_DROPPED, [reason.as_str()], count as f64)
        });
        let latencies = ALL_LATENCIES.iter().flat_map(|(metric, lanes)| {
            filled(self.latencies.as_deref(), *lanes)
                .map(|(priority, values)| MetricSample::distribution(metric, [priority.as_str()], values))
        });
        numbers.chain(dropped).chain(latencies).chain(self.agent_samples())
    }

    fn agent_samples(&self) -> impl Iterator<Item = MetricSample<'_>> {
        let agents = &self.agents;
        let numbers = AGENT_NUMBERS.iter().flat_map(move |(metric, read)| {
            agents
                .iter()
                .filter_map(move |agent| Some(MetricSample::number(metric, [&*agent.name], read(agent)?)))
        });
        let depth = agents.iter().flat_map(|agent| {
            Priority::ALL.into_iter().map(move |priority| {
                let depth = agent.depth[priority.lane()] as f64;
                MetricSample::number(metric::MAILBOX_MESSAGES, [&*agent.name, priority.as_str()], depth)
            })
        });
        let refused =
            agents.iter().filter_map(|agent| Some((agent, agent.refused?))).flat_map(|(agent, shares)| {
                Priority::ALL.into_iter().map(move |priority| {
                    let (labels, share) = ([&*agent.name, priority.as_str()], shares[priority.lane()]);
                    MetricSample::number(metric::ADMISSION_REFUSED, labels, share)
                })
            });
        let dropped = agents.iter().flat_map(|agent| {
            let counted =
                Reason::ALL.into_iter().map(|reason| (reason, agent.totals.dropped[reason as usize]));
            counted.filter(|(_, count)| *count > 0).map(move |(reason, count)| {
                MetricSample::number(metric::AGENT_DROPPED, [&*agent.name, reason.as_str()], count as f64)
            })
        });
        let latencies = AGENT_LATENCIES.iter().flat_map(move |(metric, lanes)| {
            agents.iter().flat_map(move |agent| {
                filled(agent.latencies.as_deref(), *lanes).map(move |(priority, values)| {
                    MetricSample::distribution(metric, [&*agent.name, priority.as_str()], values)
                })
            })
        });
        numbers.chain(depth).chain(refused).chain(dropped).chain(latencies)
    }
}

/// The lanes in which anything was measured.
fn filled(latencies: Option<&LaneLatencies>, lanes: Lanes) -> impl Iterator<Item = (Priority, &Sparse)> {
    let lanes = latencies.into_iter().flat_map(move |it| Priority::ALL.into_iter().zip(lanes(it)));
    lanes.filter(|(_, values)| !values.is_empty())
}
