//! What only PostgreSQL has: sockets, a server that comes and goes, and transactions that fail as a whole.

use super::*;

async fn options(options: StoreOptions) -> Store {
    let store = Place::postgres().open_with(options).await;
    store.migrate("tally", TALLY).await.expect("migrates");
    store
}

#[test]
fn a_store_works_while_the_runtime_it_was_opened_on_is_blocked_and_after_it_ended() {
    let place = Place::postgres();
    let opener = runtime();
    let store = opener.block_on(async {
        let store = place.tally().await;
        add(&store, 1).await;
        store
    });
    // Nobody polls the opener's driver now. A socket registered with it would never be readable.
    let other = runtime();
    let on_other = other.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), async {
            add(&store, 2).await;
            count(&store).await
        })
        .await
    });
    assert_eq!(on_other, Ok(2));
    drop(opener);
    let (first, second) = other.block_on(async { tokio::join!(count(&store), count(&store)) });
    assert_eq!((first, second), (2, 2));
    // Held across the end of the runtime it came from.
    let writer = other.block_on(async { store.write().await.expect("a turn") });
    drop(other);
    let third = runtime();
    third.block_on(async {
        let mut writer = writer;
        insert(&mut writer, 3).await;
        writer.commit().await.expect("commits");
        assert_eq!(count(&store).await, 3);
    });
}

#[test]
fn a_paused_clock_does_not_end_waits_for_the_server() {
    let place = Place::postgres();
    let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    paused.expect("runtime").block_on(async {
        let store = place.tally().await;
        for n in 0..20 {
            add(&store, n).await;
        }
        assert_eq!(count(&store).await, 20);
    });
}

#[tokio::test]
async fn connections_beyond_those_kept_are_closed_when_they_rest() {
    let store = options(StoreOptions { connections: 3, overflow: 4, ..StoreOptions::default() }).await;
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(store.read().await.expect("a reader"));
    }
    let pool = store.stats().pool;
    assert_eq!((pool.limit, pool.in_use, pool.idle), (7, 7, 0), "{pool:?}");
    drop(held);
    let pool = store.stats().pool;
    assert_eq!((pool.in_use, pool.idle, pool.closed), (0, 3, 4), "{pool:?}");
    // And the server sees them go.
    let mut reader = store.read().await.expect("a reader");
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    for _ in 0..500 {
        let open: i64 = sqlx::query_scalar(sessions).fetch_one(&mut *reader).await.expect("counts");
        if open == 3 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("more than three sessions are still open");
}

#[tokio::test]
async fn the_default_pool_is_twenty_and_thirty_more() {
    let options = StoreOptions::default();
    assert_eq!((options.connections, options.overflow), (20, 30));
    assert_eq!(options.acquire_timeout, Duration::from_secs(30));
    assert_eq!(options.recycle, Duration::from_secs(3600));
    assert!(options.test_before_acquire);
}

#[tokio::test]
async fn durability_is_what_the_store_was_asked_for_whatever_the_server_does_by_itself() {
    let place = Place::postgres();
    let careless = format!("{}?options=-c%20synchronous_commit%3Doff", place.url);
    for (url, durability, expected) in [
        (&place.url, Durability::Full, "on"),
        (&careless, Durability::Full, "on"),
        (&place.url, Durability::Normal, "off"),
    ] {
        let options = StoreOptions { durability, ..StoreOptions::default() };
        let store = Store::open_with(url, options).await.expect("opens");
        let mut writer = store.write().await.expect("a turn");
        let shown: String =
            sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *writer).await.expect("shows");
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_costs_its_connection_and_is_told_if_it_was_slow() {
    let store =
        options(StoreOptions { slow_statement: Duration::from_millis(50), ..StoreOptions::default() }).await;
    let mut reader = store.read().await.expect("a reader");
    let sleep = sqlx::query("SELECT pg_sleep(60)::TEXT").execute(&mut *reader);
    assert!(tokio::time::timeout(Duration::from_millis(100), sleep).await.is_err());
    drop(reader);
    let stats = store.stats();
    assert_eq!((stats.pool.interrupted, stats.pool.in_use, stats.pool.idle), (1, 0, 0), "{stats:?}");
    assert!(stats.slow.iter().any(|it| it.shape.contains("pg_sleep")), "{stats:?}");
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn an_old_connection_is_replaced() {
    let store = options(StoreOptions { recycle: Duration::ZERO, ..StoreOptions::default() }).await;
    let opened = store.stats().pool.opened;
    count(&store).await;
    count(&store).await;
    let pool = store.stats().pool;
    assert!(pool.opened >= opened + 2 && pool.idle == 0 && pool.recycled >= 2, "{pool:?}");
}

/// Ends every session of the database but ours, as an administrator or a failing network would.
async fn cut(store: &Store, place: &Place) {
    let mut admin = Store::open(&place.url).await.expect("opens").read().await.expect("a reader");
    let ours = store.stats().pool;
    let cut: i64 = sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .fetch_one(&mut *admin)
    .await
    .expect("cuts");
    assert!(cut >= 1, "{ours:?}");
}

#[tokio::test]
async fn a_connection_that_died_while_resting_is_not_handed_out() {
    let place = Place::postgres();
    let store = place.tally().await;
    add(&store, 1).await;
    cut(&store, &place).await;
    assert_eq!(count(&store).await, 1, "a reader is tested by a question");
    cut(&store, &place).await;
    add(&store, 2).await;
    assert_eq!(count(&store).await, 2, "a writer is tested by its BEGIN");
    assert!(store.stats().pool.found_dead >= 2);
}

#[tokio::test]
async fn a_connection_cut_in_a_transaction_is_an_error_and_is_replaced() {
    let place = Place::postgres();
    let store = place.tally().await;
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 1).await;
    cut(&store, &place).await;
    let error = writer.commit().await.expect_err("cut");
    assert!(matches!(error, WriteError::Database(_)), "{error:?}");
    assert_eq!(count(&store).await, 0);
    add(&store, 2).await;
}

#[test]
fn a_server_that_restarts_is_waited_for() {
    let mut server = statim_servers::Postgres::start().expect("a private PostgreSQL");
    let runtime = runtime();
    let store = runtime.block_on(async {
        let store = Store::open(&server.url()).await.expect("opens");
        store.migrate("tally", TALLY).await.expect("migrates");
        add(&store, 1).await;
        store
    });
    server.kill().expect("kills");
    let waiting = std::thread::spawn({
        let store = store.clone();
        move || self::runtime().block_on(add(&store, 2))
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished());
    server.start_again().expect("starts");
    waiting.join().expect("writes");
    assert_eq!(runtime.block_on(count(&store)), 2);
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_does_not_commit_quietly() {
    let store = Place::postgres().tally().await;
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 1).await;
    sqlx::query("SELECT 1 / 0").execute(&mut *writer).await.expect_err("divides by zero");
    let error = writer.commit().await.expect_err("nothing is left to commit");
    assert!(matches!(error, WriteError::Undone(_)), "{error:?}");
    assert_eq!(count(&store).await, 0);
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, 2).await;
    sqlx::query("SAVEPOINT s").execute(&mut *writer).await.expect("saves");
    sqlx::query("SELECT 1 / 0").execute(&mut *writer).await.expect_err("divides by zero");
    sqlx::query("ROLLBACK TO s").execute(&mut *writer).await.expect("goes back");
    writer.commit().await.expect("a savepoint made it good");
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn no_value_comes_out_in_an_error() {
    let store = Place::postgres().tally().await;
    let mut reader = store.read().await.expect("a reader");
    for (sql, value) in
        [("SELECT $1::BIGINT::TEXT", "patient-7"), ("SELECT CAST($1 AS DATE)::TEXT", "patient-7")]
    {
        let error = sqlx::query(sql).bind(value).execute(&mut *reader).await.expect_err("is none");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("patient-7") && said.contains("22"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_password_a_missing_database_and_no_server_are_told_apart() {
    let place = Place::postgres();
    let missing = format!("{}_missing", place.url);
    let OpenError::Postgres { source, .. } = Store::open(&missing).await.expect_err("missing") else {
        panic!("another error");
    };
    assert!(source.to_string().contains("does not exist"), "{source}");
    let error = Store::open("postgres://ann@127.0.0.1:1/x").await.expect_err("nobody is there");
    assert!(matches!(&error, OpenError::Postgres { source: sqlx::Error::Io(_), .. }), "{error:?}");
}
