//! Rate limits: so many calls in so much time, for all callers together or for each key.
//!
//! The algorithm is governor's GCRA: a permit a time, evenly spread, with a burst after a rest. Around it: our clock, a
//! queue (governor's waiters race each other), and a bound on the keys that are remembered.

mod keyed;
mod options;
mod reading;
mod store;

use std::fmt;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

use self::reading::{Reading, Watch};
use super::event::{Decision, Environment, Hook};
use super::fault::InvalidOptions;
use crate::sync::{Arc, AtomicU64, Ordering};

pub use self::keyed::{KeyedRateLimitSnapshot, KeyedRateLimiter};
pub use self::options::{KeyedRateLimitOptions, RateLimitOptions};

/// The rate limit refused the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the rate limit is reached")]
#[non_exhaustive]
pub struct RateLimited {
    /// When there may be room, from now.
    pub retry_after: Duration,
}

/// Limits the rate of calls. Cloning is cheap; clones are the same limiter.
///
/// ```
/// use statim::resilience::{Environment, RateLimitOptions, RateLimiter};
///
/// let limiter = RateLimiter::new("pharmacy", &RateLimitOptions::per_second(2), &Environment::default())?;
/// assert!(limiter.check().is_ok() && limiter.check().is_ok());
/// let refused = limiter.check().unwrap_err();
/// assert!(refused.retry_after.as_millis() <= 500);
/// # Ok::<(), statim::resilience::InvalidOptions>(())
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    inner: Arc<Inner>,
}

type Governor = governor::RateLimiter<NotKeyed, InMemoryState, Watch, NoOpMiddleware<Reading>>;

struct Inner {
    governor: Governor,
    interval: Duration,
    max_wait: Duration,
    /// Held by the waiter whose turn is next; the others queue for it in order.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU64,
    granted: AtomicU64,
    granted_late: AtomicU64,
    refused: AtomicU64,
    hook: Hook,
}

/// A rate limiter at a moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimitSnapshot {
    /// The name it was given.
    pub name: String,
    /// Calls that passed.
    pub granted: u64,
    /// Calls, of these, that waited for their turn.
    pub waited: u64,
    /// Calls refused.
    pub refused: u64,
    /// Calls waiting now.
    pub waiting: u64,
}

impl RateLimiter {
    /// A limiter with a whole burst to spend.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &RateLimitOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        options.validate()?;
        let hook = Hook::new(name, environment);
        Ok(Self {
            inner: Arc::new(Inner {
                governor: Governor::direct_with_clock(options.quota(), Watch(hook.time().clone())),
                interval: options.interval(),
                max_wait: options.max_wait,
                turn: tokio::sync::Mutex::new(()),
                waiting: AtomicU64::new(0),
                granted: AtomicU64::new(0),
                granted_late: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                hook,
            }),
        })
    }

    /// Takes a permit if there is one now, also before those who wait.
    ///
    /// # Errors
    ///
    /// There is none now.
    #[inline]
    pub fn check(&self) -> Result<(), RateLimited> {
        match self.inner.try_take() {
            Ok(()) => {
                self.inner.grant(false);
                Ok(())
            }
            Err(retry_after) => Err(self.inner.refuse(retry_after)),
        }
    }

    /// Takes a permit, and waits for it up to the longest wait of its options. Waiters are served in order. A wait that
    /// cannot end in time is not begun.
    ///
    /// # Errors
    ///
    /// There is none in time.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a waiter that is dropped has taken nothing.
    pub async fn acquire(&self) -> Result<(), RateLimited> {
        let inner = &*self.inner;
        if inner.max_wait.is_zero() {
            return self.check();
        }
        if inner.waiting.load(Ordering::Relaxed) == 0 {
            match inner.try_take() {
                Ok(()) => {
                    inner.grant(false);
                    return Ok(());
                }
                Err(retry_after) if retry_after > inner.max_wait => return Err(inner.refuse(retry_after)),
                Err(_) => {}
            }
        }
        match inner.wait().await {
            Ok(()) => {
                inner.grant(true);
                Ok(())
            }
            Err(retry_after) => Err(inner.refuse(retry_after)),
        }
    }

    pub(in crate::resilience) fn may_wait(&self) -> bool {
        !self.inner.max_wait.is_zero()
    }

    /// Its counters.
    #[must_use]
    pub fn snapshot(&self) -> RateLimitSnapshot {
        let Inner { hook, granted, granted_late, refused, waiting, .. } = &*self.inner;
        let [granted, waited, refused, waiting] =
            [granted, granted_late, refused, waiting].map(|count| count.load(Ordering::Relaxed));
        let name = hook.name().to_owned();
        RateLimitSnapshot { name, granted: granted + waited, waited, refused, waiting }
    }
}

impl Inner {
    /// A permit, or the time until there may be one.
    #[inline]
    fn try_take(&self) -> Result<(), Duration> {
        // The rest of the time is measured from after the decision, so it may be zero.
        self.governor.check().map_err(|until| until.wait_time_from(self.governor.clock().read()))
    }

    async fn wait(&self) -> Result<(), Duration> {
        let deadline = Instant::now() + self.max_wait;
        let place = Waiting::join(&self.waiting);
        // Those ahead take a permit each first.
        let ahead = self.interval.saturating_mul(u32::try_from(place.ahead).unwrap_or(u32::MAX));
        if ahead > self.max_wait {
            return Err(ahead);
        }
        let Ok(_turn) = timeout_at(deadline, self.turn.lock()).await else {
            return Err(self.interval);
        };
        loop {
            match self.try_take() {
                Ok(()) => return Ok(()),
                Err(rest) if Instant::now() + rest > deadline => return Err(rest),
                // Tokio's timers tick in milliseconds; a shorter rest would only be tried for nothing.
                Err(rest) => sleep(rest.max(Duration::from_micros(100))).await,
            }
        }
    }

    #[inline]
    fn grant(&self, waited: bool) {
        if waited { &self.granted_late } else { &self.granted }.fetch_add(1, Ordering::Relaxed);
        self.hook.emit(Decision::RateGranted { waited });
    }

    #[cold]
    fn refuse(&self, retry_after: Duration) -> RateLimited {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.hook.emit(Decision::RateLimited { retry_after });
        RateLimited { retry_after }
    }
}

/// A place among the waiters, given up when dropped.
struct Waiting<'a> {
    count: &'a AtomicU64,
    ahead: u64,
}

impl<'a> Waiting<'a> {
    fn join(count: &'a AtomicU64) -> Self {
        Self { count, ahead: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("name", &self.inner.hook.name()).finish_non_exhaustive()
    }
}
