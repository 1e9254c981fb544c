//! A Redis that dies, comes back, or hangs: every query is answered, in a bounded time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use statim::resilience::{Backoff, BreakerState, Jitter};
use statim::store::cache::{CacheOptions, Invalidation, QueryCache, RedisOptions};
use statim_servers::Redis;

use crate::support::{Database, on_a_runtime, process, process_with, settle, until};

/// How long a question may take in these tests …
const TIMEOUT: Duration = Duration::from_millis(200);
/// … and a query: four questions (two of its own, two of the one that it waits for), and as much again and a second
/// for a machine that is busy compiling.
const BOUND: Duration = Duration::from_millis(8 * 200 + 1000);

fn impatient(redis: &Redis) -> QueryCache {
    process_with(redis, |options| {
        options.timeout = TIMEOUT;
        options.breaker.open = Backoff::constant(Duration::from_millis(200)).jitter(Jitter::None);
    })
}

/// Queries of four threads, some of them for the same keys, while something happens to Redis. Returns how many there
/// were and how long the longest took.
fn under_load(cache: &QueryCache, happen: impl FnOnce()) -> (u64, Duration) {
    let database = Database::default();
    let (over, queries, longest) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (over, queries, longest, database) = (&over, &queries, &longest, &database);
            scope.spawn(move || {
                on_a_runtime(async {
                    let mut key = thread;
                    while !over.load(Ordering::SeqCst) {
                        key += 1;
                        let begun = Instant::now();
                        assert_eq!(database.through_as(cache, key % 300).await, 0);
                        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap();
                        longest.fetch_max(took, Ordering::SeqCst);
                        queries.fetch_add(1, Ordering::SeqCst);
                    }
                });
            });
        }
        // Also when it panics, or the threads would go on for ever.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let _over = Over(&over);
        happen();
    });
    (queries.into_inner(), Duration::from_nanos(longest.into_inner()))
}

fn pause() {
    std::thread::sleep(Duration::from_millis(700));
}

fn until_it_trips(cache: &QueryCache) {
    on_a_runtime(until("the breaker opens", async || {
        cache.snapshot().redis.unwrap().breaker.transitions.opened > 0
    }));
}

/// How many queries Redis has answered.
fn answered(cache: &QueryCache) -> u64 {
    let redis = cache.snapshot().redis.unwrap();
    redis.values.hits + redis.values.misses + redis.confirmed
}

#[test]
fn killed_and_started_again_under_load_it_costs_no_query() {
    let mut redis = Redis::start().unwrap();
    let cache = impatient(&redis);
    let (queries, longest) = under_load(&cache, || {
        pause();
        redis.kill().unwrap();
        until_it_trips(&cache);
        pause();
        let during = cache.snapshot().redis.unwrap();
        assert!(during.errors > 0, "{during:?}");
        redis.start_again().unwrap();
        let before = answered(&cache);
        on_a_runtime(until("Redis is used again", async || answered(&cache) > before + 100));
    });
    println!("killed: {queries} queries, the longest {longest:?}");
    assert!(queries > 1000 && longest < BOUND, "{queries} queries, the longest took {longest:?}");
}

#[test]
fn hung_under_load_it_costs_no_query_and_a_bounded_delay() {
    let redis = Redis::start().unwrap();
    let cache = impatient(&redis);
    let (queries, longest) = under_load(&cache, || {
        pause();
        redis.pause().unwrap();
        until_it_trips(&cache);
        pause();
        let during = cache.snapshot().redis.unwrap();
        assert!(during.refused > during.timeouts, "the breaker spares most queries the wait: {during:?}");
        redis.resume().unwrap();
        let before = answered(&cache);
        on_a_runtime(until("Redis is used again", async || answered(&cache) > before + 100));
    });
    println!("hung: {queries} queries, the longest {longest:?}");
    assert!(longest >= TIMEOUT - Duration::from_millis(1), "nobody waited, so nothing hung");
    assert!(queries > 1000 && longest < BOUND, "{queries} queries, the longest took {longest:?}");
}

#[test]
fn never_there_it_costs_hits_only() {
    let mut redis = Redis::start().unwrap();
    redis.kill().unwrap();
    on_a_runtime(async {
        let (cache, database) = (impatient(&redis), Database::default());
        for key in 0..50 {
            assert_eq!(database.through_as(&cache, key).await, 0);
        }
        let redis = cache.snapshot().redis.unwrap();
        assert_eq!(redis.breaker.state, BreakerState::Open);
        assert!((5..50).contains(&redis.errors) && redis.refused > 0, "{redis:?}");
    });
}

#[test]
fn while_it_is_away_memory_is_trusted_for_a_moment() {
    let mut redis = Redis::start().unwrap();
    on_a_runtime(async {
        let moment = Duration::from_secs(2);
        let cache = process_with(&redis, |options| options.trust_unreachable = moment);
        let distrustful = process_with(&redis, |options| options.trust_unreachable = Duration::ZERO);
        let (database, its) = (Database::default(), Database::default());
        database.through(&cache).await;
        its.through_as(&distrustful, 1).await;
        redis.kill().unwrap();
        let killed = Instant::now();
        for _ in 0..20 {
            database.through(&cache).await;
            its.through_as(&distrustful, 1).await;
        }
        assert!(killed.elapsed() > moment / 2 || database.reads() == 1, "{} reads", database.reads());
        assert_eq!(its.reads(), 21);
        until("what is older is loaded again", async || {
            database.through(&cache).await;
            database.reads() > 1
        })
        .await;
        assert!(killed.elapsed() > moment / 2);
    });
}

#[test]
fn an_invalidation_that_redis_cannot_hear_holds_here_at_once_and_there_when_it_is_back() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (impatient(&redis), process(&redis), Database::default());
        database.write(1);
        assert_eq!((database.through(&there).await, database.through(&here).await), (1, 1));
        settle(&there).await;
        redis.pause().unwrap();
        // Until it is not even asked: what it was asked it would do when it goes on.
        for key in 1.. {
            let begun = Instant::now();
            database.through_as(&here, key).await;
            assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
            if here.snapshot().redis.unwrap().breaker.state == BreakerState::Open {
                break;
            }
        }
        database.write(2);
        assert_eq!(here.invalidate("row").await, Invalidation::HereOnly);
        assert_eq!(here.snapshot().redis.unwrap().undelivered_invalidations, 1);
        assert_eq!(database.through(&here).await, 2);
        redis.resume().unwrap();
        // Redis still has the old value under the old generation. Who knows better must not be served it, not even if
        // his question is the first that Redis answers again.
        until("Redis knows", async || {
            assert_eq!(database.through(&here).await, 2);
            here.snapshot().redis.unwrap().undelivered_invalidations == 0
        })
        .await;
        settle(&here).await;
        assert_eq!((database.through(&here).await, database.through(&there).await), (2, 2));
    });
}

#[test]
fn invalidations_without_end_while_it_is_away_become_one_of_everything() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (here, there, database) = (impatient(&redis), process(&redis), Database::default());
        database.write(1);
        assert_eq!((database.through(&there).await, database.through(&here).await), (1, 1));
        redis.pause().unwrap();
        let tags: Vec<String> = (0..15_000).map(|number| format!("study:{number}")).collect();
        for tags in tags.chunks(1000) {
            let _ = here.invalidate_all_of(tags.iter().map(String::as_str)).await;
        }
        let waiting = here.snapshot().redis.unwrap().undelivered_invalidations;
        assert!((1..=10_000).contains(&waiting), "{waiting}");
        redis.resume().unwrap();
        settle(&here).await;
        database.write(2);
        assert_eq!(database.through(&there).await, 2);
    });
}

#[test]
fn options_are_looked_through_and_a_password_is_not_repeated() {
    let open = |change: fn(&mut RedisOptions)| {
        let mut options = RedisOptions::new("redis://127.0.0.1:1/");
        change(&mut options);
        QueryCache::open(CacheOptions { redis: Some(options), ..CacheOptions::default() })
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(open(|_| ()), Ok(()));
    let wrong = open(|options| options.url = "redis://user:hunter2@/no:port".into()).unwrap_err();
    assert!(wrong.contains("redis://") && !wrong.contains("hunter2"), "{wrong}");
    assert!(open(|options| options.timeout = Duration::ZERO).unwrap_err().contains("redis.timeout"));
    assert!(open(|options| options.namespace.clear()).unwrap_err().contains("redis.namespace"));
    assert!(open(|options| options.breaker.probes = 0).unwrap_err().contains("breaker"));
    let shown = format!("{:?}", RedisOptions::new("redis://user:hunter2@host/"));
    assert!(!shown.contains("hunter2"), "{shown}");
}
