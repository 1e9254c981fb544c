//! The query cache.

use crate::analysis::demand::Demand;
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::limits::{FEW_HITS, FEWEST, GOOD_HITS, WORTH_IT};
use crate::analysis::show;

/// Part of the loads that were evicted, from which on the cache is too small and not merely cold.
const EVICTED: f64 = 0.5;

/// Part of the loads that follow an invalidation, from which on results are thrown away before they are asked for again.
const INVALIDATED: f64 = 0.5;

pub(super) fn misses(demand: &Demand<'_>) -> Option<Bottleneck> {
    let cache = demand.evidence.cache.filter(|it| it.queries >= FEWEST && it.hit_ratio() < FEW_HITS)?;
    // Loads wait for connections and turns too; those waits are the store's.
    let waits: f64 = demand.stores().map(|(_, it)| it.pool.seconds + it.turns.seconds).sum();
    let part = demand.part((cache.load_seconds - waits).max(0.0));
    if part < WORTH_IT || !demand.suffers {
        return None;
    }
    let loads = cache.loads.max(1) as f64;
    let (why, advice) = if cache.evictions as f64 >= EVICTED * loads {
        (
            "results leave it for want of room before they are asked for again",
            "Give the query cache more bytes: as many as the results that are asked for again within their time to live take.",
        )
    } else if cache.invalidations as f64 >= INVALIDATED * loads {
        (
            "results are invalidated before they are asked for again",
            "Invalidate by narrower tags: a tag for what changed, not for its whole table.",
        )
    } else {
        (
            "what is asked for is hardly ever asked for again, or lives too short",
            "Cache what repeats: take from the key what does not change the result, lengthen the time to live, or do not cache these queries at all and make their statements faster.",
        )
    };
    let hits = cache.hit_ratio();
    let avoidable = ((GOOD_HITS - hits) / (1.0 - hits)).clamp(0.0, 1.0);
    let mut gain = demand.gain(
        part * avoidable,
        f64::INFINITY,
        "the queries repeat often enough for 90 % of hits; if none ever does, nothing is gained",
    );
    gain.low = 0.0;
    Some(Bottleneck {
        kind: BottleneckKind::Cache,
        resource: "query cache".to_owned(),
        summary: format!(
            "The query cache answers {} of the queries, and {} of all time in handlers is loads: {why}.",
            show::percent(hits),
            show::percent(part)
        ),
        evidence: vec![
            Fact::new("queries", show::count(cache.queries)),
            Fact::new("loads", show::count(cache.loads)),
            Fact::new("hits", show::percent(hits)),
            Fact::new("one load takes on average", show::time(cache.load_seconds / loads)),
            Fact::new("loads, part of all time in handlers", show::percent(part)),
            Fact::new("evicted for want of room", show::count(cache.evictions)),
            Fact::new("invalidated tags", show::count(cache.invalidations)),
            Fact::new(
                "held",
                format!("{} results, {}", show::count(cache.entries), show::bytes(cache.bytes as f64)),
            ),
        ],
        weight: demand.weight(part),
        gain,
        advice: advice.to_owned(),
    })
}
