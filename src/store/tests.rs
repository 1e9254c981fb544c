//! What is promised of a store, tried on real files.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::Row;

use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("statim-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn url(&self, file: &str) -> String {
        format!("sqlite://{}/{file}", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

const TALLY: &[Migration] =
    &[Migration { version: 1, name: "tally", sql: "CREATE TABLE tally (n INTEGER NOT NULL)" }];

async fn tally(folder: &Folder) -> Store {
    let store = Store::open(&folder.url("tally.db")).await.expect("opens");
    store.migrate("tally", TALLY).await.expect("migrates");
    store
}

async fn add(store: &Store, n: i64) {
    let mut writer = store.write().await.expect("a turn");
    sqlx::query("INSERT INTO tally VALUES (?)").bind(n).execute(&mut *writer).await.expect("inserts");
    writer.commit().await.expect("commits");
}

async fn count(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tally").fetch_one(store.pool()).await.expect("counts")
}

async fn pragma(store: &Store, statement: &'static str) -> String {
    let mut writer = store.write().await.expect("a turn");
    let row = sqlx::query(statement).fetch_one(&mut *writer).await.expect("answers");
    row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|it| it.to_string())).expect("reads")
}

#[tokio::test]
async fn opening_creates_the_file_and_its_folder_in_wal_mode_with_foreign_keys() {
    let folder = Folder::new();
    let url = folder.url("a/b/statim.db");
    let store = Store::open(&url).await.expect("opens");
    assert!(folder.0.join("a/b/statim.db").exists());
    assert_eq!(pragma(&store, "PRAGMA journal_mode").await, "wal");
    assert_eq!(pragma(&store, "PRAGMA foreign_keys").await, "1");
    assert_eq!(pragma(&store, "PRAGMA synchronous").await, "2");
    assert_eq!(pragma(&store, "PRAGMA busy_timeout").await, "5000");
    let options = StoreOptions { durability: Durability::Normal, ..StoreOptions::default() };
    let store = Store::open_with(&folder.url("normal.db"), options).await.expect("opens");
    assert_eq!(pragma(&store, "PRAGMA synchronous").await, "1");
}

#[tokio::test]
async fn a_url_may_refuse_to_create_the_file() {
    let folder = Folder::new();
    let url = format!("{}?mode=rw", folder.url("missing.db"));
    assert!(matches!(Store::open(&url).await, Err(OpenError::Sqlite { .. })));
    let url = format!("{}?mode=rw", folder.url("absent/missing.db"));
    assert!(matches!(Store::open(&url).await, Err(OpenError::Sqlite { .. })));
    assert!(!folder.0.join("absent").exists(), "what may not create the file must not create its folder");
}

#[tokio::test]
async fn another_kind_of_database_is_refused_honestly_and_no_password_is_repeated() {
    for url in [
        "postgres://ann:hunter2@db/x",
        "postgresql://ann:hunter2@db/x",
        "mysql://ann:hunter2@db/x",
        "ann:hunter2@db",
        "hunter2",
        "sqlite://",
        "sqlite://ann:hunter2@db/x?password=hunter2",
        "sqlite://%ff?mode=rwc&hunter2",
        "sqlite:///proc/hunter/ann:hunter2@x",
    ] {
        let error = Store::open(url).await.expect_err("refused");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let said = Store::open("postgres://ann:hunter2@db/x").await.expect_err("refused").to_string();
    assert!(said.contains("postgres") && said.contains("SQLite only"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("folder");
    std::fs::write(folder.0.join("text.db"), "a text that is certainly no database ".repeat(200))
        .expect("file");
    assert!(matches!(Store::open(&folder.url("text.db")).await, Err(OpenError::Sqlite { .. })));
}

#[test]
fn a_sibling_is_a_neighbouring_file() {
    for (url, sibling) in [
        ("sqlite://var/statim.db", "sqlite://var/statim.consent.db"),
        ("sqlite:statim.db", "sqlite:statim.consent.db"),
        ("sqlite:///v.1/statim", "sqlite:///v.1/statim.consent"),
        ("sqlite://.hidden", "sqlite://.hidden.consent"),
        ("sqlite://a.b.db?mode=rwc", "sqlite://a.b.consent.db?mode=rwc"),
        ("sqlite::memory:", "sqlite::memory:"),
        ("sqlite://shared?mode=memory", "sqlite://shared.consent?mode=memory"),
    ] {
        assert_eq!(sibling_url(url, "consent").as_deref(), Ok(sibling));
    }
    assert!(sibling_url("postgres://db", "consent").is_err());
}

#[tokio::test]
async fn a_dropped_writer_leaves_nothing_behind() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    let mut writer = store.write().await.expect("a turn");
    sqlx::query("INSERT INTO tally VALUES (1)").execute(&mut *writer).await.expect("inserts");
    drop(writer);
    let mut writer = store.write().await.expect("a turn");
    sqlx::query("INSERT INTO tally VALUES (2)").execute(&mut *writer).await.expect("inserts");
    writer.rollback().await.expect("rolls back");
    assert_eq!(count(&store).await, 0);
    add(&store, 3).await;
    assert_eq!(count(&store).await, 1);
}

#[test]
fn a_writer_dropped_outside_any_runtime_is_undone_by_the_next_turn() {
    let folder = Folder::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let first = runtime();
    let store = first.block_on(tally(&folder));
    let writer = first.block_on(async {
        let mut writer = store.write().await.expect("a turn");
        sqlx::query("INSERT INTO tally VALUES (1)").execute(&mut *writer).await.expect("inserts");
        writer
    });
    drop(first);
    drop(writer);
    let second = runtime();
    second.block_on(add(&store, 2));
    assert_eq!(second.block_on(count(&store)), 1);
}

#[tokio::test]
async fn readers_see_the_last_commit_while_a_write_is_under_way_and_cannot_write() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    add(&store, 1).await;
    let mut writer = store.write().await.expect("a turn");
    sqlx::query("INSERT INTO tally VALUES (2)").execute(&mut *writer).await.expect("inserts");
    assert_eq!(count(&store).await, 1);
    writer.commit().await.expect("commits");
    assert_eq!(count(&store).await, 2);
    let refused = sqlx::query("INSERT INTO tally VALUES (3)").execute(store.pool()).await;
    assert!(refused.expect_err("read only").to_string().contains("readonly"));
}

#[test]
fn runtimes_on_several_threads_take_turns_and_outlive_the_one_that_opened_the_store() {
    let folder = Folder::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let opener = runtime();
    let store = opener.block_on(tally(&folder));
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
    assert_eq!(runtime().block_on(count(&store)), 100);
}

#[tokio::test]
async fn turns_are_given_in_order_of_arrival() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    let held = store.write().await.expect("a turn");
    let mut waiting = Vec::new();
    for n in 0..20 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move { add(&store, n).await }));
        // Let it join the queue before the next one is made.
        tokio::task::yield_now().await;
    }
    drop(held);
    for it in waiting {
        it.await.expect("written");
    }
    let order: Vec<i64> = sqlx::query_scalar("SELECT n FROM tally ORDER BY rowid")
        .fetch_all(store.pool())
        .await
        .expect("reads");
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_the_queue() {
    let folder = Folder::new();
    let options = StoreOptions { acquire_timeout: Duration::from_millis(50), ..StoreOptions::default() };
    let store = Store::open_with(&folder.url("tally.db"), options).await.expect("opens");
    store.migrate("tally", TALLY).await.expect("migrates");
    let held = store.write().await.expect("a turn");
    assert!(matches!(store.write().await, Err(WriteError::NoTurn { .. })));
    drop(tokio::time::timeout(Duration::from_millis(5), store.write()).await);
    drop(held);
    add(&store, 1).await;
}

#[tokio::test]
async fn a_begin_cancelled_half_way_holds_nothing() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    for polls in 0..6 {
        let mut write = Box::pin(store.write());
        for _ in 0..polls {
            let ready =
                std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx).is_ready())).await;
            if ready {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        drop(write);
        add(&store, polls).await;
    }
    assert_eq!(count(&store).await, 6);
}

#[tokio::test]
async fn a_lock_held_by_another_process_is_named_as_such() {
    let folder = Folder::new();
    // Two stores on one file stand for two processes: they share no turn, only SQLite's lock.
    let mine = tally(&folder).await;
    let options = StoreOptions { busy_timeout: Duration::from_millis(20), ..StoreOptions::default() };
    let theirs = Store::open_with(&folder.url("tally.db"), options).await.expect("opens");
    let held = mine.write().await.expect("a turn");
    assert!(matches!(theirs.write().await, Err(WriteError::Busy(_))));
    held.commit().await.expect("commits");
    add(&theirs, 1).await;
}

#[tokio::test]
async fn a_closed_store_refuses_to_write() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    add(&store, 1).await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.write().await, Err(WriteError::Closed)));
    assert!(!folder.0.join("tally.db-wal").exists(), "the log was folded into the file");
    assert_eq!(count(&tally(&folder).await).await, 1);
}

#[tokio::test]
async fn a_database_in_memory_is_shared_by_writer_and_readers_and_by_no_other_store() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.migrate("tally", TALLY).await.expect("migrates");
    add(&store, 1).await;
    assert_eq!(count(&store).await, 1);
    let other = Store::open(&store.sibling("x")).await.expect("opens");
    assert_eq!(other.migrate("tally", TALLY).await.expect("an empty database"), 1);
}

#[tokio::test]
async fn migrations_apply_once_and_each_component_counts_its_own() {
    const TWO: &[Migration] =
        &[TALLY[0], Migration { version: 2, name: "name", sql: "ALTER TABLE tally ADD COLUMN name TEXT" }];
    const OTHER: &[Migration] =
        &[Migration { version: 1, name: "x", sql: "CREATE TABLE x (n); CREATE TABLE y (n)" }];
    let folder = Folder::new();
    let store = Store::open(&folder.url("m.db")).await.expect("opens");
    assert_eq!(store.migrate("tally", TALLY).await.expect("migrates"), 1);
    assert_eq!(store.migrate("tally", TALLY).await.expect("migrates"), 0);
    assert_eq!(store.migrate("other", OTHER).await.expect("migrates"), 1);
    assert_eq!(store.migrate("tally", TWO).await.expect("migrates"), 1);
    let refused = store.migrate("tally", TALLY).await.expect_err("older program");
    assert!(matches!(refused, MigrateError::Newer { found: 2, known: 1, .. }), "{refused}");
}

#[tokio::test]
async fn a_changed_a_misnumbered_and_a_failing_migration_change_nothing() {
    const CHANGED: &[Migration] =
        &[Migration { version: 1, name: "tally", sql: "CREATE TABLE tally (m INTEGER)" }];
    const GAP: &[Migration] = &[TALLY[0], Migration { version: 3, name: "gap", sql: "SELECT 1" }];
    const FAILING: &[Migration] = &[
        TALLY[0],
        Migration { version: 2, name: "bad", sql: "CREATE TABLE half (n); INSERT INTO nowhere VALUES (1)" },
    ];
    let folder = Folder::new();
    let store = tally(&folder).await;
    assert!(matches!(store.migrate("tally", CHANGED).await, Err(MigrateError::Altered { version: 1, .. })));
    assert!(matches!(
        store.migrate("tally", GAP).await,
        Err(MigrateError::Misnumbered { place: 2, found: 3, .. })
    ));
    assert!(matches!(store.migrate("tally", FAILING).await, Err(MigrateError::Step { version: 2, .. })));
    let half: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'half'")
        .fetch_one(store.pool())
        .await
        .expect("reads");
    assert_eq!(half, 0);
}

#[tokio::test]
async fn two_programs_migrating_at_once_do_not_trip_over_each_other() {
    let folder = Folder::new();
    let (one, two) = (folder.url("m.db"), folder.url("m.db"));
    let open = async |url: String| {
        let store = Store::open(&url).await.expect("opens");
        store.migrate("tally", TALLY).await.expect("migrates")
    };
    let (one, two) = tokio::join!(open(one), open(two));
    assert_eq!(one + two, 1);
}

#[tokio::test(start_paused = true)]
async fn writing_without_contention_needs_no_timer_and_so_works_under_a_paused_clock() {
    let folder = Folder::new();
    let store = tally(&folder).await;
    for n in 0..20 {
        add(&store, n).await;
    }
    let mut writer = store.write().await.expect("a turn");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tally").fetch_one(&mut *writer).await.expect("counts");
    assert_eq!(rows, 20);
}

#[tokio::test]
async fn a_preallocated_log_keeps_its_length_while_commits_go_on() {
    let folder = Folder::new();
    let options = StoreOptions { preallocate: true, ..StoreOptions::default() };
    let store = Store::open_with(&folder.url("p.db"), options).await.expect("opens");
    let length = || std::fs::metadata(folder.0.join("p.db-wal")).expect("the log is there").len();
    let before = length();
    assert!(before > 1 << 20, "{before} bytes");
    let mut writer = store.write().await.expect("has the turn");
    sqlx::query("CREATE TABLE t (a TEXT)").execute(&mut *writer).await.expect("creates");
    writer.commit().await.expect("commits");
    for _ in 0..400 {
        let mut writer = store.write_alone().await.expect("has the turn");
        let insert = sqlx::query("INSERT INTO t VALUES (hex(randomblob(100)))");
        insert.execute(&mut *writer).await.expect("inserts");
    }
    assert_eq!(length(), before, "400 commits, and the log began again at least once");
}
