//! Two processes and one Redis.

use std::convert::Infallible;
use std::time::Duration;

use redis::AsyncCommands;
use statim::store::cache::{CacheOptions, Invalidation, QueryCache, QueryKey, RedisOptions};
use statim_servers::Redis;

use crate::support::{Database, HOUR, on_a_runtime, process, process_with, settle, until};

#[test]
fn what_one_process_loaded_another_is_served() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (process(&redis), process(&redis), Database::default());
        database.write(7);
        assert_eq!(database.through(&here).await, 7);
        settle(&here).await;
        assert_eq!(database.through(&there).await, 7);
        assert_eq!(database.through(&there).await, 7);
        assert_eq!(database.reads(), 1);
        let snapshot = there.snapshot();
        let redis = snapshot.redis.unwrap();
        assert_eq!((redis.values.hits, redis.values.misses, redis.confirmed), (1, 0, 1), "{redis:?}");
        assert_eq!((snapshot.memory.hits, snapshot.memory.misses, snapshot.hit_rate), (1, 1, 1.0));
    });
}

#[test]
fn what_one_process_invalidates_no_other_serves() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (process(&redis), process(&redis), Database::default());
        database.write(1);
        assert_eq!((database.through(&here).await, database.through(&there).await), (1, 1));
        settle(&here).await;
        database.write(2);
        assert_eq!(here.invalidate("row").await, Invalidation::Complete);
        assert_eq!((database.through(&there).await, database.through(&here).await), (2, 2));
        settle(&there).await;
        database.write(3);
        assert_eq!(there.invalidate_everything().await, Invalidation::Complete);
        assert_eq!((database.through(&here).await, database.through(&there).await), (3, 3));
        assert!(there.snapshot().redis.unwrap().stale >= 1);
    });
}

#[test]
fn redis_forgets_when_the_time_is_over() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (process(&redis), process(&redis), Database::default());
        let read = async |cache: &QueryCache| {
            let query = cache.query(QueryKey::new("short")).ttl(Duration::from_secs(2));
            query.get_or_load(|| database.read()).await.unwrap()
        };
        read(&here).await;
        settle(&here).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        read(&there).await;
        assert_eq!(database.reads(), 1);
        // Also in the memory of the one that has it from Redis: it did not begin to live there.
        tokio::time::sleep(Duration::from_millis(1600)).await;
        read(&there).await;
        assert_eq!(database.reads(), 2);
    });
}

#[test]
fn a_generation_that_redis_lost_makes_misses() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (process(&redis), process(&redis), Database::default());
        database.through(&here).await;
        settle(&here).await;
        let mut plain = connect(&redis).await;
        let tags: Vec<String> = plain.keys("statim:t1:*").await.unwrap();
        assert_eq!(tags.len(), 2, "the tag, and the one that everything has");
        for tag in &tags {
            let () = plain.del(tag).await.unwrap();
        }
        database.write(9);
        assert_eq!((database.through(&there).await, database.through(&here).await), (9, 9));
        let renewed: Vec<String> = plain.keys("statim:t1:*").await.unwrap();
        assert_eq!(renewed.len(), 2);
    });
}

#[test]
fn no_name_is_in_redis() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let cache = process(&redis);
        let query =
            cache.query(QueryKey::new("SELECT * FROM consents WHERE patient = ?").bind("Jane-Roe-4711"));
        let query = query.tag("patient:Jane-Roe-4711");
        query.get_or_load(|| async { Ok::<_, Infallible>(true) }).await.unwrap();
        settle(&cache).await;
        let keys: Vec<String> = connect(&redis).await.keys("*").await.unwrap();
        assert_eq!(keys.len(), 3);
        for key in keys {
            let (prefix, print) = key.rsplit_once(':').unwrap();
            assert!(matches!(prefix, "statim:v1" | "statim:t1"), "{key}");
            assert!(print.len() == 32 && print.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
        }
    });
}

#[test]
fn another_secret_or_namespace_is_another_cache() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let database = Database::default();
        let open = |secret, namespace: &str| {
            let options = RedisOptions {
                namespace: namespace.into(),
                timeout: Duration::from_secs(5),
                ..RedisOptions::new(redis.url())
            };
            QueryCache::open(CacheOptions { secret, redis: Some(options), ..CacheOptions::default() })
                .unwrap()
        };
        for (cache, reads) in [
            (open(None, "a"), 1),
            (open(None, "a"), 1),
            (open(None, "b"), 2),
            (open(Some([7; 16]), "a"), 3),
            (open(Some([7; 16]), "a"), 3),
        ] {
            database.through(&cache).await;
            settle(&cache).await;
            assert_eq!(database.reads(), reads);
        }
    });
}

#[test]
fn a_runtime_that_ended_takes_nothing_with_it() {
    let redis = Redis::start().unwrap();
    let (cache, database) = (process(&redis), Database::default());
    on_a_runtime(async {
        database.through(&cache).await;
        settle(&cache).await;
    });
    // The runtime on which the connection was first used is gone.
    let other = process(&redis);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            on_a_runtime(async {
                assert_eq!(database.through_as(&cache, 1).await, 0);
                assert_eq!(database.through(&other).await, 0);
                assert_eq!(cache.invalidate("row").await, Invalidation::Complete);
                settle(&cache).await;
                let redis = cache.snapshot().redis.unwrap();
                assert_eq!((redis.errors, redis.timeouts), (0, 0), "{redis:?}");
            });
        });
    });
    assert_eq!(database.reads(), 2);
}

#[test]
fn a_busy_runtime_does_not_hold_up_another() {
    let redis = Redis::start().unwrap();
    let (cache, database) = (process(&redis), Database::default());
    std::thread::scope(|scope| {
        let (connected, first_has_connected) = std::sync::mpsc::channel();
        let (done, second_is_done) = std::sync::mpsc::channel::<()>();
        let (cache, database) = (&cache, &database);
        scope.spawn(move || {
            on_a_runtime(async {
                database.through(cache).await;
                connected.send(()).unwrap();
                // An agent that computes: its runtime polls nothing.
                second_is_done.recv_timeout(Duration::from_secs(60)).unwrap();
            });
        });
        first_has_connected.recv().unwrap();
        on_a_runtime(async {
            for key in 1..20 {
                database.through_as(cache, key).await;
            }
            settle(cache).await;
            let redis = cache.snapshot().redis.unwrap();
            assert_eq!((redis.values.misses, redis.timeouts), (20, 0), "{redis:?}");
        });
        done.send(()).unwrap();
    });
}

#[test]
fn a_cache_that_is_dropped_closes_its_connection() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let clients = async || {
            let list: String =
                redis::cmd("CLIENT").arg("LIST").query_async(&mut connect(&redis).await).await.unwrap();
            list.lines().count()
        };
        let cache = process_with(&redis, |options| options.trust = HOUR);
        Database::default().through(&cache).await;
        settle(&cache).await;
        until("the cache is connected", async || clients().await == 2).await;
        drop(cache);
        until("its connection is closed", async || clients().await == 1).await;
    });
}

pub(crate) async fn connect(redis: &Redis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(redis.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}
