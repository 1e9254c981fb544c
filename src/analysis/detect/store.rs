//! The store: waits for connections, waits for the turn to write, and the statements themselves.

use crate::analysis::demand::Demand;
use crate::analysis::evidence::{StoreEvidence, Waits};
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::limits::{FEWEST, MOSTLY, SHORT_WRITE, SHORTEST_WAIT, WORTH_IT};
use crate::analysis::show;

/// Waits for a connection.
pub(super) fn waits(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let found = demand.stores().filter_map(|(name, store)| {
        let part = demand.part(store.pool.seconds);
        let long = is_long(demand, &store.pool) && part >= WORTH_IT;
        if !(store.timeouts > 0 || long && demand.suffers) {
            return None;
        }
        let mut evidence = wait_facts(demand, &store.pool, "a connection");
        evidence.push(Fact::new("connections", show::count(store.connections as u64)));
        evidence.push(Fact::new("gave up waiting", show::count(store.timeouts)));
        // Little's law: as many callers wait on average as seconds are waited per second.
        let queued = store.pool.seconds / demand.evidence.seconds.max(1e-9);
        evidence.push(Fact::new("callers waiting on average (N = X · W)", show::three(queued)));
        let wanted = store.connections as f64 + queued.ceil().clamp(1.0, 3.0 * store.connections.max(1) as f64);
        Some(Bottleneck {
            kind: BottleneckKind::Pool,
            resource: name.to_owned(),
            summary: format!(
                "Callers of the {} store `{name}` wait {} on average for a connection, of which there may be {}.",
                store.database,
                show::time(store.pool.mean()),
                store.connections
            ),
            evidence,
            weight: demand.weight(part).max(lost(demand, store.timeouts)),
            gain: demand.gain(part, f64::INFINITY, "the database serves that many connections at the same speed"),
            advice: format!(
                "Raise the most connections of `{name}` from {} to about {}, and hold none across an await that is not a statement's.",
                store.connections,
                show::three(wanted)
            ),
        })
    });
    found.collect()
}

/// Waits for the turn to write.
pub(super) fn turns(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let found = demand.stores().filter_map(|(name, store)| {
        let part = demand.part(store.turns.seconds);
        let long = is_long(demand, &store.turns) && part >= WORTH_IT;
        if !(long && demand.suffers) {
            return None;
        }
        let mut evidence = wait_facts(demand, &store.turns, "the turn to write");
        // The turn is never free while somebody waits, so it is held this long at most.
        let held = demand.evidence.seconds / store.turns.count as f64;
        evidence.push(Fact::new("each held the turn for at most", show::time(held)));
        evidence.push(Fact::new("transactions tried again", show::count(store.retried)));
        // Writers never overlap: what is left at best is the statements' own time in each turn.
        let shortest = store.statement_seconds.min(demand.evidence.seconds) / store.turns.count as f64;
        let cap = if shortest > 0.0 { held / shortest } else { f64::INFINITY };
        let advice = if held < SHORT_WRITE {
            format!("Write to `{name}` in batches: several changes in one transaction pay for one commit.")
        } else {
            format!(
                "Hold the turn to write of `{name}` for less: begin the transaction late, await nothing but its own statements in it, and put components that need not agree into stores of their own."
            )
        };
        Some(Bottleneck {
            kind: BottleneckKind::WriteTurn,
            resource: name.to_owned(),
            summary: format!(
                "Writers of the {} store `{name}` wait {} on average for their turn: it has one writer at a time.",
                store.database,
                show::time(store.turns.mean())
            ),
            evidence,
            weight: demand.weight(part),
            gain: demand.gain(part, cap, "only the statements' own time stays in a turn, or there are that much fewer turns"),
            advice,
        })
    });
    found.collect()
}

/// Statements.
pub(super) fn statements(demand: &Demand<'_>) -> Vec<Bottleneck> {
    let loads = demand.evidence.cache.map_or(0.0, |cache| cache.load_seconds);
    let found = demand.stores().filter_map(|(name, store)| {
        // What the cache's loads asked for is the cache's.
        let seconds = (store.statement_seconds - loads).max(0.0);
        let part = demand.part(seconds);
        if part < MOSTLY || store.statements < FEWEST || !demand.is_hot {
            return None;
        }
        let mean = store.statement_seconds / store.statements as f64;
        let mut evidence = vec![
            Fact::new("statements", show::count(store.statements)),
            Fact::new("one takes on average (S)", show::time(mean)),
            Fact::new("part of all time in handlers", show::percent(part)),
        ];
        evidence.extend(slowest(store));
        Some(Bottleneck {
            kind: BottleneckKind::Statements,
            resource: name.to_owned(),
            summary: format!(
                "The {} store `{name}` works {} on a statement, which is {} of all time in handlers.",
                store.database,
                show::time(mean),
                show::percent(part)
            ),
            evidence,
            weight: demand.weight(part),
            gain: demand.gain(part, f64::INFINITY, "the statements are made twice as fast at least, or not asked at all"),
            advice: format!(
                "Look at the slowest statements of `{name}` first: an index, fewer columns, or the query cache for what is asked again."
            ),
        })
    });
    found.collect()
}

/// The slowest statement as it is known: its text has no values.
fn slowest(store: &StoreEvidence) -> Option<Fact> {
    let slow = store.slow.first()?;
    Some(Fact::new(
        format!("the slowest ({}, {} times)", slow.class.as_str(), show::count(slow.count)),
        format!("{}: {}", show::time(slow.longest as f64 / 1e9), slow.shape),
    ))
}

fn wait_facts(demand: &Demand<'_>, waits: &Waits, what: &str) -> Vec<Fact> {
    vec![
        Fact::new(format!("waits for {what}"), show::count(waits.count)),
        Fact::new("one takes on average", show::time(waits.mean())),
        Fact::new("p99", show::time(waits.times.p99)),
        Fact::new("all together", show::time(waits.seconds)),
        Fact::new("part of all time in handlers", show::percent(demand.part(waits.seconds))),
    ]
}

/// Where an agent is at its limit, short waits count too if they are many.
fn is_long(demand: &Demand<'_>, waits: &Waits) -> bool {
    waits.count >= FEWEST && (demand.is_hot || waits.mean() >= SHORTEST_WAIT)
}

fn lost(demand: &Demand<'_>, count: u64) -> f64 {
    (count as f64 / demand.most).min(1.0)
}
