//! A rate limit for each key.

use std::fmt;
use std::hash::Hash;

use governor::middleware::NoOpMiddleware;
use serde::{Deserialize, Serialize};

use super::RateLimited;
use super::options::KeyedRateLimitOptions;
use super::reading::{Reading, Watch};
use super::store::{Shared, Store};
use crate::resilience::event::{Decision, Environment, Hook};
use crate::resilience::fault::InvalidOptions;
use crate::sync::{Arc, AtomicU64, Ordering};

/// Limits the rate of calls for each key by itself. Cloning is cheap; clones are the same limiter.
///
/// A key that has not been used for as long as its burst takes to fill is like one never seen, and is forgotten: once
/// as many calls brought a new key as keys were left by the last sweep, and at least 1,024. So memory follows the keys
/// in use and not the keys ever seen. The call that sweeps looks at every key, and is longer by that.
///
/// Beyond the most keys it may remember, new keys share one limit among them: an attacker who makes up keys is limited,
/// and harms only others that are new.
///
/// Keys appear in no event, no snapshot and no error.
pub struct KeyedRateLimiter<K: Hash + Eq + Clone> {
    inner: Arc<Inner<K>>,
}

struct Inner<K: Hash + Eq + Clone> {
    governor: governor::RateLimiter<K, Shared<K>, Watch, NoOpMiddleware<Reading>>,
    store: Shared<K>,
    granted: AtomicU64,
    refused: AtomicU64,
    hook: Hook,
}

/// A keyed rate limiter at a moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedRateLimitSnapshot {
    /// The name it was given.
    pub name: String,
    /// Calls that passed.
    pub granted: u64,
    /// Calls refused.
    pub refused: u64,
    /// Keys remembered now.
    pub keys: usize,
    /// Calls of keys that shared a limit, because no more keys could be remembered.
    pub overflowed: u64,
}

impl<K: Hash + Eq + Clone> KeyedRateLimiter<K> {
    /// A limiter that has seen no key.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &KeyedRateLimitOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        options.validate()?;
        let hook = Hook::new(name, environment);
        let store = Shared::new(Store::new(options.max_keys));
        let governor =
            governor::RateLimiter::new(options.rate.quota(), store.clone(), Watch(hook.time().clone()));
        let (granted, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { governor, store, granted, refused, hook }) })
    }

    /// Takes a permit of this key if there is one now.
    ///
    /// # Errors
    ///
    /// There is none now.
    pub fn check(&self, key: &K) -> Result<(), RateLimited> {
        let Inner { governor, store, granted, refused, hook } = &*self.inner;
        let answer = governor.check_key(key);
        if store.is_sweep_due(hook.time()) {
            self.shrink();
        }
        match answer {
            Ok(()) => {
                granted.fetch_add(1, Ordering::Relaxed);
                hook.emit(Decision::RateGranted { waited: false });
                Ok(())
            }
            Err(not_until) => {
                let retry_after = not_until.wait_time_from(governor.clock().read());
                refused.fetch_add(1, Ordering::Relaxed);
                hook.emit(Decision::RateLimited { retry_after });
                Err(RateLimited { retry_after })
            }
        }
    }

    /// Forgets the keys out of use and gives their memory back. Calls do this by themselves; an idle limiter keeps what
    /// it has (bounded by its options) until this is called.
    pub fn shrink(&self) {
        let Inner { governor, store, hook, .. } = &*self.inner;
        governor.retain_recent();
        governor.shrink_to_fit();
        store.swept(hook.now());
    }

    /// Keys remembered now.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.inner.governor.len()
    }

    /// Its counters.
    #[must_use]
    pub fn snapshot(&self) -> KeyedRateLimitSnapshot {
        let Inner { store, granted, refused, hook, .. } = &*self.inner;
        KeyedRateLimitSnapshot {
            name: hook.name().to_owned(),
            granted: granted.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            keys: self.keys(),
            overflowed: store.overflowed(),
        }
    }
}

impl<K: Hash + Eq + Clone> Clone for KeyedRateLimiter<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for KeyedRateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRateLimiter").field("name", &self.inner.hook.name()).finish_non_exhaustive()
    }
}
