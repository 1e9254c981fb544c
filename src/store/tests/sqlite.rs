//! What only SQLite has: files, the one writer, and its turn.

use super::*;

async fn tally(folder: &Folder) -> Store {
    let store = Store::open(&folder.url("tally.db")).await.expect("opens");
    store.migrate("tally", TALLY).await.expect("migrates");
    store
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
async fn a_file_that_is_no_database_is_an_error() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("folder");
    std::fs::write(folder.0.join("text.db"), "a text that is certainly no database ".repeat(200))
        .expect("file");
    assert!(matches!(Store::open(&folder.url("text.db")).await, Err(OpenError::Sqlite { .. })));
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
        .fetch_all(&mut *store.read().await.expect("a reader"))
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
async fn a_database_in_memory_is_shared_by_writer_and_readers_and_by_no_other_store() {
    let store = Store::open("sqlite::memory:").await.expect("opens");
    store.migrate("tally", TALLY).await.expect("migrates");
    add(&store, 1).await;
    assert_eq!(count(&store).await, 1);
    let other = Store::open(&store.sibling("x")).await.expect("opens");
    assert_eq!(other.migrate("tally", TALLY).await.expect("an empty database"), 1);
    let named = format!("sqlite://named %25 {}?mode=memory", std::process::id());
    let (one, two) = (Store::open(&named).await.expect("opens"), Store::open(&named).await.expect("opens"));
    one.migrate("tally", TALLY).await.expect("migrates");
    add(&one, 1).await;
    assert_eq!(count(&two).await, 1, "by name, two stores of a process share one");
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
