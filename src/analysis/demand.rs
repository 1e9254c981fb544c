//! The operational quantities that every detector starts from.

use super::detect::threads;
use super::evidence::{AgentEvidence, Evidence, StoreEvidence, ratio};
use super::gain::Gain;
use super::limits::{FEWEST, HALF_BUSY, KEPT_UP, LONG_WAIT, LOST, MOSTLY, SATURATED, SHORTEST_WAIT};
use crate::mailbox::Reason;

/// Messages that an agent had no room or no time for.
pub(super) const TOO_MUCH: [Reason; 4] =
    [Reason::Rejected, Reason::Shed, Reason::Overloaded, Reason::Expired];

/// An ask's share of its asker's time is believed up to this part beyond the whole: means of two histograms differ a little.
const SLACK: f64 = 1.05;

/// Counts this close to a multiple of each other are of messages that came from each other.
const SAME: f64 = 0.05;

/// How work and waits are spread over agents and what is behind them.
#[derive(Debug)]
pub(super) struct Demand<'a> {
    pub(super) evidence: &'a Evidence,
    /// Agents that did something, or have messages waiting.
    pub(super) work: Vec<Work<'a>>,
    /// Seconds that messages spent at agents, waiting and in handlers; of an ask's those at the asked.
    pub(super) message_seconds: f64,
    /// Seconds in handlers, of all agents; of an ask's those at the asked.
    pub(super) busy_seconds: f64,
    /// The part of all message seconds that the agents at their limit have; if none is, the part spent in handlers.
    pub(super) hot_part: f64,
    /// Whether any agent is at its limit, or a target is missed.
    pub(super) is_hot: bool,
    /// Whether anybody has to wait, is refused, or misses a target.
    pub(super) suffers: bool,
    /// The most messages that any agent had, and at least 1.
    pub(super) most: f64,
}

/// One agent's work.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) agent: &'a AgentEvidence,
    /// U = X · S / m.
    pub(super) utilization: f64,
    /// X: attempts per second.
    pub(super) rate: f64,
    /// Mean wait, in seconds.
    pub(super) wait: f64,
    /// S: mean time in the handler, in seconds.
    pub(super) service: f64,
    /// The median of that, of the slowest priority: what a handler takes that nothing disturbs.
    pub(super) service_p50: f64,
    /// 99th percentile of that, of the slowest priority.
    pub(super) service_p99: f64,
    /// Of the wait.
    pub(super) wait_p99: f64,
    /// Seconds that messages waited, all together.
    pub(super) wait_seconds: f64,
    /// The agent that most of the time in its handler is spent waiting for, and what part.
    pub(super) asks: Option<Asks>,
    pub(super) is_saturated: bool,
    /// The agent whose handlers keep the thread from it, and what of its mean wait that is, in seconds.
    pub(super) held_by: Option<HeldBy>,
}

/// Who keeps the thread from an agent.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldBy {
    /// Its place in [`Demand::work`].
    pub(super) whom: usize,
    /// Mean wait that the held agent's own work does not explain, in seconds.
    pub(super) excess: f64,
}

/// Whom an agent waits for in its handler.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    /// Its place in [`Demand::work`].
    pub(super) whom: usize,
    /// Part of the asker's time in handlers.
    pub(super) part: f64,
    /// Told by a link, not concluded from counts and times.
    pub(super) by_link: bool,
}

impl<'a> Work<'a> {
    fn of(agent: &'a AgentEvidence, seconds: f64) -> Self {
        let lanes = agent.lanes.values();
        let count: f64 = lanes.clone().map(|lane| lane.count as f64).sum();
        let wait_seconds: f64 = lanes.clone().map(|lane| lane.wait.mean * lane.count as f64).sum();
        let most = |of: fn(&super::evidence::Lane) -> f64| agent.lanes.values().map(of).fold(0.0, f64::max);
        let attempts = agent.attempts() as f64;
        let wait = ratio(wait_seconds, count).unwrap_or(0.0);
        let service = ratio(agent.busy_seconds, attempts).unwrap_or(0.0);
        let utilization = ratio(agent.busy_seconds, seconds * agent.instances as f64).unwrap_or(0.0).min(1.0);
        let is_long = wait >= LONG_WAIT * service && wait >= SHORTEST_WAIT;
        let enough = agent.attempts() >= FEWEST || agent.queued >= FEWEST;
        Self {
            agent,
            utilization,
            rate: ratio(attempts, seconds).unwrap_or(0.0),
            wait,
            service,
            service_p50: most(|lane| lane.service.p50),
            service_p99: most(|lane| lane.service.p99),
            wait_p99: most(|lane| lane.wait.p99),
            wait_seconds,
            asks: None,
            held_by: None,
            is_saturated: enough && (utilization >= SATURATED || (utilization >= HALF_BUSY && is_long)),
        }
    }

    /// Seconds that messages spent here: N = X · R, times the window.
    pub(super) fn message_seconds(&self) -> f64 {
        self.wait_seconds + self.agent.busy_seconds
    }

    /// Seconds in its handlers, without those it waited for another agent in.
    fn own_busy(&self) -> f64 {
        self.agent.busy_seconds * (1.0 - self.asks.as_ref().map_or(0.0, |asks| asks.part))
    }

    fn own_message_seconds(&self) -> f64 {
        self.wait_seconds + self.own_busy()
    }

    /// Messages refused, shed or expired.
    pub(super) fn lost(&self) -> u64 {
        self.agent.dropped(&TOO_MUCH)
    }

    /// The same, over all that came.
    pub(super) fn lost_part(&self) -> f64 {
        let lost = self.lost() as f64;
        ratio(lost, lost + self.agent.attempts() as f64).unwrap_or(0.0)
    }

    /// The pool that it is a member of, if it is called like one.
    pub(super) fn family(&self) -> Option<&str> {
        let (family, number) = self.agent.name.rsplit_once('/')?;
        (!number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())).then_some(family)
    }
}

impl<'a> Demand<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let works = |it: &&AgentEvidence| it.attempts() > 0 || it.queued > 0 || !it.dropped.is_empty();
        let mut work: Vec<_> =
            evidence.agents.iter().filter(works).map(|agent| Work::of(agent, evidence.seconds)).collect();
        let asks: Vec<_> = (0..work.len()).map(|asker| asks(evidence, &work, asker)).collect();
        work.iter_mut().zip(asks).for_each(|(work, asks)| work.asks = asks);
        let held: Vec<_> = (0..work.len()).map(|held| threads::held_by(&work, held)).collect();
        for (work, held) in work.iter_mut().zip(held) {
            // Its messages wait, and its handlers are cut in two, because of somebody else.
            work.is_saturated &= held.is_none();
            work.held_by = held;
        }
        let message_seconds: f64 = work.iter().map(Work::own_message_seconds).sum();
        let any_hot = work.iter().any(|work| work.is_saturated);
        let busy_seconds: f64 = work.iter().map(Work::own_busy).sum();
        let hot = work.iter().enumerate().filter(|(place, it)| it.is_saturated || is_asked(&work, *place));
        let hot_seconds: f64 = hot.map(|(_, it)| it.own_message_seconds()).sum();
        // Where nobody queues behind a handler, what is in the handlers is all that a cause within them takes.
        let of_causes = if any_hot { hot_seconds } else { busy_seconds };
        let hot_part = ratio(of_causes, message_seconds).unwrap_or(0.0).min(1.0);
        let suffers = any_hot || suffers(evidence, &work);
        let most = work.iter().map(|it| it.agent.attempts() as f64).fold(1.0, f64::max);
        Self {
            evidence,
            message_seconds,
            busy_seconds,
            hot_part,
            is_hot: any_hot || misses(evidence),
            suffers,
            most,
            work,
        }
    }

    /// The part of all time in handlers that so many seconds are.
    pub(super) fn part(&self, seconds: f64) -> f64 {
        ratio(seconds, self.busy_seconds).unwrap_or(0.0).min(1.0)
    }

    /// The part of all message seconds that a cause accounts for which takes this part of the time in handlers: the messages
    /// queued at agents at their limit wait for it too.
    pub(super) fn weight(&self, part: f64) -> f64 {
        (part * self.hot_part).clamp(0.0, 1.0)
    }

    /// The part of this agent's own time in handlers that is certainly spent on the store and the cache: whose waits they are is
    /// not measured, so as if all other agents did nothing but wait for them first.
    pub(super) fn behind(&self, work: &Work<'_>) -> f64 {
        let waits: f64 = self.evidence.stores.values().map(|it| it.pool.seconds + it.turns.seconds).sum();
        let worked: f64 = self.evidence.stores.values().map(|it| it.statement_seconds).sum();
        // What a loader does is mostly statements and their waits: the larger of the two, not both.
        let loads = self.evidence.cache.map_or(0.0, |cache| cache.load_seconds);
        let others = self.busy_seconds - work.own_busy();
        let certain = (waits + worked).max(loads) - others.max(0.0);
        ratio(certain.max(0.0), work.own_busy()).unwrap_or(0.0).min(1.0)
    }

    /// How many times as much throughput there is until the next limit, if those at theirs were none: 1 / max U of the
    /// others.
    pub(super) fn room(&self) -> f64 {
        let others = self.work.iter().filter(|it| !it.is_saturated).map(|it| it.utilization);
        let cpu = self.evidence.system.and_then(|it| it.cpu).unwrap_or(0.0);
        1.0 / others.fold(cpu, f64::max).clamp(0.05, 1.0)
    }

    /// What is gained by removing what takes this part of the time in handlers: throughput where something is at its limit,
    /// else time. At most `cap` times as much throughput.
    pub(super) fn gain(&self, part: f64, cap: f64, assumption: &str) -> Gain {
        if self.is_hot {
            Gain::by_removing(part, self.room().min(cap), assumption)
        } else {
            Gain::of_time(part / 2.0, part, assumption)
        }
    }

    pub(super) fn stores(&self) -> impl Iterator<Item = (&str, &StoreEvidence)> {
        self.evidence.stores.iter().map(|(name, store)| (name.as_str(), store))
    }
}

/// Whether a saturated agent mostly waits for this one.
pub(super) fn is_asked(work: &[Work<'_>], whom: usize) -> bool {
    work.iter().any(|it| {
        it.is_saturated && it.asks.as_ref().is_some_and(|asks| asks.whom == whom && asks.part >= MOSTLY)
    })
}

fn suffers(evidence: &Evidence, work: &[Work<'_>]) -> bool {
    let waits = |it: &Work<'_>| it.agent.attempts() >= FEWEST && it.wait >= SHORTEST_WAIT.max(it.service);
    let loses = |it: &Work<'_>| it.lost() >= 10 && it.lost_part() >= LOST;
    misses(evidence) || work.iter().any(|it| waits(it) || loses(it))
}

/// Whether the load test missed what it was to show.
fn misses(evidence: &Evidence) -> bool {
    evidence.load.as_ref().is_some_and(|load| {
        load.targets.iter().any(|it| it.met == Some(false))
            || load.throughput < load.offered * KEPT_UP
            || load.failed as f64 > load.total as f64 * LOST
    })
}

/// Whom this agent waits for in its handler. Links say it; where there is none, an agent that handles a whole number of
/// messages for each of its own, whose answers take at least half of its time and fit into it.
fn asks(evidence: &Evidence, work: &[Work<'_>], asker: usize) -> Option<Asks> {
    let own = &work[asker];
    if own.agent.attempts() < FEWEST || own.service <= 0.0 {
        return None;
    }
    let candidates =
        work.iter().enumerate().filter(|(whom, _)| *whom != asker).filter_map(|(whom, other)| {
            let link =
                evidence.links.iter().find(|it| it.from == own.agent.name && it.to == other.agent.name);
            let calls = match link {
                Some(link) => link.passed as f64,
                None => other.agent.attempts() as f64,
            } / own.agent.attempts() as f64;
            let part = (other.wait + other.service) * calls / own.service;
            let comes_from_it =
                link.is_some() || (calls >= 1.0 - SAME && (calls - calls.round()).abs() <= SAME * calls);
            let fits = part <= SLACK && (part >= MOSTLY || link.is_some()) && calls > 0.0;
            // The asker of the asked is not asked by it.
            let is_longer = own.service > other.service;
            (comes_from_it && fits && is_longer).then(|| Asks {
                whom,
                part: part.min(1.0),
                by_link: link.is_some(),
            })
        });
    candidates.max_by(|a, b| a.by_link.cmp(&b.by_link).then(a.part.total_cmp(&b.part)))
}
