//! A result, and what it depends on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::codec::Generation;
use super::tags::Captured;
use crate::clock::{Nanos, nanos};

/// What an entry takes in memory besides its payload, roughly: itself, moka's bookkeeping, and for each tag its
/// generations here and in Redis.
const OVERHEAD_BYTES: usize = 256;
const OVERHEAD_BYTES_A_TAG: usize = 24;

/// A result as bytes, with the generations its tags had before it was loaded.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) payload: Arc<[u8]>,
    /// In this process.
    pub(super) captured: Captured,
    /// In Redis; `None` if it was not asked or did not answer.
    pub(super) remote: Option<Box<[Generation]>>,
    /// When it was loaded at the earliest, or read from Redis …
    pub(super) since: Nanos,
    /// … and how long from then it may be served.
    pub(super) ttl: Duration,
    /// When it was last known that Redis has the same generations.
    confirmed: AtomicU64,
    /// The number of the last question to Redis about it, answered or not.
    asked: AtomicU64,
}

impl Entry {
    pub(super) fn new(
        payload: Arc<[u8]>,
        captured: Captured,
        remote: Option<Box<[Generation]>>,
        (since, asked): (Nanos, u64),
        ttl: Duration,
    ) -> Self {
        Self { payload, captured, remote, since, ttl, confirmed: since.0.into(), asked: asked.into() }
    }

    /// Whether this process knows of nothing against it.
    pub(super) fn is_valid(&self, now: Nanos) -> bool {
        now < self.since.after(self.ttl) && self.captured.is_current()
    }

    /// Redis was asked about it after the query with this number had begun.
    pub(super) fn was_asked_after(&self, start: u64) -> bool {
        self.asked.load(Ordering::SeqCst) > start
    }

    /// Redis confirmed it no longer ago than this.
    pub(super) fn was_confirmed_within(&self, trust: Duration, now: Nanos) -> bool {
        !trust.is_zero()
            && self.remote.is_some()
            && now.since(Nanos(self.confirmed.load(Ordering::SeqCst))) <= nanos(trust)
    }

    /// It was loaded, or confirmed, no longer ago than this.
    pub(super) fn is_younger_than(&self, age: Duration, now: Nanos) -> bool {
        !age.is_zero() && now.since(Nanos(self.confirmed.load(Ordering::SeqCst))) <= nanos(age)
    }

    /// Redis, asked at this moment by this number, has the same generations.
    pub(super) fn confirm(&self, (at, number): (Nanos, u64)) {
        self.confirmed.fetch_max(at.0, Ordering::SeqCst);
        self.asked.fetch_max(number, Ordering::SeqCst);
    }

    /// Redis was asked by this number and did not answer.
    pub(super) fn asked_in_vain(&self, number: u64) {
        self.asked.fetch_max(number, Ordering::SeqCst);
    }

    pub(super) fn weight(&self) -> u32 {
        let bytes = OVERHEAD_BYTES + self.payload.len() + self.captured.count() * OVERHEAD_BYTES_A_TAG;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}
