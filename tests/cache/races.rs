//! A value from before an invalidation is not served after it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use statim::store::cache::{Invalidation, QueryCache, QueryKey};
use statim_servers::Redis;
use tokio::sync::oneshot;

use crate::support::{Database, HOUR, in_memory, on_a_runtime, process, process_with, settle};

/// A load that has read the old row and is not back yet, when the row is changed and its tag invalidated.
async fn overtake(loading: &QueryCache, invalidating: &QueryCache, database: &Database) {
    let (has_read, read) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let slow = async {
        let query = loading.query(QueryKey::new("SELECT row").bind(&0_u64)).tag("row").ttl(HOUR);
        let load = || async {
            let row = database.read().await;
            has_read.send(()).unwrap();
            may_go_on.await.unwrap();
            row
        };
        query.get_or_load(load).await.unwrap()
    };
    let change = async {
        read.await.unwrap();
        database.write(2);
        assert_eq!(invalidating.invalidate("row").await, Invalidation::Complete);
        // Begins after the invalidation, while the old load is still under way.
        let late = database.through(loading);
        let release = async {
            tokio::task::yield_now().await;
            go_on.send(()).unwrap();
        };
        tokio::join!(late, release).0
    };
    let (_, late) = tokio::join!(slow, change);
    assert_eq!(late, 2, "who began after the invalidation got what was loaded before it");
}

#[test]
fn a_load_that_is_overtaken_is_not_served_afterwards() {
    on_a_runtime(async {
        let (cache, database) = (in_memory(), Database::default());
        database.write(1);
        overtake(&cache, &cache, &database).await;
        assert_eq!(database.through(&cache).await, 2);
    });
}

#[test]
fn a_load_that_another_process_overtakes_is_not_served_afterwards() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (loading, invalidating, third) = (process(&redis), process(&redis), process(&redis));
        let database = Database::default();
        database.write(1);
        overtake(&loading, &invalidating, &database).await;
        settle(&loading).await;
        for cache in [&loading, &invalidating, &third] {
            assert_eq!(database.through(cache).await, 2);
        }
    });
}

/// Writers that change the row and invalidate, readers that must never see less than what was invalidated before they
/// began. Threads with runtimes of their own.
fn hammer(caches: &[QueryCache], time: Duration) -> (u64, u64) {
    let (row, invalidated) = (AtomicU64::new(0), AtomicU64::new(0));
    let (over, seen) = (AtomicBool::new(false), AtomicU64::new(0));
    let loads = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for cache in caches {
            for _ in 0..2 {
                scope.spawn(|| {
                    on_a_runtime(async {
                        while !over.load(Ordering::SeqCst) {
                            let at_least = invalidated.load(Ordering::SeqCst);
                            let load = || async {
                                loads.fetch_add(1, Ordering::SeqCst);
                                let value = row.load(Ordering::SeqCst);
                                tokio::task::yield_now().await;
                                Ok::<_, Infallible>(value)
                            };
                            let query = cache.query(QueryKey::new("hammer")).tag("hammer").ttl(HOUR);
                            let value = query.get_or_load(load).await.unwrap();
                            assert!(value >= at_least, "{value} was invalid: {at_least} is known");
                            seen.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                });
            }
        }
        scope.spawn(|| {
            on_a_runtime(async {
                let end = Instant::now() + time;
                for cache in caches.iter().cycle() {
                    if Instant::now() > end {
                        break;
                    }
                    let value = row.fetch_add(1, Ordering::SeqCst) + 1;
                    // Before it is known everywhere nobody may rely on it.
                    if cache.invalidate("hammer").await == Invalidation::Complete {
                        invalidated.fetch_max(value, Ordering::SeqCst);
                    }
                    tokio::time::sleep(Duration::from_micros(value * 37 % 500)).await;
                }
                over.store(true, Ordering::SeqCst);
            });
        });
    });
    (seen.into_inner(), loads.into_inner())
}

#[test]
fn readers_never_see_what_was_invalid_when_they_began() {
    let (seen, loads) = hammer(&[in_memory()], Duration::from_secs(1));
    assert!(
        seen > 1000 && loads * 2 < seen,
        "the cache was not put to the test: {seen} queries, {loads} loads"
    );
}

#[test]
fn nor_do_they_across_processes() {
    let redis = Redis::start().unwrap();
    let caches = [process(&redis), process(&redis)];
    let (seen, loads) = hammer(&caches, Duration::from_secs(2));
    assert!(seen > 500 && loads < seen, "the cache was not put to the test: {seen} queries, {loads} loads");
}

#[test]
fn trust_has_an_end() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let trust = Duration::from_millis(200);
        let (here, there) = (process_with(&redis, |options| options.trust = trust), process(&redis));
        let database = Database::default();
        database.write(1);
        database.through(&here).await;
        database.write(2);
        assert_eq!(there.invalidate("row").await, Invalidation::Complete);
        let invalidated = Instant::now();
        while database.through(&here).await == 1 {
            assert!(invalidated.elapsed() < trust + Duration::from_secs(2), "trusted for ever");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // This process's own invalidations need no trust.
        database.write(3);
        assert_eq!(here.invalidate("row").await, Invalidation::Complete);
        assert_eq!(database.through(&here).await, 3);
    });
}
