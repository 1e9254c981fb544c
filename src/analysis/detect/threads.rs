//! Handlers that hold their thread while agents beside them have messages.
//!
//! A message at an agent with work of its own waits about ρ / (1 − ρ) services. If it waits much longer although its agent is
//! idle most of the time, something keeps the thread. Whoever shares the arbiter and has handlers as long as the waits is it:
//! a message that comes while a handler of length S holds the thread, which it does for a part ρ of the time, waits S / 2 on
//! average.

use crate::analysis::demand::{Demand, HeldBy, Work};
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::Gain;
use crate::analysis::limits::{FEWEST, HALF_BUSY, HOLDS_THREAD, SHORTEST_WAIT};
use crate::analysis::show;

/// How many services of its own an agent's unexplained wait is at least.
const MANY_SERVICES: f64 = 10.0;

/// How much of the wait the handler of the suspect has to explain.
const EXPLAINED: f64 = 0.25;

/// Part of all time of messages below which the waits are not worth an arbiter.
const WORTH_WAITING: f64 = 0.05;

pub(super) fn held(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let found = demand.work.iter().enumerate().filter_map(|(place, suspect)| {
        let held = |it: &&Work<'_>| it.held_by.is_some_and(|by| by.whom == place);
        let victims: Vec<_> = demand.work.iter().filter(held).collect();
        (!victims.is_empty()).then(|| bottleneck(demand, suspect, &victims))
    });
    found.filter(|it| it.weight >= WORTH_WAITING).collect()
}

/// Who keeps the thread from this agent, if somebody does.
pub(in crate::analysis) fn held_by(work: &[Work<'_>], held: usize) -> Option<HeldBy> {
    let its = &work[held];
    // By the median: handlers that were cut in two by others are not its own doing.
    let busy = (its.rate * its.service_p50 / its.agent.instances as f64).min(0.99);
    let excess = its.wait - busy / (1.0 - busy) * its.service_p50;
    let waits = its.agent.attempts() >= FEWEST
        && busy < HALF_BUSY
        && excess >= SHORTEST_WAIT
        && excess >= MANY_SERVICES * its.service_p50;
    if !waits {
        return None;
    }
    let suspects = work.iter().enumerate().filter(|(_, suspect)| {
        suspect.utilization >= HOLDS_THREAD
            && suspect.service_p50 >= SHORTEST_WAIT
            && shares_thread(suspect, its)
            && held_seconds(suspect) >= EXPLAINED * excess
    });
    let (whom, _) = suspects.max_by(|(_, a), (_, b)| held_seconds(a).total_cmp(&held_seconds(b)))?;
    Some(HeldBy { whom, excess })
}

/// How long a message that comes at random finds the thread held for: ρ · S / 2, S being the longest handlers where they
/// vary.
fn held_seconds(suspect: &Work<'_>) -> f64 {
    suspect.utilization * suspect.service_p99.max(suspect.service) / 2.0
}

fn shares_thread(suspect: &Work<'_>, victim: &Work<'_>) -> bool {
    let (its, theirs) = (&suspect.agent.arbiters, &victim.agent.arbiters);
    suspect.agent.name != victim.agent.name
        && (its.is_empty() || theirs.is_empty() || its.iter().any(|arbiter| theirs.contains(arbiter)))
}

fn bottleneck(demand: &Demand<'_>, suspect: &Work<'_>, victims: &[&Work<'_>]) -> Bottleneck {
    let name = &suspect.agent.name;
    let excess = |it: &Work<'_>| it.held_by.map_or(0.0, |by| by.excess);
    let waited: f64 = victims.iter().map(|it| excess(it) * it.agent.attempts() as f64).sum();
    let all: f64 = victims.iter().map(|it| it.message_seconds()).sum();
    let mut evidence = vec![
        Fact::new(format!("time in a handler of {name}"), show::time(suspect.service)),
        Fact::new("p99", show::time(suspect.service_p99)),
        Fact::new(format!("{name} is busy"), show::percent(suspect.utilization)),
    ];
    for victim in victims.iter().take(3) {
        evidence.push(Fact::new(
            format!("{} waits, its own handler taking {}", victim.agent.name, show::time(victim.service_p50)),
            format!(
                "{}, of which {} are not of its own work",
                show::time(victim.wait),
                show::time(excess(victim))
            ),
        ));
    }
    let shared = !suspect.agent.arbiters.is_empty();
    evidence.push(Fact::new(
        "on one thread with it",
        if shared {
            format!("{} agents that wait", victims.len())
        } else {
            "not known: concluded from the times".to_owned()
        },
    ));
    let share = (waited / all.max(f64::MIN_POSITIVE)).min(1.0);
    Bottleneck {
        kind: BottleneckKind::HeldThread,
        resource: name.clone(),
        summary: format!(
            "The handler of `{name}` holds its thread for up to {}, while messages to {} beside it wait.",
            show::time(suspect.service_p99),
            if victims.len() == 1 {
                format!("`{}`", victims[0].agent.name)
            } else {
                format!("{} agents", victims.len())
            }
        ),
        evidence,
        weight: (waited / demand.message_seconds.max(f64::MIN_POSITIVE)).min(1.0),
        gain: Gain::of_time(
            share * 0.5,
            share,
            "of the agents beside it: their other waits stay, and there is a processor for the thread",
        ),
        advice: format!(
            "Give `{name}` an arbiter of its own (`Placement::Own`), or hand what blocks to `spawn_blocking`, so that it holds only itself up."
        ),
    }
}
