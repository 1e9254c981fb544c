//! What a monitor watches besides agents: stores, query caches, outboxes and the guards of calls.

use std::collections::{BTreeMap, HashMap};

use crate::delivery::{Outbox, OutboxStats};
use crate::link::LinkSnapshot;
use crate::resilience::{BreakerSnapshot, BreakerState, Policy, PolicySnapshot};
use crate::store::cache::{CacheSnapshot, QueryCache};
use crate::store::{StatementClass, Store, StoreStats};
use crate::sync::{Arc, Mutex, lock};
use crate::telemetry::names::{Kind, Metric, metric};
use crate::telemetry::{MetricSample, Sparse, Value};

type Read<T> = Box<dyn Fn() -> Option<T> + Send + Sync>;

/// Those that are watched. None is kept open by being watched: one that has ended is watched no more.
#[derive(Default)]
pub(super) struct Parts {
    stores: Mutex<Vec<(Arc<str>, Read<StoreReading>)>>,
    caches: Mutex<Vec<(Arc<str>, Read<CacheSnapshot>)>>,
    outboxes: Mutex<Vec<(Arc<str>, Read<OutboxStats>)>>,
    policies: Mutex<Vec<(Arc<str>, Read<PolicySnapshot>)>>,
}

/// A store's figures, and how long its statements took, in nanoseconds.
type StoreReading = (StoreStats, Vec<(StatementClass, Sparse)>);

/// A sample that owns what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PartSample {
    pub(super) metric: &'static Metric,
    labels: Vec<Arc<str>>,
    value: Owned,
}

#[derive(Debug, Clone, PartialEq)]
enum Owned {
    Number(f64),
    Distribution(Sparse),
}

impl PartSample {
    pub(super) fn sample(&self) -> MetricSample<'_> {
        let Metric { name, kind, unit, help, labels, .. } = *self.metric;
        MetricSample {
            name,
            kind,
            unit,
            help,
            labels: labels.iter().copied().zip(self.labels.iter().map(|it| &**it)).collect(),
            value: match &self.value {
                Owned::Number(number) => Value::Number(*number),
                Owned::Distribution(values) => Value::Distribution(values),
            },
        }
    }
}

impl Parts {
    pub(super) fn store(&self, name: &str, store: &Store) {
        put(&self.stores, name, Box::new(store.watch()));
    }

    pub(super) fn cache(&self, name: &str, cache: &QueryCache) {
        put(&self.caches, name, Box::new(cache.watch()));
    }

    pub(super) fn outbox(&self, name: &str, outbox: &Outbox) {
        put(&self.outboxes, name, Box::new(outbox.watch()));
    }

    pub(super) fn policy(&self, policy: &Policy) {
        // A policy holds nothing open.
        let watched = policy.clone();
        put(&self.policies, policy.name(), Box::new(move || Some(watched.snapshot())));
    }

    /// What the stores and the caches measured of themselves, by name.
    pub(super) fn statistics(&self) -> (BTreeMap<String, StoreStats>, BTreeMap<String, CacheSnapshot>) {
        let stores = take(&self.stores).into_iter().map(|(name, (stats, _))| (name.to_string(), stats));
        let caches = take(&self.caches).into_iter().map(|(name, cache)| (name.to_string(), cache));
        (stores.collect(), caches.collect())
    }

    /// Every sample, those of one metric together. Histograms are from the start of the process.
    pub(super) fn read(&self, links: &[LinkSnapshot]) -> Vec<PartSample> {
        let mut samples = Samples::default();
        take(&self.stores).iter().for_each(|(name, it)| samples.store(name, it));
        let caches = take(&self.caches);
        caches.iter().for_each(|(name, it)| samples.cache(name, it));
        take(&self.outboxes).iter().for_each(|(name, it)| samples.outbox(name, it));
        take(&self.policies).iter().for_each(|(_, it)| samples.policy(it));
        links.iter().for_each(|it| samples.link(it));
        for redis in caches.iter().filter_map(|(_, it)| it.redis.as_ref()) {
            samples.breaker(&redis.breaker);
        }
        samples.in_order()
    }
}

/// A name is watched once: the newest stays, and two series never have the same labels.
fn put<T>(parts: &Mutex<Vec<(Arc<str>, Read<T>)>>, name: &str, read: Read<T>) {
    let mut parts = lock(parts);
    parts.retain(|(other, _)| **other != *name);
    parts.push((Arc::from(name), read));
}

/// Reads each, and forgets those that have ended.
fn take<T>(parts: &Mutex<Vec<(Arc<str>, Read<T>)>>) -> Vec<(Arc<str>, T)> {
    let mut readings = Vec::new();
    lock(parts).retain(|(name, read)| {
        let reading = read();
        let lives = reading.is_some();
        readings.extend(reading.map(|reading| (Arc::clone(name), reading)));
        lives
    });
    readings
}

#[derive(Default)]
struct Samples(Vec<PartSample>);

impl Samples {
    fn number<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], value: f64) {
        debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
        let labels = labels.map(Arc::from).to_vec();
        self.0.push(PartSample { metric, labels, value: Owned::Number(value) });
    }

    fn count<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], count: u64) {
        self.number(metric, labels, count as f64);
    }

    fn store(&mut self, name: &str, (stats, durations): &StoreReading) {
        for (class, values) in durations {
            let labels = vec![Arc::from(name), Arc::from(class.as_str())];
            let value = Owned::Distribution(values.clone());
            self.0.push(PartSample { metric: metric::STORE_QUERY, labels, value });
        }
        for (class, it) in &stats.statements {
            self.count(metric::STORE_SLOW, [name, class.as_str()], it.slow);
            self.count(metric::STORE_FAILED, [name, class.as_str()], it.failed);
        }
        let pool = &stats.pool;
        self.number(metric::STORE_POOL_USED, [name], pool.in_use as f64 / pool.limit.max(1) as f64);
        self.number(metric::STORE_POOL_CONNECTIONS, [name, "in_use"], pool.in_use as f64);
        self.number(metric::STORE_POOL_CONNECTIONS, [name, "idle"], pool.idle as f64);
        self.number(metric::STORE_POOL_WAITING, [name], pool.waiting as f64);
        self.count(metric::STORE_POOL_TIMEOUTS, [name], pool.timeouts);
        self.count(metric::STORE_RETRIED, [name], stats.retried);
    }

    fn cache(&mut self, name: &str, cache: &CacheSnapshot) {
        let redis = cache.redis.as_ref().map(|it| ("redis", it.values));
        for (layer, it) in [("memory", cache.memory)].into_iter().chain(redis) {
            self.count(metric::CACHE_HITS, [name, layer], it.hits);
            self.count(metric::CACHE_LOOKUPS, [name, layer], it.hits + it.misses);
        }
        self.count(metric::CACHE_LOADS, [name], cache.loads.loads);
        self.count(metric::CACHE_EVICTIONS, [name], cache.evictions);
        self.count(metric::CACHE_BYTES, [name], cache.bytes);
        self.count(metric::CACHE_ENTRIES, [name], cache.entries);
    }

    fn outbox(&mut self, name: &str, outbox: &OutboxStats) {
        self.count(metric::OUTBOX_STORED, [name], outbox.stored);
        self.count(metric::OUTBOX_COMMITS, [name], outbox.commits);
        self.count(metric::OUTBOX_FAILED_COMMITS, [name], outbox.failed_commits);
        self.count(metric::OUTBOX_REDELIVERED, [name], outbox.redelivered);
        for agent in &outbox.agents {
            self.count(metric::OUTBOX_PENDING, [name, &agent.agent], agent.pending);
        }
    }

    fn link(&mut self, link: &LinkSnapshot) {
        for (end, count) in &link.ended {
            self.count(metric::LINK_MESSAGES, [&link.name, end.as_str()], *count);
        }
        self.policy(&link.guards);
    }

    fn policy(&mut self, policy: &PolicySnapshot) {
        if let Some(breaker) = &policy.breaker {
            self.breaker(breaker);
        }
        if let Some(limit) = &policy.rate_limit {
            self.count(metric::RATE_LIMIT_REFUSED, [&limit.name], limit.refused);
        }
    }

    fn breaker(&mut self, breaker: &BreakerSnapshot) {
        let open = match breaker.state {
            BreakerState::Open | BreakerState::ForcedOpen => 1.0,
            BreakerState::HalfOpen => 0.5,
            BreakerState::Closed | BreakerState::ForcedClosed => 0.0,
        };
        let refused = &breaker.refused;
        self.number(metric::BREAKER_OPEN, [&breaker.name], open);
        let refused = refused.open + refused.half_open + refused.forced_open;
        self.count(metric::BREAKER_REFUSED, [&breaker.name], refused);
    }

    /// Those of one metric together; of several with the same labels (two guards of one name) the worst, or the sum.
    fn in_order(self) -> Vec<PartSample> {
        let mut places: HashMap<(&'static str, Vec<Arc<str>>), usize> = HashMap::new();
        let mut kept: Vec<PartSample> = Vec::new();
        for sample in self.0 {
            match places.get(&(sample.metric.name, sample.labels.clone())) {
                Some(place) => kept[*place].fold(&sample),
                None => {
                    places.insert((sample.metric.name, sample.labels.clone()), kept.len());
                    kept.push(sample);
                }
            }
        }
        kept.sort_by_key(|sample| sample.metric.name);
        kept
    }
}

impl PartSample {
    fn fold(&mut self, other: &Self) {
        match (&mut self.value, &other.value) {
            (Owned::Number(ours), Owned::Number(theirs)) if self.metric.kind == Kind::Counter => {
                *ours += theirs
            }
            (Owned::Number(ours), Owned::Number(theirs)) => *ours = ours.max(*theirs),
            (Owned::Distribution(ours), Owned::Distribution(theirs)) => ours.add(theirs),
            _ => {}
        }
    }
}

/// Histograms as they were when they were read last.
#[derive(Debug, Default)]
pub(super) struct Before(HashMap<(&'static str, Vec<Arc<str>>), Sparse>);

impl Before {
    /// Makes histograms those of what was measured since the last time, if they are read this time, and takes them out
    /// otherwise.
    pub(super) fn recent(&mut self, samples: &mut Vec<PartSample>, read: bool) {
        samples.retain_mut(|sample| {
            let Owned::Distribution(values) = &mut sample.value else { return true };
            if read {
                let now = values.clone();
                let key = (sample.metric.name, sample.labels.clone());
                if let Some(before) = self.0.insert(key, now) {
                    *values = values.since(&before);
                }
            }
            read && !values.is_empty()
        });
    }
}
