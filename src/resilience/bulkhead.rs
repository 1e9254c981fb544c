//! The bulkhead: so many calls at a time, so that one slow callee cannot take every caller with it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::event::{Decision, Environment, Hook};
use super::fault::{Checks, HOUR, InvalidOptions};
use super::seconds;
use crate::sync::{Arc, AtomicU64, Ordering};

/// The options of a [`Bulkhead`]. The defaults are those of resilience4j.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BulkheadOptions {
    /// Calls at a time; 1 to 1,000,000. Default: 25.
    pub max_concurrent: u32,
    /// How long a call may wait for a place, up to an hour; zero refuses at once. Default: zero.
    #[serde(rename = "max_wait_seconds", with = "seconds")]
    pub max_wait: Duration,
}

impl Default for BulkheadOptions {
    fn default() -> Self {
        Self { max_concurrent: 25, max_wait: Duration::ZERO }
    }
}

impl BulkheadOptions {
    /// So many calls at a time; one more is refused at once.
    #[must_use]
    pub fn max_concurrent(calls: u32) -> Self {
        Self { max_concurrent: calls, ..Self::default() }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| self.check(checks))
    }

    pub(super) fn check(&self, checks: &mut Checks) {
        checks.number("max_concurrent", self.max_concurrent, 1..=1_000_000);
        checks.seconds("max_wait_seconds", self.max_wait, Duration::ZERO..=HOUR);
    }
}

/// The bulkhead refused the call: all its places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bulkhead is full")]
#[non_exhaustive]
pub struct BulkheadFull;

/// Limits the calls under way at a time. Cloning is cheap; clones are the same bulkhead.
#[derive(Clone)]
pub struct Bulkhead {
    inner: Arc<Inner>,
}

struct Inner {
    places: Arc<Semaphore>,
    options: BulkheadOptions,
    entered: AtomicU64,
    entered_late: AtomicU64,
    refused: AtomicU64,
    hook: Hook,
}

/// A place in a bulkhead, given back when dropped.
#[derive(Debug)]
#[must_use = "dropping it gives the place back"]
pub struct Place<'a> {
    _permit: SemaphorePermit<'a>,
}

/// A [`Place`] that keeps its bulkhead alive.
#[derive(Debug)]
#[must_use = "dropping it gives the place back"]
pub struct OwnedPlace {
    _permit: OwnedSemaphorePermit,
}

/// A bulkhead at a moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkheadSnapshot {
    /// The name it was given.
    pub name: String,
    /// Calls under way now.
    pub in_use: usize,
    /// Calls that can be under way at a time.
    pub capacity: usize,
    /// Calls that entered.
    pub entered: u64,
    /// Calls, of these, that waited for a place.
    pub waited: u64,
    /// Calls refused.
    pub refused: u64,
}

impl Bulkhead {
    /// An empty bulkhead.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &BulkheadOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        options.validate()?;
        Ok(Self {
            inner: Arc::new(Inner {
                places: Arc::new(Semaphore::new(options.max_concurrent as usize)),
                options: *options,
                entered: AtomicU64::new(0),
                entered_late: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                hook: Hook::new(name, environment),
            }),
        })
    }

    /// Takes a place if there is one now.
    ///
    /// # Errors
    ///
    /// There is none now.
    #[inline]
    pub fn try_enter(&self) -> Result<Place<'_>, BulkheadFull> {
        match self.inner.places.try_acquire() {
            Ok(_permit) => {
                self.inner.enter(false);
                Ok(Place { _permit })
            }
            Err(_) => Err(self.inner.refuse()),
        }
    }

    /// Takes a place that may outlive this reference, if there is one now.
    ///
    /// # Errors
    ///
    /// There is none now.
    pub fn try_enter_owned(&self) -> Result<OwnedPlace, BulkheadFull> {
        match Arc::clone(&self.inner.places).try_acquire_owned() {
            Ok(_permit) => {
                self.inner.enter(false);
                Ok(OwnedPlace { _permit })
            }
            Err(_) => Err(self.inner.refuse()),
        }
    }

    /// Takes a place, and waits for it up to the longest wait of its options. Waiters are served in order.
    ///
    /// # Errors
    ///
    /// There is none in time.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a waiter that is dropped has taken nothing, and loses its turn.
    pub async fn enter(&self) -> Result<Place<'_>, BulkheadFull> {
        let inner = &*self.inner;
        if let Ok(_permit) = inner.places.try_acquire() {
            inner.enter(false);
            return Ok(Place { _permit });
        }
        if inner.options.max_wait.is_zero() {
            return Err(inner.refuse());
        }
        match tokio::time::timeout(inner.options.max_wait, inner.places.acquire()).await {
            Ok(Ok(_permit)) => {
                inner.enter(true);
                Ok(Place { _permit })
            }
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(inner.refuse()),
        }
    }

    /// [`enter`](Self::enter) for a place that may outlive this reference.
    ///
    /// # Errors
    ///
    /// There is none in time.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a waiter that is dropped has taken nothing, and loses its turn.
    pub async fn enter_owned(&self) -> Result<OwnedPlace, BulkheadFull> {
        let inner = &*self.inner;
        if let Ok(_permit) = Arc::clone(&inner.places).try_acquire_owned() {
            inner.enter(false);
            return Ok(OwnedPlace { _permit });
        }
        if inner.options.max_wait.is_zero() {
            return Err(inner.refuse());
        }
        let place = Arc::clone(&inner.places).acquire_owned();
        match tokio::time::timeout(inner.options.max_wait, place).await {
            Ok(Ok(_permit)) => {
                inner.enter(true);
                Ok(OwnedPlace { _permit })
            }
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(inner.refuse()),
        }
    }

    pub(super) fn may_wait(&self) -> bool {
        !self.inner.options.max_wait.is_zero()
    }

    /// Its counters.
    #[must_use]
    pub fn snapshot(&self) -> BulkheadSnapshot {
        let Inner { places, options, entered, entered_late, refused, hook } = &*self.inner;
        let [entered, waited, refused] =
            [entered, entered_late, refused].map(|count| count.load(Ordering::Relaxed));
        let capacity = options.max_concurrent as usize;
        BulkheadSnapshot {
            name: hook.name().to_owned(),
            in_use: capacity.saturating_sub(places.available_permits()),
            capacity,
            entered: entered + waited,
            waited,
            refused,
        }
    }
}

impl Inner {
    #[inline]
    fn enter(&self, waited: bool) {
        if waited { &self.entered_late } else { &self.entered }.fetch_add(1, Ordering::Relaxed);
        self.hook.emit(Decision::BulkheadEntered { waited });
    }

    #[cold]
    fn refuse(&self) -> BulkheadFull {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.hook.emit(Decision::BulkheadFull);
        BulkheadFull
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead").field("name", &self.inner.hook.name()).finish_non_exhaustive()
    }
}
