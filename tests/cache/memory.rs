//! The memory layer alone.

use std::convert::Infallible;
use std::time::Duration;

use statim::resilience::Time;
use statim::store::cache::{CacheOptions, CacheSnapshot, Invalidation, QueryCache, QueryKey};

use crate::support::{Database, HOUR, in_memory, on_a_runtime};

#[test]
fn a_result_is_loaded_once_and_served_again() {
    on_a_runtime(async {
        let (cache, database) = (in_memory(), Database::default());
        database.write(7);
        for _ in 0..5 {
            assert_eq!(database.through(&cache).await, 7);
        }
        assert_eq!(database.reads(), 1);
        let snapshot = cache.snapshot();
        assert_eq!((snapshot.memory.hits, snapshot.memory.misses, snapshot.queries), (4, 1, 5));
        assert!((snapshot.hit_rate - 0.8).abs() < 1e-9, "{snapshot:?}");
        assert_eq!((snapshot.entries, snapshot.redis.is_none()), (1, true));
        let json = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<CacheSnapshot>(&json).unwrap(), snapshot);
    });
}

#[test]
fn an_invalidated_tag_takes_its_results_with_it_and_no_others() {
    on_a_runtime(async {
        let (cache, tagged, other) = (in_memory(), Database::default(), Database::default());
        let read_other = async || {
            let query = cache.query(QueryKey::new("other")).tag("other").tag("both");
            query.get_or_load(|| other.read()).await.unwrap()
        };
        tagged.through(&cache).await;
        read_other().await;
        tagged.write(1);
        assert_eq!(tagged.through(&cache).await, 0, "it was not cached");
        assert_eq!(cache.invalidate("row").await, Invalidation::Complete);
        assert_eq!((tagged.through(&cache).await, read_other().await), (1, 0));
        assert_eq!((tagged.reads(), other.reads()), (2, 1));

        let _ = cache.invalidate_all_of(["nobody's", "both"]).await;
        tagged.through(&cache).await;
        read_other().await;
        assert_eq!((tagged.reads(), other.reads()), (2, 2));

        let _ = cache.invalidate_everything().await;
        tagged.through(&cache).await;
        read_other().await;
        assert_eq!((tagged.reads(), other.reads()), (3, 3));
    });
}

#[test]
fn a_result_lives_as_long_as_it_was_given_counted_from_before_its_load() {
    on_a_runtime(async {
        let (time, clock) = Time::manual();
        let cache = QueryCache::open(CacheOptions { time, ..CacheOptions::default() }).unwrap();
        let database = Database::default();
        let read = async |load_takes: Duration| {
            let query = cache.query(QueryKey::new("slow")).ttl(HOUR);
            let load = || async {
                clock.advance(load_takes);
                database.read().await
            };
            query.get_or_load(load).await.unwrap()
        };
        read(HOUR / 2).await;
        clock.advance(HOUR / 2 - Duration::from_nanos(1));
        read(HOUR / 2).await;
        assert_eq!(database.reads(), 1);
        clock.advance(Duration::from_nanos(1));
        read(HOUR).await;
        assert_eq!(database.reads(), 2);
        read(Duration::ZERO).await;
        assert_eq!(database.reads(), 3, "it was an hour old when it was there");
    });
}

#[test]
fn virtual_time_is_time() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let cache =
            QueryCache::open(CacheOptions { time: Time::tokio(), ..CacheOptions::default() }).unwrap();
        let database = Database::default();
        database.through(&cache).await;
        tokio::time::sleep(HOUR - Duration::from_millis(1)).await;
        database.through(&cache).await;
        assert_eq!(database.reads(), 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        database.through(&cache).await;
        assert_eq!(database.reads(), 2);
    });
}

#[test]
fn nothing_is_kept_only_if_asked() {
    on_a_runtime(async {
        let cache = in_memory();
        let mut loads = 0;
        let mut find = async |keep: Option<Duration>, found: Option<u8>| {
            let query = cache.query(QueryKey::new("SELECT maybe").bind(&keep.is_some()));
            let query = if let Some(ttl) = keep { query.keep_nothing(ttl) } else { query };
            let load = || {
                loads += 1;
                async { Ok::<_, Infallible>(found) }
            };
            (query.get_or_load(load).await.unwrap(), loads)
        };
        assert_eq!(find(None, None).await, (None, 1));
        assert_eq!(find(None, Some(1)).await, (Some(1), 2), "what came to be is seen at once");
        assert_eq!(find(None, None).await, (Some(1), 2));
        assert_eq!(find(Some(HOUR), None).await, (None, 3));
        assert_eq!(find(Some(HOUR), Some(1)).await, (None, 3));
    });
}

#[test]
fn an_empty_list_is_a_result() {
    on_a_runtime(async {
        let cache = in_memory();
        for rows in [vec![], vec![1]] {
            let query = cache.query(QueryKey::new("SELECT rows"));
            let got: Vec<u8> = query.get_or_load(|| async { Ok::<_, Infallible>(rows) }).await.unwrap();
            assert_eq!(got, Vec::<u8>::new());
        }
    });
}

#[test]
fn bytes_are_bounded() {
    on_a_runtime(async {
        let options =
            CacheOptions { memory_bytes: 100_000, largest_value_bytes: 20_000, ..CacheOptions::default() };
        let cache = QueryCache::open(options).unwrap();
        let fill = async |key: u32, bytes: usize| {
            let query = cache.query(QueryKey::new("SELECT text").bind(&key));
            let text: String =
                query.get_or_load(|| async { Ok::<_, Infallible>("x".repeat(bytes)) }).await.unwrap();
            assert_eq!(text.len(), bytes);
        };
        for key in 0..500 {
            fill(key, 10_000).await;
            let snapshot = cache.snapshot();
            assert!(snapshot.bytes <= 100_000, "{snapshot:?}");
        }
        let snapshot = cache.snapshot();
        assert!((8..=9).contains(&snapshot.entries), "{snapshot:?}");
        assert_eq!(snapshot.evictions, 500 - snapshot.entries);
        fill(1000, 30_000).await;
        fill(1000, 30_000).await;
        let loads = cache.snapshot().loads;
        assert_eq!((loads.loads, loads.too_large), (502, 2));
    });
}

#[test]
fn statements_parameters_types_and_tags_tell_queries_apart() {
    on_a_runtime(async {
        let cache = in_memory();
        let loads = std::cell::Cell::new(0);
        let ask = async |key: QueryKey, tags: &[&str]| {
            let query = cache.query(key).tags(tags.iter().copied());
            let load = || async {
                loads.set(loads.get() + 1);
                Ok::<_, Infallible>(loads.get())
            };
            query.get_or_load(load).await.unwrap()
        };
        let keys = [
            QueryKey::new("a"),
            QueryKey::new("b"),
            QueryKey::new("a").bind(&1),
            QueryKey::new("a").bind("1"),
            QueryKey::new("a").bind(&1).bind(&2),
            QueryKey::new("a").bind(&2).bind(&1),
            QueryKey::new("a").bind(&12),
            QueryKey::new("a").bind("ab").bind("c"),
            QueryKey::new("a").bind("a").bind("bc"),
            QueryKey::new("a").bind(&Some(1)).bind(&None::<i32>),
        ];
        for _ in 0..2 {
            for (key, number) in keys.iter().zip(1..) {
                assert_eq!(ask(key.clone(), &[]).await, number);
            }
        }
        assert_eq!(ask(QueryKey::new("a").bind(&1_u8), &[]).await, 3);
        assert_eq!(ask(QueryKey::new("a"), &["x", "y"]).await, 11);
        assert_eq!(ask(QueryKey::new("a"), &["y", "x", "y"]).await, 11);
        assert_eq!(ask(QueryKey::new("a"), &["x"]).await, 12);
        let as_text: Result<String, _> =
            cache.query(QueryKey::new("a")).get_or_load(|| async { Ok::<_, Infallible>("1".into()) }).await;
        assert_eq!(as_text.unwrap(), "1");
        assert_eq!(format!("{:?}", QueryKey::new("patient").bind("Jane")), "QueryKey(..)");
    });
}

#[test]
fn a_key_that_cannot_be_made_is_not_cached() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }
    on_a_runtime(async {
        let (cache, database) = (in_memory(), Database::default());
        for _ in 0..3 {
            let query = cache.query(QueryKey::new("SELECT").bind(&Broken));
            query.get_or_load(|| database.read()).await.unwrap();
        }
        assert_eq!((database.reads(), cache.snapshot().loads.unkeyed), (3, 3));
    });
}
