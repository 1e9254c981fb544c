//! What the cache counts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::resilience::BreakerSnapshot;

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) memory_hits: Counter,
    pub(super) memory_misses: Counter,
    pub(super) shared: Counter,
    pub(super) redis_hits: Counter,
    pub(super) redis_misses: Counter,
    pub(super) confirmed: Counter,
    pub(super) unconfirmed: Counter,
    pub(super) stale: Counter,
    pub(super) corrupt: Counter,
    pub(super) redis_errors: Counter,
    pub(super) redis_timeouts: Counter,
    pub(super) redis_refused: Counter,
    pub(super) loads: Counter,
    pub(super) load_errors: Counter,
    pub(super) load_nanos: Counter,
    pub(super) impatient: Counter,
    pub(super) too_large: Counter,
    pub(super) unkeyed: Counter,
    pub(super) evictions: Counter,
    pub(super) invalidations: Counter,
}

impl Stats {
    pub(super) fn snapshot(
        &self,
        entries: u64,
        bytes: u64,
        breaker: Option<BreakerSnapshot>,
        undelivered: u64,
    ) -> CacheSnapshot {
        let layer = |hits: &Counter, misses: &Counter| LayerSnapshot::new(hits.get(), misses.get());
        let memory = layer(&self.memory_hits, &self.memory_misses);
        let (shared, loads) = (self.shared.get(), self.loads.get());
        let queries = memory.hits + memory.misses + shared + self.impatient.get() + self.unkeyed.get();
        CacheSnapshot {
            queries,
            hit_rate: rate(queries.saturating_sub(loads), queries),
            memory,
            entries,
            bytes,
            evictions: self.evictions.get(),
            invalidations: self.invalidations.get(),
            loads: LoadSnapshot {
                loads,
                errors: self.load_errors.get(),
                nanos: self.load_nanos.get(),
                shared,
                impatient: self.impatient.get(),
                too_large: self.too_large.get(),
                unkeyed: self.unkeyed.get(),
            },
            redis: breaker.map(|breaker| RedisSnapshot {
                values: layer(&self.redis_hits, &self.redis_misses),
                confirmed: self.confirmed.get(),
                unconfirmed: self.unconfirmed.get(),
                stale: self.stale.get(),
                corrupt: self.corrupt.get(),
                errors: self.redis_errors.get(),
                timeouts: self.redis_timeouts.get(),
                refused: self.redis_refused.get(),
                undelivered_invalidations: undelivered,
                breaker,
            }),
        }
    }
}

fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A cache at one moment. Every count is since it was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheSnapshot {
    /// Queries that ended, or have begun to load.
    pub queries: u64,
    /// The share of them, from 0 to 1, that did not load; 0 if there were none.
    pub hit_rate: f64,
    /// The memory layer.
    pub memory: LayerSnapshot,
    /// Results in memory, also those that are too old or invalid and not cleared away yet.
    pub entries: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Results that had to leave memory, or were not let in, for want of bytes.
    pub evictions: u64,
    /// Tags invalidated by this process.
    pub invalidations: u64,
    /// What was loaded.
    pub loads: LoadSnapshot,
    /// The Redis layer, if there is one.
    pub redis: Option<RedisSnapshot>,
}

/// How often a layer had what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LayerSnapshot {
    /// It had it.
    pub hits: u64,
    /// It had not, or not any more.
    pub misses: u64,
    /// The share of hits, from 0 to 1; 0 if nothing was asked.
    pub hit_rate: f64,
}

impl LayerSnapshot {
    fn new(hits: u64, misses: u64) -> Self {
        Self { hits, misses, hit_rate: rate(hits, hits + misses) }
    }
}

/// What was loaded, and why again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoadSnapshot {
    /// Loaders called.
    pub loads: u64,
    /// Of these, how many failed.
    pub errors: u64,
    /// Time in loaders that ended, in nanoseconds.
    #[serde(default)]
    pub nanos: u64,
    /// Queries that got what another one loaded or fetched at the same time, an error included: the single flight.
    pub shared: u64,
    /// Queries that waited for another's load too long, and loaded by themselves.
    pub impatient: u64,
    /// Results too large to keep.
    pub too_large: u64,
    /// Queries with a key that could not be made, which are not cached.
    pub unkeyed: u64,
}

/// The Redis layer at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RedisSnapshot {
    /// Values asked for, of questions that were answered.
    pub values: LayerSnapshot,
    /// Hits in memory that Redis confirmed.
    pub confirmed: u64,
    /// Hits in memory without that, because Redis did not answer.
    pub unconfirmed: u64,
    /// Results, in either layer, that another process had invalidated.
    pub stale: u64,
    /// Values that were not of our making, or damaged, or of another version. Misses.
    pub corrupt: u64,
    /// Questions that ended with an error.
    pub errors: u64,
    /// Questions without an answer in time.
    pub timeouts: u64,
    /// Questions not asked, because the breaker was open or too many were under way.
    pub refused: u64,
    /// Invalidations that Redis has yet to be told.
    pub undelivered_invalidations: u64,
    /// Its circuit breaker.
    pub breaker: BreakerSnapshot,
}
