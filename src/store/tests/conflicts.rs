//! Transactions that meet: real deadlocks, and what is done against them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::resilience::{Backoff, RetryBudget, RetryOptions};

const ROWS: i64 = 64;
const WRITERS: u64 = 16;
const EACH: u64 = 25;
const TOUCHED: usize = 16;

const TALLIES: &[Migration] = &[Migration {
    version: 1,
    name: "tallies",
    sqlite: "CREATE TABLE tallies (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    postgres: "CREATE TABLE tallies (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)",
}];

async fn tallies(place: &Place, options: StoreOptions) -> Store {
    // So that PostgreSQL looks for deadlocks soon: by default it waits a second first.
    let soon = if place.url.starts_with("postgres") { "?options=-c%20deadlock_timeout%3D20ms" } else { "" };
    let store = Store::open_with(&format!("{}{soon}", place.url), options).await.expect("opens");
    store.migrate("tallies", TALLIES).await.expect("migrates");
    let mut writer = store.write().await.expect("a turn");
    BulkInsert::new("tallies", &["id", "n"])
        .execute(&mut writer, (0..ROWS).collect::<Vec<_>>(), |row, id| {
            row.push_bind(id).push_bind(0_i64);
        })
        .await
        .expect("inserts");
    writer.commit().await.expect("commits");
    store
}

async fn sum(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT CAST(sum(n) AS BIGINT) FROM tallies")
        .fetch_one(&mut *store.read().await.expect("a reader"))
        .await
        .expect("sums")
}

/// Some rows, in no order.
fn some_rows(chance: &mut StdRng) -> Vec<i64> {
    let mut ids: Vec<i64> = (0..ROWS).collect();
    ids.shuffle(chance);
    ids.truncate(TOUCHED);
    ids
}

async fn one_by_one(writer: &mut Writer, ids: &[i64]) -> Result<(), WriteError> {
    for id in ids {
        sqlx::query("UPDATE tallies SET n = n + 1 WHERE id = $1")
            .bind(id)
            .execute(&mut **writer)
            .await
            .map_err(WriteError::from_sqlx)?;
    }
    Ok(())
}

async fn in_bulk(writer: &mut Writer, ids: &[i64]) -> Result<(), WriteError> {
    let rows = ids.iter().map(|id| (*id, 1_i64)).collect();
    let update = BulkUpdate::new("tallies", "id").add("n");
    let changed = update.execute(writer, rows, |row, n| {
        row.push_bind(n);
    });
    assert_eq!(changed.await.map_err(WriteError::from_sqlx)?, ids.len() as u64);
    Ok(())
}

/// How a storm of writers ended.
#[derive(Debug)]
struct Storm {
    committed: u64,
    deadlocks: u64,
}

/// Sixteen writers, each on a thread of its own, that change overlapping rows in random order.
async fn storm(store: &Store, bulk: bool) -> Storm {
    let (committed, deadlocks) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let threads: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (store, committed, deadlocks) =
                (store.clone(), Arc::clone(&committed), Arc::clone(&deadlocks));
            std::thread::spawn(move || {
                let mut chance = StdRng::seed_from_u64(number);
                runtime().block_on(async {
                    for _ in 0..EACH {
                        let ids = some_rows(&mut chance);
                        let mut writer = store.write().await.expect("a turn");
                        let done = match bulk {
                            true => in_bulk(&mut writer, &ids).await,
                            false => one_by_one(&mut writer, &ids).await,
                        };
                        match done {
                            Ok(()) => {
                                writer.commit().await.expect("commits");
                                committed.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(WriteError::Conflict(_)) => {
                                deadlocks.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                });
            })
        })
        .collect();
    let waiting = tokio::task::spawn_blocking(|| threads.into_iter().for_each(|it| it.join().expect("ends")));
    waiting.await.expect("ends");
    Storm { committed: committed.load(Ordering::Relaxed), deadlocks: deadlocks.load(Ordering::Relaxed) }
}

#[tokio::test]
async fn plain_updates_in_random_order_deadlock_and_bulk_updates_do_not() {
    let place = Place::postgres();
    let store = tallies(&place, StoreOptions::default()).await;
    let plain = storm(&store, false).await;
    eprintln!("one by one: {plain:?}");
    assert!(plain.deadlocks > 0, "without deadlocks this test would show nothing");
    assert_eq!(sum(&store).await.unsigned_abs(), plain.committed * TOUCHED as u64);
    let bulk = storm(&store, true).await;
    eprintln!("in bulk: {bulk:?}");
    assert!(bulk.deadlocks * 100 < WRITERS * EACH, "{bulk:?}");
    assert_eq!(bulk.committed + bulk.deadlocks, WRITERS * EACH);
    let all = (plain.committed + bulk.committed) * TOUCHED as u64;
    assert_eq!(sum(&store).await.unsigned_abs(), all, "no update is lost");
}

on_both! { transactions_that_meet_are_tried_again_until_each_is_done_once, }

async fn transactions_that_meet_are_tried_again_until_each_is_done_once(place: Place) {
    let budget = RetryBudget { ratio: 10.0, per_second: 1_000.0, burst: 10_000 };
    let backoff = Backoff::exponential(Duration::from_millis(2), Duration::from_millis(50));
    let retry = RetryOptions { attempts: 100, budget, backoff, ..RetryOptions::default() };
    let store = tallies(&place, StoreOptions { retry, ..StoreOptions::default() }).await;
    let work = (0..8_u64).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut chance = StdRng::seed_from_u64(number);
            for _ in 0..10 {
                let ids = some_rows(&mut chance);
                let ids = &ids;
                let work = |mut writer: Writer| async move {
                    one_by_one(&mut writer, ids).await?;
                    writer.commit().await
                };
                store.transact(work).await.expect("is done");
                tokio::time::sleep(Duration::from_micros(chance.random_range(0..500))).await;
            }
        })
    });
    for it in work.collect::<Vec<_>>() {
        it.await.expect("ends");
    }
    assert_eq!(sum(&store).await, 8 * 10 * TOUCHED as i64, "each once");
    let stats = store.stats();
    assert_eq!(stats.given_up, 0);
    if store.dialect() == Dialect::Postgres {
        eprintln!("{} transactions were tried again", stats.retried);
        assert!(stats.retried > 0);
    }
}

#[tokio::test]
async fn attempts_are_bounded_and_other_errors_are_not_tried_again() {
    let place = Place::sqlite();
    let patience = Duration::from_millis(1);
    let backoff = Backoff::exponential(Duration::from_millis(1), Duration::from_millis(2));
    let retry = RetryOptions { attempts: 3, backoff, ..RetryOptions::default() };
    let options = StoreOptions { busy_timeout: patience, retry, ..StoreOptions::default() };
    let (mine, theirs) =
        (tallies(&place, options.clone()).await, Store::open_with(&place.url, options).await);
    let theirs = theirs.expect("opens");
    let held = mine.write().await.expect("a turn");
    let nothing = theirs.transact(|_| async { Ok::<_, WriteError>(()) }).await;
    assert!(matches!(nothing, Err(WriteError::Busy(_))), "{nothing:?}");
    let stats = theirs.stats();
    assert_eq!((stats.retried, stats.given_up), (2, 1));
    drop(held);
    until("the turn is free", || mine.stats().pool.in_use == 0).await;
    let mut attempts = 0;
    let refused = theirs.transact(|mut writer| {
        attempts += 1;
        async move { writer.run("INSERT INTO nowhere VALUES (1)").await.map_err(WriteError::Database) }
    });
    assert!(refused.await.is_err());
    assert_eq!(attempts, 1, "the statement is at fault, whoever is in the way");
    add_one(&theirs).await;
    assert_eq!(sum(&mine).await, 1);
}

#[tokio::test]
async fn a_serialization_failure_is_a_conflict() {
    let place = Place::postgres();
    let store = tallies(&place, StoreOptions::default()).await;
    let mut first = store.write().await.expect("a turn");
    first.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await.expect("sets");
    first.run("SELECT n FROM tallies WHERE id = 1").await.expect("reads");
    add_one(&store).await;
    let error = one_by_one(&mut first, &[1]).await.expect_err("somebody changed it");
    assert!(matches!(error, WriteError::Conflict(_)), "{error:?}");
    // Somebody who does not look at the error is told at the commit.
    let error = first.commit().await.expect_err("nothing is left to commit");
    assert!(matches!(error, WriteError::Undone(_)), "{error:?}");
}

/// As a future that can go to another thread.
async fn add_one(store: &Store) {
    fn sent<T: Send>(it: T) -> T {
        it
    }
    let ids = [1];
    let done = store.transact(|mut writer| {
        let ids = &ids;
        async move {
            one_by_one(&mut writer, ids).await?;
            writer.commit().await
        }
    });
    sent(done).await.expect("is done");
}
