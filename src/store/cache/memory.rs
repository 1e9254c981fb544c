//! The first layer: this process's memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::notification::RemovalCause;

use super::entry::Entry;
use super::key::Print;
use super::stats::Stats;

/// Entries by fingerprint, within a bound of bytes. It does not judge them: expired and invalid ones may still be in
/// it.
pub(super) struct Memory {
    entries: Cache<Print, Arc<Entry>>,
}

impl Memory {
    pub(super) fn new(bytes: u64, stats: &Arc<Stats>) -> Self {
        let stats = Arc::clone(stats);
        let entries = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, entry: &Arc<Entry>| entry.weight())
            .expire_after(TimeToLive)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    stats.evictions.add(1);
                }
            })
            .build();
        Self { entries }
    }

    pub(super) async fn get(&self, name: Print) -> Option<Arc<Entry>> {
        self.entries.get(&name).await
    }

    pub(super) async fn insert(&self, name: Print, entry: Arc<Entry>) {
        self.entries.insert(name, entry).await;
        // moka would leave its bound to later; with large results that would be a multiple of it.
        self.entries.run_pending_tasks().await;
    }

    /// Entries and bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }
}

/// Lets moka clear away what is too old, in real time. Whether an entry may be served is judged elsewhere, by the
/// cache's clock.
struct TimeToLive;

impl Expiry<Print, Arc<Entry>> for TimeToLive {
    fn expire_after_create(&self, _: &Print, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Print,
        entry: &Arc<Entry>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}
