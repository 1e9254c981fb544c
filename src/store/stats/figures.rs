//! Where figures are counted.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::snapshot::{PoolStats, SlowStatement, StatementStats, StoreStats};
use crate::clock::{Clock, Nanos, nanos};
use crate::store::statement::shape;
use crate::store::{Dialect, Fingerprint, StatementClass};
use crate::sync::lock;
use crate::telemetry::{Quantiles, Sparse};

/// Slow statements remembered; more sorts of them than this and the least slow is forgotten.
const REMEMBERED: usize = 64;
/// Two significant digits, as everywhere in Statim.
const SIGNIFICANT_DIGITS: u8 = 2;

/// The figures of one store.
#[derive(Debug)]
pub(in crate::store) struct Figures {
    dialect: Dialect,
    clock: Clock,
    slow: u64,
    classes: [Mutex<Option<Box<Class>>>; StatementClass::ALL.len()],
    waits: Mutex<Option<Histogram<u64>>>,
    turns: Mutex<Option<Histogram<u64>>>,
    pool: [AtomicU64; PoolEvent::COUNT],
    waiting: AtomicU64,
    retried: AtomicU64,
    given_up: AtomicU64,
    remembered: Mutex<HashMap<Fingerprint, SlowStatement>>,
}

#[derive(Debug)]
struct Class {
    failed: u64,
    slow: u64,
    durations: Histogram<u64>,
}

/// What befalls a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum PoolEvent {
    Acquired,
    TimedOut,
    Opened,
    Closed,
    Recycled,
    FoundDead,
    Interrupted,
}

impl PoolEvent {
    const COUNT: usize = 7;
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Ended {
    Well,
    Failed,
}

impl Figures {
    pub(in crate::store) fn new(dialect: Dialect, slow: Duration) -> Self {
        Self {
            dialect,
            clock: Clock::real(),
            slow: nanos(slow),
            classes: Default::default(),
            waits: Mutex::default(),
            turns: Mutex::default(),
            pool: Default::default(),
            waiting: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            remembered: Mutex::default(),
        }
    }

    pub(in crate::store) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// A statement ended after the database had worked on it for so many nanoseconds.
    pub(in crate::store) fn statement(&self, class: StatementClass, took: u64, ended: Ended, sql: &str) {
        let slow = took >= self.slow;
        {
            let mut slot = lock(&self.classes[class as usize]);
            let figures =
                slot.get_or_insert_with(|| Box::new(Class { failed: 0, slow: 0, durations: histogram() }));
            figures.failed += u64::from(ended == Ended::Failed);
            figures.slow += u64::from(slow);
            record(&mut figures.durations, took);
        }
        if slow {
            self.remember(class, took, sql);
        }
    }

    #[cold]
    fn remember(&self, class: StatementClass, took: u64, sql: &str) {
        let (fingerprint, shape) = shape(sql);
        tracing::warn!(
            target: "statim::store::slow",
            database = %self.dialect,
            class = class.as_str(),
            %fingerprint,
            milliseconds = took / 1_000_000,
            "a statement was slow; `Store::stats` has its text without values"
        );
        let mut remembered = lock(&self.remembered);
        if !remembered.contains_key(&fingerprint) && remembered.len() >= REMEMBERED {
            let least =
                remembered.values().min_by_key(|it| it.longest).map(|it| (it.fingerprint, it.longest));
            match least {
                Some((least, longest)) if longest <= took => remembered.remove(&least),
                _ => return,
            };
        }
        let entry = remembered.entry(fingerprint).or_insert(SlowStatement {
            fingerprint,
            class,
            shape,
            count: 0,
            longest: 0,
        });
        entry.count += 1;
        entry.longest = entry.longest.max(took);
    }

    pub(in crate::store) fn pool(&self, event: PoolEvent) {
        self.pool[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a caller as waiting for as long as the guard lives.
    pub(in crate::store) fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting { figures: self, since: self.now() }
    }

    pub(in crate::store) fn turn(&self, since: Nanos) {
        let waited = self.now().since(since);
        record(lock(&self.turns).get_or_insert_with(histogram), waited);
    }

    pub(in crate::store) fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::store) fn given_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    /// How long statements took, by class.
    pub(in crate::store) fn durations(&self) -> Vec<(StatementClass, Sparse)> {
        let of_class = |class| {
            let slot = lock(&self.classes[class as usize]);
            slot.as_ref().map(|figures| (class, Sparse::of(&figures.durations)))
        };
        StatementClass::ALL.into_iter().filter_map(of_class).collect()
    }

    /// Everything, with what only the pool knows given.
    pub(in crate::store) fn snapshot(&self, limit: usize, in_use: usize, idle: usize) -> StoreStats {
        let event = |event: PoolEvent| self.pool[event as usize].load(Ordering::Relaxed);
        let statements = StatementClass::ALL.into_iter().filter_map(|class| {
            let slot = lock(&self.classes[class as usize]);
            let Class { failed, slow, durations } = &**slot.as_ref()?;
            let (count, duration) = (durations.len(), Quantiles::of(durations));
            Some((class, StatementStats { count, failed: *failed, slow: *slow, duration }))
        });
        let statements = statements.collect();
        let mut slow: Vec<_> = lock(&self.remembered).values().cloned().collect();
        slow.sort_unstable_by_key(|it| std::cmp::Reverse((it.longest, it.fingerprint)));
        // One lock after the other: within the expression below both would be held to its end.
        let (turns, turns_taken) = {
            let turns = lock(&self.turns);
            (turns.as_ref().map(Quantiles::of), turns.as_ref().map_or(0, Histogram::len))
        };
        StoreStats {
            dialect: self.dialect,
            pool: PoolStats {
                limit,
                in_use,
                idle,
                waiting: usize::try_from(self.waiting.load(Ordering::Relaxed)).unwrap_or(usize::MAX),
                acquired: event(PoolEvent::Acquired),
                waits: lock(&self.waits).as_ref().map(Quantiles::of),
                timeouts: event(PoolEvent::TimedOut),
                opened: event(PoolEvent::Opened),
                closed: event(PoolEvent::Closed),
                recycled: event(PoolEvent::Recycled),
                found_dead: event(PoolEvent::FoundDead),
                interrupted: event(PoolEvent::Interrupted),
            },
            turns,
            turns_taken,
            statements,
            retried: self.retried.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
            slow,
        }
    }
}

/// A caller that waits for a connection.
#[derive(Debug)]
pub(in crate::store) struct Waiting<'f> {
    figures: &'f Figures,
    since: Nanos,
}

impl Waiting<'_> {
    /// It has one.
    pub(in crate::store) fn served(self) {
        let waited = self.figures.now().since(self.since);
        record(lock(&self.figures.waits).get_or_insert_with(histogram), waited);
        self.figures.pool(PoolEvent::Acquired);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.figures.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn histogram() -> Histogram<u64> {
    let mut histogram = Histogram::new(SIGNIFICANT_DIGITS).expect("two digits are in range");
    histogram.auto(true);
    histogram
}

fn record(histogram: &mut Histogram<u64>, value: u64) {
    // It grows as it must, so nothing is out of its range.
    let recorded = histogram.record(value);
    debug_assert!(recorded.is_ok(), "{value} ns was refused");
}
