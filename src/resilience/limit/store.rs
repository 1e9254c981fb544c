//! What a keyed limiter remembers of each key, within a bound.

use std::hash::Hash;
use std::ops::Deref;

use dashmap::DashMap;
use governor::nanos::Nanos as Span;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use crate::clock::Nanos;
use crate::resilience::time::Time;
use crate::sync::{Arc, AtomicU64, Ordering};

/// Fewer new keys than this never make it look for keys to forget.
const FEWEST_BETWEEN_SWEEPS: u64 = 1024;
/// In nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// The theoretical arrival time of each key's next call.
///
/// governor's own stores grow with every key ever seen and leave it to the caller to shrink them. This one says when:
/// once as many calls brought a new key as keys were left by the last sweep (and at least 1,024), so that it never
/// holds more than twice the keys in use, and a sweep costs a constant for each new key. And it has a hard bound,
/// because the keys may be an attacker's: beyond it new keys share one place, and a sweep for their sake comes once a
/// second at most.
pub(super) struct Store<K> {
    places: DashMap<K, AtomicU64>,
    /// Shared by the keys that have no place.
    rest: AtomicU64,
    most: u64,
    keys: AtomicU64,
    /// Calls with a new key since the last sweep, and how many make the next one due.
    strangers: AtomicU64,
    enough: AtomicU64,
    /// When the last sweep was, in nanoseconds.
    swept: AtomicU64,
    /// 1 while a thread is about to sweep.
    claimed: AtomicU64,
    overflowed: AtomicU64,
}

impl<K: Hash + Eq + Clone> Store<K> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: DashMap::new(),
            rest: AtomicU64::new(0),
            most: most as u64,
            keys: AtomicU64::new(0),
            strangers: AtomicU64::new(0),
            enough: AtomicU64::new(FEWEST_BETWEEN_SWEEPS),
            swept: AtomicU64::new(0),
            claimed: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
        }
    }

    /// Whether it is time to forget the keys out of use. Says so to one caller, who then has to.
    #[inline]
    pub(super) fn is_sweep_due(&self, time: &Time) -> bool {
        let strangers = self.strangers.load(Ordering::Relaxed);
        strangers != 0 && self.is_due(strangers, time)
    }

    fn is_due(&self, strangers: u64, time: &Time) -> bool {
        let full = || self.keys.load(Ordering::Relaxed) >= self.most;
        let rested = || time.now().0.saturating_sub(self.swept.load(Ordering::Relaxed)) >= SECOND;
        (strangers >= self.enough.load(Ordering::Relaxed) || (full() && rested()))
            && self.claimed.swap(1, Ordering::Acquire) == 0
    }

    /// A sweep is over.
    pub(super) fn swept(&self, now: Nanos) {
        self.swept.store(now.0, Ordering::Relaxed);
        let kept = self.keys.load(Ordering::Relaxed);
        self.enough.store(kept.max(FEWEST_BETWEEN_SWEEPS), Ordering::Relaxed);
        self.strangers.store(0, Ordering::Relaxed);
        self.claimed.store(0, Ordering::Release);
    }

    /// Calls so far of keys that had no place of their own.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }
}

/// A store that governor uses and its owner looks at: governor shows nobody the store it was given.
pub(super) struct Shared<K>(Arc<Store<K>>);

impl<K> Shared<K> {
    pub(super) fn new(store: Store<K>) -> Self {
        Self(Arc::new(store))
    }
}

impl<K> Clone for Shared<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Deref for Shared<K> {
    type Target = Store<K>;

    fn deref(&self) -> &Store<K> {
        &self.0
    }
}

impl<K: Hash + Eq + Clone> StateStore for Shared<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Span>) -> Result<(T, Span), E>,
    {
        if let Some(place) = self.places.get(key) {
            return update(&place, decide);
        }
        self.strangers.fetch_add(1, Ordering::Relaxed);
        // Two threads may pass the bound together; it is exceeded by as many as there are threads at most.
        if self.keys.load(Ordering::Relaxed) >= self.most {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            return update(&self.rest, decide);
        }
        let place = self.places.entry(key.clone()).or_insert_with(|| {
            self.keys.fetch_add(1, Ordering::Relaxed);
            AtomicU64::new(0)
        });
        update(&place, decide)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Shared<K> {
    fn retain_recent(&self, drop_below: Span) {
        self.places.retain(|_, place| {
            let keep = place.load(Ordering::Relaxed) > drop_below.as_u64();
            if !keep {
                self.keys.fetch_sub(1, Ordering::Relaxed);
            }
            keep
        });
    }

    fn shrink_to_fit(&self) {
        self.places.shrink_to_fit();
    }

    fn len(&self) -> usize {
        usize::try_from(self.keys.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn update<T, F, E>(place: &AtomicU64, decide: F) -> Result<T, E>
where
    F: Fn(Option<Span>) -> Result<(T, Span), E>,
{
    let mut seen = place.load(Ordering::Acquire);
    loop {
        let (answer, next) = decide((seen != 0).then(|| seen.into()))?;
        match place.compare_exchange_weak(seen, next.into(), Ordering::Release, Ordering::Acquire) {
            Ok(_) => return Ok(answer),
            Err(other) => seen = other,
        }
    }
}
