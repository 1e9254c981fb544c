//! What is the same on both databases.

use std::future::Future;

use futures_util::TryStreamExt;

use super::*;

on_both! {
    a_dropped_writer_leaves_nothing_behind,
    readers_see_the_last_commit_while_a_write_is_under_way_and_cannot_write,
    a_snapshot_sees_one_moment,
    a_writer_without_a_transaction_commits_each_statement,
    runtimes_on_several_threads_share_a_store_and_outlive_the_one_that_opened_it,
    a_writer_dropped_outside_any_runtime_is_undone,
    a_begin_cancelled_half_way_holds_nothing,
    a_statement_cancelled_half_way_leaves_the_store_usable,
    a_closed_store_refuses_to_read_and_write,
    migrations_apply_once_and_each_component_counts_its_own,
    a_changed_a_misnumbered_and_a_failing_migration_change_nothing,
    two_programs_migrating_at_once_do_not_trip_over_each_other,
    every_type_comes_back_as_it_went_in,
    a_failed_statement_says_why_and_the_store_goes_on,
    writers_of_one_component_exclude_each_other,
    a_reader_that_does_not_come_in_time_is_an_error,
    futures_can_go_to_another_thread,
}

async fn a_dropped_writer_leaves_nothing_behind(place: Place) {
    let store = place.tally().await;
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 1).await;
    drop(writer);
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 2).await;
    writer.rollback().await.expect("rolls back");
    assert_eq!(count(&store).await, 0);
    add(&store, 3).await;
    assert_eq!(count(&store).await, 1);
}

async fn readers_see_the_last_commit_while_a_write_is_under_way_and_cannot_write(place: Place) {
    let store = place.tally().await;
    add(&store, 1).await;
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 2).await;
    assert_eq!(count(&store).await, 1);
    writer.commit().await.expect("commits");
    assert_eq!(count(&store).await, 2);
    let mut reader = store.read().await.expect("a reader");
    let refused = sqlx::query("INSERT INTO tally VALUES (3)").execute(&mut *reader).await;
    let said = refused.expect_err("read only").to_string();
    assert!(said.contains("readonly") || said.contains("read-only"), "{said}");
    drop(reader);
    assert_eq!(count(&store).await, 2);
}

async fn a_snapshot_sees_one_moment(place: Place) {
    let store = place.tally().await;
    add(&store, 1).await;
    let mut snapshot = store.snapshot().await.expect("a reader");
    let counted = "SELECT count(*) FROM tally";
    let before: i64 = sqlx::query_scalar(counted).fetch_one(&mut *snapshot).await.expect("counts");
    add(&store, 2).await;
    let after: i64 = sqlx::query_scalar(counted).fetch_one(&mut *snapshot).await.expect("counts");
    assert_eq!((before, after), (1, 1));
    drop(snapshot);
    // Given back, it must not be a snapshot any more.
    for _ in 0..8 {
        assert_eq!(count(&store).await, 2);
    }
}

async fn a_writer_without_a_transaction_commits_each_statement(place: Place) {
    let store = place.tally().await;
    let mut writer = store.write_alone().await.expect("a turn");
    insert(&mut writer, 1).await;
    assert_eq!(count(&store).await, 1);
    insert(&mut writer, 2).await;
    writer.commit().await.expect("nothing to do");
    assert_eq!(count(&store).await, 2);
    // What it was given to write with must not remain for readers.
    let mut reader = store.read().await.expect("a reader");
    sqlx::query("INSERT INTO tally VALUES (3)").execute(&mut *reader).await.expect_err("read only");
}

async fn runtimes_on_several_threads_share_a_store_and_outlive_the_one_that_opened_it(place: Place) {
    let thread = std::thread::spawn(move || {
        let opener = runtime();
        let store = opener.block_on(place.tally());
        drop(opener);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    runtime().block_on(async {
                        for n in 0..25 {
                            add(&store, n).await;
                            assert!(count(&store).await > 0);
                        }
                    });
                });
            }
        });
        runtime().block_on(count(&store))
    });
    assert_eq!(thread.join().expect("ends"), 100);
}

async fn a_writer_dropped_outside_any_runtime_is_undone(place: Place) {
    let thread = std::thread::spawn(move || {
        let first = runtime();
        let store = first.block_on(place.tally());
        let writer = first.block_on(async {
            let mut writer = store.write().await.expect("a turn");
            insert(&mut writer, 1).await;
            writer
        });
        drop(first);
        drop(writer);
        let second = runtime();
        second.block_on(add(&store, 2));
        second.block_on(count(&store))
    });
    assert_eq!(thread.join().expect("ends"), 1);
}

/// Polls so often, with a rest in between, and drops.
async fn poll_and_drop<T>(work: impl Future<Output = T>, polls: i64) {
    let mut work = Box::pin(work);
    for _ in 0..polls {
        let ready =
            std::future::poll_fn(|cx| std::task::Poll::Ready(work.as_mut().poll(cx).is_ready())).await;
        if ready {
            break;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

async fn a_begin_cancelled_half_way_holds_nothing(place: Place) {
    let store = place.tally().await;
    for polls in 0..6 {
        poll_and_drop(store.write(), polls).await;
        poll_and_drop(store.read(), polls).await;
        add(&store, polls).await;
    }
    assert_eq!(count(&store).await, 6);
    until("every connection is given back", || store.stats().pool.in_use == 0).await;
}

async fn a_statement_cancelled_half_way_leaves_the_store_usable(place: Place) {
    let store = place.tally().await;
    add(&store, 0).await;
    let many =
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100000) SELECT n FROM r";
    for polls in 0..8 {
        let mut reader = store.read().await.expect("a reader");
        poll_and_drop(sqlx::query(many).fetch_all(&mut *reader), polls).await;
        drop(reader);
        let mut writer = store.write().await.expect("a turn");
        insert(&mut writer, polls).await;
        poll_and_drop(sqlx::query(many).fetch_all(&mut *writer), polls).await;
        drop(writer);
        assert_eq!(count(&store).await, 1, "after {polls} polls");
    }
    // Nor does a stream that its reader has had enough of.
    let mut reader = store.read().await.expect("a reader");
    let mut rows = sqlx::query(many).fetch(&mut *reader);
    assert!(rows.try_next().await.expect("reads").is_some());
    drop(rows);
    let one: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tally").fetch_one(&mut *reader).await.expect("reads");
    assert_eq!(one, 1);
}

async fn a_closed_store_refuses_to_read_and_write(place: Place) {
    let store = place.tally().await;
    add(&store, 1).await;
    let held = store.read().await.expect("a reader");
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!closing.is_finished(), "closed under a reader");
    drop(held);
    closing.await.expect("closes");
    store.close().await;
    assert!(matches!(store.write().await, Err(WriteError::Closed)));
    assert!(matches!(store.read().await, Err(ReadError::Closed)));
    assert_eq!(count(&place.tally().await).await, 1);
}

async fn migrations_apply_once_and_each_component_counts_its_own(place: Place) {
    const TWO: &[Migration] =
        &[TALLY[0], Migration::both(2, "name", "ALTER TABLE tally ADD COLUMN name TEXT")];
    const OTHER: &[Migration] = &[Migration {
        version: 1,
        name: "x",
        sqlite: "CREATE TABLE x (n BLOB); CREATE TABLE y (n INTEGER)",
        postgres: "CREATE TABLE x (n BYTEA); CREATE TABLE y (n INTEGER)",
    }];
    let store = place.open().await;
    assert_eq!(store.migrated("tally").await.expect("reads"), 0, "in an empty database");
    assert_eq!(store.migrate("tally", TALLY).await.expect("migrates"), 1);
    assert_eq!(store.migrate("tally", TALLY).await.expect("migrates"), 0);
    assert_eq!(store.migrated("other").await.expect("reads"), 0);
    assert_eq!(store.migrate("other", OTHER).await.expect("migrates"), 1);
    assert_eq!(store.migrate("tally", TWO).await.expect("migrates"), 1);
    assert_eq!(store.migrated("tally").await.expect("reads"), 2);
    let refused = store.migrate("tally", TALLY).await.expect_err("older program");
    assert!(matches!(refused, MigrateError::Newer { found: 2, known: 1, .. }), "{refused}");
}

async fn a_changed_a_misnumbered_and_a_failing_migration_change_nothing(place: Place) {
    const CHANGED: &[Migration] = &[Migration::both(1, "tally", "CREATE TABLE tally (m BIGINT)")];
    const GAP: &[Migration] = &[TALLY[0], Migration::both(3, "gap", "SELECT 1")];
    const FAILING: &[Migration] = &[
        TALLY[0],
        Migration::both(2, "bad", "CREATE TABLE half (n BIGINT); INSERT INTO nowhere VALUES (1)"),
    ];
    let store = place.tally().await;
    assert!(matches!(store.migrate("tally", CHANGED).await, Err(MigrateError::Altered { version: 1, .. })));
    assert!(matches!(
        store.migrate("tally", GAP).await,
        Err(MigrateError::Misnumbered { place: 2, found: 3, .. })
    ));
    assert!(matches!(store.migrate("tally", FAILING).await, Err(MigrateError::Step { version: 2, .. })));
    let mut reader = store.read().await.expect("a reader");
    sqlx::query("SELECT count(*) FROM half").execute(&mut *reader).await.expect_err("no such table");
}

async fn two_programs_migrating_at_once_do_not_trip_over_each_other(place: Place) {
    let migrate = async || {
        let store = place.open().await;
        store.migrate("tally", TALLY).await.expect("migrates")
    };
    let (one, two, three) = tokio::join!(migrate(), migrate(), migrate());
    assert_eq!(one + two + three, 1);
}

async fn every_type_comes_back_as_it_went_in(place: Place) {
    const TYPES: &[Migration] = &[Migration {
        version: 1,
        name: "types",
        sqlite: "CREATE TABLE types (a INTEGER, b INTEGER, c TEXT, d BLOB, e REAL) STRICT",
        postgres: "CREATE TABLE types (a INTEGER, b BIGINT, c TEXT, d BYTEA, e DOUBLE PRECISION)",
    }];
    let store = place.open().await;
    store.migrate("types", TYPES).await.expect("migrates");
    let mut writer = store.write().await.expect("a turn");
    let insert = "INSERT INTO types (a, b, c, d, e) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(insert)
        .bind(i32::MIN)
        .bind(i64::MAX)
        .bind("naïve 'text'")
        .bind(&[0_u8, 255][..])
        .bind(-0.1_f64)
        .execute(&mut *writer)
        .await
        .expect("inserts");
    sqlx::query(insert)
        .bind(None::<i32>)
        .bind(None::<i64>)
        .bind(None::<&str>)
        .bind(None::<Vec<u8>>)
        .bind(None::<f64>)
        .execute(&mut *writer)
        .await
        .expect("inserts nothing");
    writer.commit().await.expect("commits");
    let mut reader = store.read().await.expect("a reader");
    // A parameter may be named twice, and in any order.
    let rows = sqlx::query("SELECT a, b, c, d, e FROM types WHERE $2 = 2 AND $1 < $2 ORDER BY a IS NULL")
        .bind(1_i64)
        .bind(2_i64)
        .fetch_all(&mut *reader)
        .await
        .expect("reads");
    let read = |row: &sqlx::any::AnyRow| {
        Ok::<_, sqlx::Error>((
            row.try_get::<Option<i32>, _>(0)?,
            row.try_get::<Option<i64>, _>("b")?,
            row.try_get::<Option<String>, _>(2)?,
            row.try_get::<Option<Vec<u8>>, _>(3)?,
            row.try_get::<Option<f64>, _>(4)?,
        ))
    };
    let rows: Vec<_> = rows.iter().map(|row| read(row).expect("decodes")).collect();
    let full =
        (Some(i32::MIN), Some(i64::MAX), Some("naïve 'text'".to_owned()), Some(vec![0, 255]), Some(-0.1));
    assert_eq!(rows, [full, (None, None, None, None, None)]);
}

async fn a_failed_statement_says_why_and_the_store_goes_on(place: Place) {
    let store = place.open().await;
    const KEYED: &[Migration] = &[Migration::both(1, "k", "CREATE TABLE keyed (k TEXT PRIMARY KEY)")];
    store.migrate("keyed", KEYED).await.expect("migrates");
    let mut writer = store.write().await.expect("a turn");
    let insert = "INSERT INTO keyed VALUES ($1)";
    sqlx::query(insert).bind("patient-7").execute(&mut *writer).await.expect("inserts");
    let refused = sqlx::query(insert).bind("patient-7").execute(&mut *writer).await.expect_err("twice");
    assert!(refused.as_database_error().is_some_and(|it| it.is_unique_violation()), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("patient-7"), "a value came out: {refused:?}");
    drop(writer);
    let mut writer = store.write().await.expect("a turn");
    sqlx::query(insert).bind("patient-7").execute(&mut *writer).await.expect("inserts");
    writer.commit().await.expect("commits");
    let stats = store.stats();
    let inserts = stats.statements[&StatementClass::Insert];
    assert_eq!(inserts.failed, 1);
    assert!(inserts.count >= 3 && inserts.duration.max > 0, "{inserts:?}");
}

async fn writers_of_one_component_exclude_each_other(place: Place) {
    let store = place.tally().await;
    let first = store.write_exclusive(LockId::named("tally")).await.expect("a turn");
    let second = tokio::spawn({
        let store = store.clone();
        async move { store.write_exclusive(LockId::named("tally")).await.expect("a turn").commit().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    first.commit().await.expect("commits");
    second.await.expect("ends").expect("commits");
}

async fn a_reader_that_does_not_come_in_time_is_an_error(place: Place) {
    let options = StoreOptions {
        readers: 2,
        connections: 1,
        overflow: 1,
        acquire_timeout: Duration::from_millis(100),
        ..StoreOptions::default()
    };
    let store = place.open_with(options).await;
    let held = (store.read().await.expect("a reader"), store.read().await.expect("another"));
    let refused = store.read().await.expect_err("there are two");
    assert!(matches!(refused, ReadError::NoConnection { .. }), "{refused}");
    let pool = store.stats().pool;
    assert_eq!((pool.limit, pool.in_use, pool.timeouts, pool.waiting), (2, 2, 1, 0), "{pool:?}");
    assert_eq!(pool.acquired, 2);
    drop(held);
    store.read().await.expect("a reader");
    assert!(store.stats().pool.waits.is_some_and(|it| it.max > 0));
}

async fn futures_can_go_to_another_thread(place: Place) {
    fn sent<T: Send>(it: T) -> T {
        it
    }
    let store = place.tally().await;
    sent(add(&store, 1)).await;
    assert_eq!(sent(count(&store)).await, 1);
    sent(store.migrate("tally", TALLY)).await.expect("migrates");
    sent(store.close()).await;
}
