//! What the tests have in common.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use statim::store::cache::{CacheOptions, QueryCache, QueryKey, RedisOptions};
use statim_servers::Redis;

/// A database with one row, that counts how often it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Database {
    row: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl Database {
    pub(crate) fn write(&self, value: u64) {
        self.row.store(value, Ordering::SeqCst);
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) async fn read(&self) -> Result<u64, Infallible> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.row.load(Ordering::SeqCst))
    }

    /// The row through a cache, under the tag "row", for an hour.
    pub(crate) async fn through(&self, cache: &QueryCache) -> u64 {
        self.through_as(cache, 0).await
    }

    /// The same for one of many keys.
    pub(crate) async fn through_as(&self, cache: &QueryCache, key: u64) -> u64 {
        let query = cache.query(QueryKey::new("SELECT row").bind(&key)).tag("row").ttl(HOUR);
        query.get_or_load(|| self.read()).await.unwrap()
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn in_memory() -> QueryCache {
    QueryCache::open(CacheOptions::default()).unwrap()
}

/// A cache as another process would have it: a memory of its own, and this Redis. A machine busy compiling answers
/// late, so it is patient.
pub(crate) fn process(redis: &Redis) -> QueryCache {
    process_with(redis, |_| ())
}

pub(crate) fn process_with(redis: &Redis, change: impl FnOnce(&mut RedisOptions)) -> QueryCache {
    let mut options = RedisOptions::new(redis.url());
    options.timeout = Duration::from_secs(5);
    change(&mut options);
    QueryCache::open(CacheOptions { redis: Some(options), ..CacheOptions::default() }).unwrap()
}

/// Runs a test on a runtime like an agent's: one thread.
pub(crate) fn on_a_runtime<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(std::time::Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn settle(cache: &QueryCache) {
    assert!(cache.settle(Duration::from_secs(30)).await, "{:?}", cache.snapshot());
}
