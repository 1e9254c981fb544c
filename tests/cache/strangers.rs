//! A Redis that does not say what we wrote: whatever it says is a miss.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use redis::AsyncCommands;
use serde::{Deserialize, Serialize};
use statim::store::cache::{CacheOptions, Invalidation, QueryCache, QueryKey, RedisOptions};
use statim_servers::Redis;

use crate::shared::connect;
use crate::support::{Database, on_a_runtime, process, process_with, settle};

/// What was kept of one result, and where.
async fn kept(redis: &Redis) -> (String, Vec<u8>) {
    let mut plain = connect(redis).await;
    let keys: Vec<String> = plain.keys("statim:v1:*").await.unwrap();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    (key.clone(), plain.get(key).await.unwrap())
}

#[test]
fn damaged_values_are_misses_and_are_replaced() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let database = Database::default();
        database.write(5);
        let writer = process(&redis);
        database.through(&writer).await;
        settle(&writer).await;
        let (key, right) = kept(&redis).await;
        let mut plain = connect(&redis).await;
        let mut wrong: Vec<Vec<u8>> = vec![
            b"x".to_vec(),
            b"garbage that is longer than the header of one of our own values, by some bytes".repeat(3),
            right[..right.len() - 1].to_vec(),
            [right.as_slice(), b"\0"].concat(),
            vec![0xff; 3 << 20],
        ];
        // Each byte of it once.
        wrong.extend((0..right.len()).map(|place| {
            let mut bytes = right.clone();
            bytes[place] ^= 1;
            bytes
        }));
        let count = wrong.len() as u64;
        for bytes in wrong {
            let () = plain.pset_ex(&key, bytes, 3_600_000).await.unwrap();
            let reader = process(&redis);
            assert_eq!(database.through(&reader).await, 5);
            settle(&reader).await;
        }
        assert_eq!(database.reads(), 1 + count, "one of them was taken for ours");
        let reader = process(&redis);
        assert_eq!(database.through(&reader).await, 5);
        assert_eq!(database.reads(), 1 + count, "and the last one replaced");
    });
}

#[test]
fn a_value_of_another_key_or_without_an_end_is_a_miss() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (database, writer) = (Database::default(), process(&redis));
        database.through(&writer).await;
        settle(&writer).await;
        let (key, right) = kept(&redis).await;
        let mut plain = connect(&redis).await;
        let () = plain.persist(&key).await.unwrap();
        database.through(&process(&redis)).await;
        assert_eq!(database.reads(), 2);

        database.write(6);
        let other = process(&redis);
        database.through_as(&other, 1).await;
        settle(&other).await;
        let keys: Vec<String> = plain.keys("statim:v1:*").await.unwrap();
        for key in keys {
            let () = plain.pset_ex(&key, &right, 3_600_000).await.unwrap();
        }
        assert_eq!(database.through_as(&process(&redis), 1).await, 6);
    });
}

#[test]
fn keys_of_another_type_are_misses_and_are_replaced() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let (database, writer) = (Database::default(), process(&redis));
        database.through(&writer).await;
        settle(&writer).await;
        let mut plain = connect(&redis).await;
        let (key, _) = kept(&redis).await;
        let () = plain.del(&key).await.unwrap();
        let () = plain.lpush(&key, "a list").await.unwrap();
        for _ in 0..2 {
            let reader = process(&redis);
            database.through(&reader).await;
            settle(&reader).await;
        }
        assert_eq!(database.reads(), 2, "the list was replaced by the first");

        let tags: Vec<String> = plain.keys("statim:t1:*").await.unwrap();
        for tag in &tags {
            let () = plain.del(tag).await.unwrap();
            let () = plain.lpush(tag, "a list").await.unwrap();
        }
        let reader = process(&redis);
        database.through(&reader).await;
        assert_eq!(database.reads(), 3, "a tag without a generation validates nothing");
        let _ = (reader.invalidate("row").await, reader.invalidate_everything().await);
        for _ in 0..2 {
            let reader = process(&redis);
            database.through(&reader).await;
            settle(&reader).await;
        }
        assert_eq!(database.reads(), 4, "an invalidation makes it one again");
    });
}

#[test]
fn a_type_that_has_changed_is_a_miss() {
    // Two versions of a program, that call different types the same.
    mod before {
        #[derive(super::Serialize, super::Deserialize)]
        pub(super) struct Row {
            pub(super) given: String,
            pub(super) family: String,
        }
    }
    mod after {
        #[derive(super::Serialize, super::Deserialize, PartialEq, Debug)]
        pub(super) struct Row {
            pub(super) surname: String,
            pub(super) given: String,
        }
    }
    // The same type name for both.
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Row {
        Before(before::Row),
        After(after::Row),
    }
    #[derive(Serialize)]
    struct Strict(Row);
    impl<'de> Deserialize<'de> for Strict {
        fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            after::Row::deserialize(input).map(|row| Self(Row::After(row)))
        }
    }
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let old = process(&redis);
        let written = || async {
            let (given, family) = ("Jane".to_owned(), "Roe".to_owned());
            Ok::<_, Infallible>(Strict(Row::Before(before::Row { given, family })))
        };
        old.query(QueryKey::new("row")).get_or_load(written).await.unwrap();
        settle(&old).await;
        let new = process(&redis);
        let load = || async {
            let (given, surname) = ("Jane".to_owned(), "Roe".to_owned());
            Ok::<_, Infallible>(Strict(Row::After(after::Row { surname, given })))
        };
        let Ok(Strict(Row::After(row))) = new.query(QueryKey::new("row")).get_or_load(load).await else {
            panic!("the old row was taken for a new one")
        };
        assert_eq!(row.surname, "Roe");
        let redis = new.snapshot().redis.unwrap();
        assert_eq!((redis.corrupt, redis.values.hits, redis.values.misses), (1, 0, 1), "{redis:?}");
    });
}

#[test]
fn a_full_redis_keeps_nothing_and_harms_nobody() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let mut plain = connect(&redis).await;
        let (database, cache) = (Database::default(), process(&redis));
        database.through_as(&cache, 0).await;
        settle(&cache).await;
        let () = redis::cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).query_async(&mut plain).await.unwrap();
        for key in 1..50 {
            assert_eq!(database.through_as(&cache, key).await, 0);
        }
        settle(&cache).await;
        let snapshot = cache.snapshot().redis.unwrap();
        assert_eq!(
            (snapshot.values.misses, snapshot.errors, snapshot.breaker.transitions.opened),
            (50, 49, 0)
        );
        // And it still hears of invalidations.
        let there = process(&redis);
        assert_eq!(database.through_as(&there, 0).await, 0);
        database.write(1);
        assert_eq!(cache.invalidate("row").await, Invalidation::Complete);
        assert_eq!((database.through_as(&there, 0).await, database.through_as(&cache, 0).await), (1, 1));
    });
}

/// Something that listens at Redis's port, and answers each request with these bytes, or with nothing and the end.
fn impostor(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while !answer.is_empty() && stream.read(&mut request).is_ok_and(|bytes| bytes > 0) {
                    if stream.write_all(answer).is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn a_server_that_is_no_redis_costs_hits_only() {
    let answers: [&'static [u8]; 6] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
        b"$9999999999\r\n",
        b"*1000000000\r\n",
        b"-NOAUTH Authentication required.\r\n",
    ];
    for answer in answers {
        on_a_runtime(async {
            let mut options = RedisOptions::new(impostor(answer));
            options.timeout = Duration::from_millis(100);
            let cache =
                QueryCache::open(CacheOptions { redis: Some(options), ..CacheOptions::default() }).unwrap();
            let database = Database::default();
            let begun = std::time::Instant::now();
            for key in 0..40 {
                assert_eq!(database.through_as(&cache, key).await, 0);
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{answer:?}: {:?}", begun.elapsed());
            let redis = cache.snapshot().redis.unwrap();
            assert_eq!((redis.values.hits, database.reads()), (0, 40), "{answer:?}: {redis:?}");
            assert!(redis.breaker.transitions.opened > 0, "{answer:?}: {redis:?}");
        });
    }
}

#[test]
fn more_at_a_time_than_may_be_under_way_do_without() {
    let redis = Redis::start().unwrap();
    on_a_runtime(async {
        let cache = process_with(&redis, |options| options.most_in_flight = 2);
        let database = Database::default();
        let queries = (0..50).map(|key| database.through_as(&cache, key));
        futures_util::future::join_all(queries).await;
        let redis = cache.snapshot().redis.unwrap();
        assert!(redis.refused >= 40 && redis.breaker.transitions.opened == 0, "{redis:?}");
    });
}
