//! Stores and the query cache.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Times, seconds, sound};
use crate::store::cache::CacheSnapshot;
use crate::store::{SlowStatement, StoreStats};
use crate::telemetry::Quantiles;

/// Waits of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Waits {
    /// How many, those of no time at all included.
    pub count: u64,
    /// Seconds of all together.
    pub seconds: f64,
    /// How long one took, since the store was opened.
    pub times: Times,
}

impl Waits {
    fn since(now: (Option<&Quantiles>, u64), before: Option<(Option<&Quantiles>, u64)>) -> Self {
        let sum = |(quantiles, count): (Option<&Quantiles>, u64)| {
            quantiles.map_or(0.0, |it| seconds(it.mean) * count as f64)
        };
        Self {
            count: now.1.saturating_sub(before.map_or(0, |it| it.1)),
            seconds: sound(sum(now) - before.map_or(0.0, sum)),
            times: now.0.map(Times::of).unwrap_or_default(),
        }
    }

    /// Seconds of one, in the window.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.seconds / self.count as f64 }
    }
}

/// One store in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreEvidence {
    /// Which database it is.
    pub database: String,
    /// As many connections as there may be.
    pub connections: usize,
    /// Handed out at the end.
    pub in_use: usize,
    /// Callers waiting for one at the end.
    pub waiting: usize,
    /// Waits for a connection.
    pub pool: Waits,
    /// Callers that gave up waiting.
    pub timeouts: u64,
    /// Waits for the turn to write (SQLite).
    pub turns: Waits,
    /// Statements.
    pub statements: u64,
    /// Statements that failed.
    pub failed: u64,
    /// Seconds the database worked on them.
    pub statement_seconds: f64,
    /// Transactions tried again.
    pub retried: u64,
    /// The slowest statements, without values.
    pub slow: Vec<SlowStatement>,
}

impl StoreEvidence {
    /// A store since an earlier reading of it, or since it was opened.
    #[must_use]
    pub fn since(now: &StoreStats, before: Option<&StoreStats>) -> Self {
        let before = before.filter(|before| before.pool.acquired <= now.pool.acquired);
        let count = |of: fn(&StoreStats) -> u64| of(now).saturating_sub(before.map_or(0, of));
        let worked = |stats: &StoreStats| {
            stats.statements.values().map(|it| seconds(it.duration.mean) * it.count as f64).sum::<f64>()
        };
        Self {
            database: now.dialect.to_string(),
            connections: now.pool.limit,
            in_use: now.pool.in_use,
            waiting: now.pool.waiting,
            pool: Waits::since(
                (now.pool.waits.as_ref(), now.pool.acquired),
                before.map(|it| (it.pool.waits.as_ref(), it.pool.acquired)),
            ),
            timeouts: count(|it| it.pool.timeouts),
            turns: Waits::since(
                (now.turns.as_ref(), now.turns_taken),
                before.map(|it| (it.turns.as_ref(), it.turns_taken)),
            ),
            statements: count(|it| it.statements.values().map(|it| it.count).sum()),
            failed: count(|it| it.statements.values().map(|it| it.failed).sum()),
            statement_seconds: sound(worked(now) - before.map_or(0.0, worked)),
            retried: count(|it| it.retried),
            slow: now.slow.iter().take(5).cloned().collect(),
        }
    }
}

impl Waits {
    fn scale(&mut self, part: f64) {
        self.count = scaled(self.count, part);
        self.seconds *= part;
    }
}

impl StoreEvidence {
    /// Leaves this part of what happened.
    pub(super) fn scale(&mut self, part: f64) {
        [&mut self.pool, &mut self.turns].into_iter().for_each(|it| it.scale(part));
        let counts = [&mut self.timeouts, &mut self.statements, &mut self.failed, &mut self.retried];
        counts.into_iter().for_each(|count| *count = scaled(*count, part));
        self.statement_seconds *= part;
    }
}

impl CacheEvidence {
    /// Leaves this part of what happened.
    pub(super) fn scale(&mut self, part: f64) {
        let Self { queries, loads, load_seconds, evictions, invalidations, redis_failures, .. } = self;
        let counts = [queries, loads, evictions, invalidations, redis_failures];
        counts.into_iter().for_each(|count| *count = scaled(*count, part));
        *load_seconds *= part;
    }
}

fn scaled(count: u64, part: f64) -> u64 {
    (count as f64 * part).round() as u64
}

/// The query cache in the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CacheEvidence {
    /// Queries.
    pub queries: u64,
    /// Queries that had to load.
    pub loads: u64,
    /// Seconds in loaders.
    pub load_seconds: f64,
    /// Results that had to leave for want of room.
    pub evictions: u64,
    /// Tags invalidated.
    pub invalidations: u64,
    /// Results held at the end.
    pub entries: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Questions to Redis that failed or had no answer in time.
    pub redis_failures: u64,
}

impl CacheEvidence {
    /// A cache since an earlier reading of it, or since it was opened.
    #[must_use]
    pub fn since(now: &CacheSnapshot, before: Option<&CacheSnapshot>) -> Self {
        let before = before.filter(|before| before.queries <= now.queries);
        let count = |of: fn(&CacheSnapshot) -> u64| of(now).saturating_sub(before.map_or(0, of));
        Self {
            queries: count(|it| it.queries),
            loads: count(|it| it.loads.loads),
            load_seconds: count(|it| it.loads.nanos) as f64 / 1e9,
            evictions: count(|it| it.evictions),
            invalidations: count(|it| it.invalidations),
            entries: now.entries,
            bytes: now.bytes,
            redis_failures: count(|it| it.redis.as_ref().map_or(0, |it| it.errors + it.timeouts)),
        }
    }

    /// The part of the queries that did not load, 0 to 1.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        if self.queries == 0 {
            0.0
        } else {
            self.queries.saturating_sub(self.loads) as f64 / self.queries as f64
        }
    }
}

/// The statistics of stores and of the cache as [`Observed::store`](crate::load::Observed::store) carries them: each store
/// under its name, the cache under `cache`.
#[must_use]
pub fn statistics<'a>(
    stores: impl IntoIterator<Item = (&'a str, StoreStats)>,
    cache: Option<CacheSnapshot>,
) -> Value {
    let stores = stores.into_iter().map(|(name, stats)| (name.to_owned(), serde_json::to_value(stats)));
    let cache = cache.into_iter().map(|cache| ("cache".to_owned(), serde_json::to_value(cache)));
    // Of strings and numbers, which serialise.
    stores.chain(cache).filter_map(|(name, value)| Some((name, value.ok()?))).collect()
}

/// What [`statistics`] made, or the statistics of one store.
#[derive(Debug, Clone, Default)]
pub(super) struct Statistics {
    stores: BTreeMap<String, StoreStats>,
    cache: Option<CacheSnapshot>,
    /// Those that could not be read.
    strange: Vec<String>,
}

impl Statistics {
    pub(super) fn of(value: &Value) -> Self {
        let mut all = Self::default();
        if value.get("pool").is_some_and(|pool| pool.get("limit").is_some()) {
            all.store("store", value);
        } else if let Value::Object(named) = value {
            for (name, value) in named {
                if name == "cache" { all.cache(value) } else { all.store(name, value) }
            }
        } else if !value.is_null() {
            all.strange.push("store".to_owned());
        }
        all
    }

    /// Of what a monitor watches.
    pub(super) fn of_watched(
        stores: &BTreeMap<String, StoreStats>,
        caches: &BTreeMap<String, CacheSnapshot>,
    ) -> Self {
        let mut all = Self { stores: stores.clone(), ..Self::default() };
        caches.values().for_each(|cache| all.add_cache(cache.clone()));
        all
    }

    /// Stores by name.
    pub(super) fn stores(&mut self, named: &Value) {
        match named.as_object() {
            Some(named) => named.iter().for_each(|(name, value)| self.store(name, value)),
            None => self.strange.push("stores".to_owned()),
        }
    }

    /// Of several caches the one that was asked most is judged.
    fn add_cache(&mut self, cache: CacheSnapshot) {
        if self.cache.as_ref().is_none_or(|other| other.queries < cache.queries) {
            self.cache = Some(cache);
        }
    }

    pub(super) fn cache(&mut self, value: &Value) {
        match CacheSnapshot::deserialize(value) {
            Ok(cache) => self.add_cache(cache),
            Err(_) if value.is_null() => {}
            Err(_) => self.strange.push("cache".to_owned()),
        }
    }

    fn store(&mut self, name: &str, value: &Value) {
        match StoreStats::deserialize(value) {
            Ok(stats) => drop(self.stores.insert(name.to_owned(), stats)),
            Err(_) if value.is_null() => {}
            Err(_) => self.strange.push(name.to_owned()),
        }
    }

    /// What there was in the window between the two.
    pub(super) fn since(
        &self,
        before: Option<&Self>,
    ) -> (BTreeMap<String, StoreEvidence>, Option<CacheEvidence>) {
        let stores = self.stores.iter().map(|(name, now)| {
            (name.clone(), StoreEvidence::since(now, before.and_then(|before| before.stores.get(name))))
        });
        let cache = self
            .cache
            .as_ref()
            .map(|now| CacheEvidence::since(now, before.and_then(|before| before.cache.as_ref())));
        (stores.collect(), cache)
    }

    /// A sentence for each that could not be read.
    pub(super) fn gaps(&self) -> impl Iterator<Item = String> + '_ {
        self.strange.iter().map(|name| {
            format!("The statistics of `{name}` are not in a form that this version reads; report with the version that wrote them.")
        })
    }
}
