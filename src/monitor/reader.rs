//! Reads every agent, and knows what it read before.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::agent::AnyCell;
use crate::runtime::RuntimeHandle;
use crate::sync::Arc;
use crate::telemetry::history::AgentObservation;
use crate::telemetry::{AgentReading, AgentState, LaneLatencies, LaneSums, RuntimeReading, Sparse, Totals};

/// What the agents beyond the limit are called.
const OTHERS: &str = "(other)";

/// Reads the agents of a runtime. Counters never fall: what ended agents did stays in the totals.
#[derive(Debug)]
pub(super) struct Reader {
    runtime: RuntimeHandle,
    most: usize,
    /// By the address of the cell, which is held here and so is nobody else's meanwhile.
    known: HashMap<usize, Known>,
    round: u64,
    /// What agents did that have ended.
    ended: Totals,
    /// Latencies over all agents, ended ones included.
    all: LaneSums,
    all_before: LaneLatencies,
    looked_at: Duration,
}

#[derive(Debug)]
struct Known {
    cell: Arc<dyn AnyCell>,
    name: Arc<str>,
    named: bool,
    /// The round in which it was there last.
    round: u64,
    /// At the last look.
    totals: Totals,
    busy: Duration,
    utilization: Option<f64>,
    latencies: Arc<LaneLatencies>,
    /// Attempts when these were read.
    attempts: u64,
    /// Of these, what is new since the last look that read them.
    fresh: LaneLatencies,
}

/// Latencies since they were read before: of each agent that has new ones, and of all.
type RecentLatencies = (Vec<(Arc<str>, LaneLatencies)>, LaneLatencies);

/// What a look reads besides the figures.
pub(super) struct Looked {
    pub(super) runtime: RuntimeReading,
    /// What each agent did since the look before.
    pub(super) agents: Vec<AgentObservation>,
    /// What all did, ended ones included.
    pub(super) totals: Totals,
    pub(super) span: Duration,
    pub(super) latencies: Option<RecentLatencies>,
}

impl Reader {
    pub(super) fn new(runtime: RuntimeHandle, most: usize) -> Self {
        Self {
            runtime,
            most,
            known: HashMap::new(),
            round: 0,
            ended: Totals::default(),
            all: LaneSums::default(),
            all_before: LaneLatencies::default(),
            looked_at: Duration::ZERO,
        }
    }

    /// The agents at this moment; with `latencies`, their histograms too.
    pub(super) fn read(&mut self, latencies: bool) -> RuntimeReading {
        let readings = self.arrive();
        if latencies {
            self.refresh(&readings);
        }
        self.reading(readings, latencies)
    }

    /// The same, and what happened since the look before. The histograms are in what happened only.
    pub(super) fn look(&mut self, latencies: bool) -> Looked {
        let mut before = self.ended;
        self.known.values().for_each(|known| before.add(&known.totals));
        let readings = self.arrive();
        if latencies {
            self.refresh(&readings);
        }
        let now = self.now();
        let span = now.saturating_sub(self.looked_at);
        self.looked_at = now;
        let agents = readings
            .iter()
            .filter_map(|(address, reading)| self.did(*address, reading, span, latencies))
            .collect();
        let latencies = latencies.then(|| self.recent());
        let runtime = self.reading(readings, false);
        Looked { totals: runtime.totals.since(&before), runtime, agents, span, latencies }
    }

    /// What an agent did since the look before; `None` if nothing.
    fn did(
        &mut self,
        address: usize,
        reading: &AgentReading,
        span: Duration,
        latencies: bool,
    ) -> Option<AgentObservation> {
        let known = self.known.get_mut(&address)?;
        let did = reading.totals.since(&known.totals);
        let busy = reading.busy.saturating_sub(known.busy);
        let capacity = span.as_secs_f64() * reading.instances.max(1) as f64;
        known.utilization = (capacity > 0.0).then(|| (busy.as_secs_f64() / capacity).min(1.0));
        (known.totals, known.busy) = (reading.totals, reading.busy);
        // A scrape may have read newer ones in between; they are news at the next look that reads them.
        let end_to_end = if latencies { known.fresh.all_end_to_end() } else { Sparse::default() };
        let nothing = did == Totals::default() && reading.queued() == 0 && end_to_end.is_empty();
        (!nothing).then(|| AgentObservation {
            handled: did.handled,
            failed: did.failed,
            dropped: did.all_dropped(),
            busy,
            queued: reading.queued(),
            end_to_end,
            ..AgentObservation::new(if known.named { Arc::clone(&known.name) } else { Arc::from(OTHERS) })
        })
    }

    /// Latencies since they were asked for here before: of each agent that has new ones, and of all.
    fn recent(&mut self) -> RecentLatencies {
        let mut recent = Vec::new();
        let mut others = LaneLatencies::default();
        for known in self.known.values_mut().filter(|known| !known.fresh.is_empty()) {
            let new = std::mem::take(&mut known.fresh);
            if known.named {
                recent.push((Arc::clone(&known.name), new));
            } else {
                others.add(&new);
            }
        }
        recent.sort_by(|a, b| a.0.cmp(&b.0));
        if others != LaneLatencies::default() {
            recent.push((Arc::from(OTHERS), others));
        }
        let all = self.all.read();
        let new = all.since(&self.all_before);
        self.all_before = all;
        (recent, new)
    }

    /// Takes note of who came and who has ended. Says what everybody's figures are, by name.
    fn arrive(&mut self) -> Vec<(usize, AgentReading)> {
        self.round += 1;
        let cells = self.runtime.core().registry.all_cells();
        for cell in &cells {
            if let Some(known) = self.known.get_mut(&address(cell)) {
                known.round = self.round;
            }
        }
        let (round, ended, all) = (self.round, &mut self.ended, &mut self.all);
        self.known.retain(|_, known| {
            let stays = known.round == round;
            if !stays {
                let last = known.cell.reading().totals;
                ended.add(&last);
                refresh(known, last.attempts(), all);
            }
            stays
        });
        if self.known.len() < cells.len() {
            self.greet(&cells);
        }
        cells.iter().map(|cell| (address(cell), cell.reading())).collect()
    }

    /// Takes in those that are not known yet.
    fn greet(&mut self, cells: &[Arc<dyn AnyCell>]) {
        let mut names: HashSet<Arc<str>> = self.known.values().map(|known| Arc::clone(&known.name)).collect();
        let mut named = self.known.values().filter(|known| known.named).count();
        for cell in cells {
            if self.known.contains_key(&address(cell)) {
                continue;
            }
            // A member of a pool may be called like another agent.
            let mut name = Arc::clone(cell.name());
            for number in 2.. {
                if !names.contains(&name) {
                    break;
                }
                name = Arc::from(format!("{}#{number}", cell.name()));
            }
            names.insert(Arc::clone(&name));
            let known = Known {
                cell: Arc::clone(cell),
                name,
                named: named < self.most,
                round: self.round,
                totals: Totals::default(),
                busy: Duration::ZERO,
                utilization: None,
                latencies: Arc::default(),
                attempts: 0,
                fresh: LaneLatencies::default(),
            };
            named += usize::from(known.named);
            self.known.insert(address(cell), known);
        }
    }

    /// Reads the latencies of those that did something since.
    fn refresh(&mut self, readings: &[(usize, AgentReading)]) {
        for (address, reading) in readings {
            if let Some(known) = self.known.get_mut(address) {
                refresh(known, reading.totals.attempts(), &mut self.all);
            }
        }
    }

    fn reading(&self, readings: Vec<(usize, AgentReading)>, latencies: bool) -> RuntimeReading {
        let dead_letters = self.runtime.core().commons.dead_letters.total();
        let mut all = RuntimeReading {
            uptime: self.now(),
            totals: self.ended,
            dead_letters,
            ..RuntimeReading::default()
        };
        let mut others: Option<AgentReading> = None;
        for (address, mut reading) in readings {
            let Some(known) = self.known.get(&address) else { continue };
            reading.name = Arc::clone(&known.name);
            reading.utilization = known.utilization;
            reading.latencies = latencies.then(|| Arc::clone(&known.latencies));
            all.alive += u64::from(!reading.state.is_final());
            all.given_up += u64::from(reading.state == AgentState::Failed);
            all.queued += reading.queued();
            all.totals.add(&reading.totals);
            match &mut others {
                _ if known.named => all.agents.push(reading),
                Some(others) => fold(others, &reading),
                None => others = Some(AgentReading { name: Arc::from(OTHERS), ..reading }),
            }
        }
        all.agents.extend(others);
        all.latencies = latencies.then(|| Arc::new(self.all.read()));
        all
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.runtime.core().commons.clock.now().0)
    }
}

/// Reads the latencies of an agent that did something since, and adds what is new to those of all.
fn refresh(known: &mut Known, attempts: u64, all: &mut LaneSums) {
    if known.attempts == attempts {
        return;
    }
    let now = known.cell.latencies();
    let new = now.since(&known.latencies);
    all.add(&new);
    if known.fresh.is_empty() {
        known.fresh = new;
    } else {
        known.fresh.add(&new);
    }
    known.latencies = Arc::new(now);
    known.attempts = attempts;
}

/// Makes one agent of two.
fn fold(others: &mut AgentReading, reading: &AgentReading) {
    others.instances += reading.instances;
    others.capacity += reading.capacity;
    others.depth.iter_mut().zip(reading.depth).for_each(|(ours, theirs)| *ours += theirs);
    others.totals.add(&reading.totals);
    others.panics += reading.panics;
    others.restarts += reading.restarts;
    others.busy += reading.busy;
    others.cpu = others.cpu.zip(reading.cpu).map(|(ours, theirs)| ours + theirs);
    others.allocated =
        others.allocated.zip(reading.allocated).map(|(ours, theirs)| ours.saturating_add(theirs));
    // As with utilization below.
    if let Some(theirs) = reading.refused {
        let ours = others.refused.get_or_insert_default();
        ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = ours.max(theirs));
    }
    // One that does not serve is what somebody wants to see.
    if others.state == AgentState::Running {
        others.state = reading.state;
    }
    // The busiest of them: a mean over thousands would hide it.
    others.utilization = match (others.utilization, reading.utilization) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    if let (Some(ours), Some(theirs)) = (&mut others.latencies, &reading.latencies) {
        Arc::make_mut(ours).add(theirs);
    }
}

fn address(cell: &Arc<dyn AnyCell>) -> usize {
    Arc::as_ptr(cell).cast::<()>().addr()
}
