//! Locks that hold across stores and processes.

use super::child::Process;
use super::*;

on_both! {
    a_lock_excludes_other_stores_and_is_free_when_dropped,
    different_locks_do_not_meet,
    waiting_for_a_lock_can_be_given_up,
    a_lock_is_free_when_the_process_that_held_it_is_killed,
    a_released_lock_is_free_at_once,
}

async fn a_lock_excludes_other_stores_and_is_free_when_dropped(place: Place) {
    let (mine, theirs) = (place.open().await, place.open().await);
    let held = mine.lock(LockId::DEDUPLICATION).await.expect("locks");
    assert_eq!(held.id(), LockId::DEDUPLICATION);
    assert!(theirs.try_lock(LockId::DEDUPLICATION).await.expect("asks").is_none());
    assert!(mine.try_lock(LockId::DEDUPLICATION).await.expect("asks").is_none(), "nor twice by one store");
    let waiting = tokio::spawn(async move {
        let mut lock = theirs.lock(LockId::DEDUPLICATION).await.expect("locks");
        lock.check().await.expect("holds");
    });
    // Longer than an attempt of the server's.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!waiting.is_finished());
    drop(held);
    waiting.await.expect("has it");
}

async fn different_locks_do_not_meet(place: Place) {
    let store = place.open().await;
    let ids = [
        LockId::CLINICAL_TRIALS,
        LockId::SEARCH_VECTORS,
        LockId::DEDUPLICATION,
        LockId::named("a"),
        LockId::named("b"),
    ];
    let mut held = Vec::new();
    for id in ids {
        held.push(store.try_lock(id).await.expect("asks").expect("is free"));
    }
    assert_eq!([12_345, 12_346, 12_347], [0, 1, 2].map(|at: usize| ids[at].number()));
    // The number of a name is part of what is promised to other programs and releases.
    assert_eq!(LockId::named("a"), LockId::new(LockId::named("a").number()));
    assert_eq!(LockId::named("statim").number(), 1_862_296_259_553_289_458);
}

async fn waiting_for_a_lock_can_be_given_up(place: Place) {
    let (mine, theirs) = (place.open().await, place.open().await);
    let held = mine.lock(LockId::DEDUPLICATION).await.expect("locks");
    let waiting = theirs.lock(LockId::DEDUPLICATION);
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    drop(held);
    let again = tokio::time::timeout(Duration::from_secs(10), theirs.lock(LockId::DEDUPLICATION));
    again.await.expect("nobody is in the queue").expect("locks").release().await.expect("holds");
}

async fn a_lock_is_free_when_the_process_that_held_it_is_killed(place: Place) {
    let store = place.open().await;
    let mut other = Process::start("lock", &place.url);
    other.wait_for("held");
    assert!(store.try_lock(LockId::DEDUPLICATION).await.expect("asks").is_none());
    other.kill();
    let freed = tokio::time::timeout(Duration::from_secs(10), store.lock(LockId::DEDUPLICATION));
    freed.await.expect("the dead hold nothing").expect("locks").check().await.expect("holds");
}

async fn a_released_lock_is_free_at_once(place: Place) {
    let (mine, theirs) = (place.open().await, place.open().await);
    for _ in 0..20 {
        mine.lock(LockId::DEDUPLICATION).await.expect("locks").release().await.expect("holds");
        let lock = theirs.try_lock(LockId::DEDUPLICATION).await.expect("asks").expect("is free");
        lock.release().await.expect("holds");
    }
}

#[tokio::test]
async fn a_database_in_memory_has_locks_within_the_process() {
    let (one, other) = (
        Store::open("sqlite::memory:").await.expect("opens"),
        Store::open("sqlite::memory:").await.expect("opens"),
    );
    let held = one.lock(LockId::DEDUPLICATION).await.expect("locks");
    assert!(one.clone().try_lock(LockId::DEDUPLICATION).await.expect("asks").is_none());
    let theirs = other.try_lock(LockId::DEDUPLICATION).await.expect("asks");
    assert!(theirs.is_some(), "another database has other locks");
    drop(held);
    assert!(one.try_lock(LockId::DEDUPLICATION).await.expect("asks").is_some());
}

#[tokio::test]
async fn a_lock_whose_connection_is_cut_says_that_it_is_lost() {
    let place = Place::postgres();
    let store = place.open().await;
    let mut held = store.lock(LockId::DEDUPLICATION).await.expect("locks");
    let mut admin = store.read().await.expect("a reader");
    let cut: i64 = sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_one(&mut *admin)
    .await
    .expect("cuts");
    assert_eq!(cut, 1);
    assert!(matches!(held.check().await, Err(LockError::Lost(_))));
    store.lock(LockId::DEDUPLICATION).await.expect("is free").check().await.expect("holds");
}
