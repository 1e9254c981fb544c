//! One detector a file: each says what limits, by what figures, and what is gained by removing it.

mod agents;
mod cache;
mod generator;
mod links;
mod losses;
mod store;
mod system;
pub(super) mod threads;

use super::demand::Demand;
use super::findings::{Bottleneck, BottleneckKind};

/// What limits the system, most limiting first.
pub(super) fn bottlenecks(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let mut found = Vec::new();
    found.extend(generator::keeps_up(demand));
    found.extend(store::waits(demand));
    found.extend(store::turns(demand));
    found.extend(cache::misses(demand));
    found.extend(store::statements(demand));
    found.extend(threads::held(demand));
    found.extend(links::breakers(demand));
    found.extend(links::limits(demand));
    found.extend(links::retries(demand));
    found.extend(losses::failures(demand));
    found.extend(losses::mailboxes(demand));
    found.extend(system::processors(demand));
    found.extend(system::throttling(demand));
    found.extend(system::memory(demand));
    found.extend(system::disks(demand));
    // Of an agent that mostly waits for these, they are named and not the agent.
    let is_behind = |it: &Bottleneck| {
        use BottleneckKind::{Cache, Pool, Statements, WriteTurn};
        matches!(it.kind, Pool | WriteTurn | Statements | Cache)
    };
    let others_named = found.iter().any(is_behind);
    found.extend(agents::saturated(demand, others_named));
    found.extend(agents::urgency(demand));
    // Stable, so that of two that weigh the same the cause comes before what it causes.
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    found
}
