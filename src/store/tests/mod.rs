//! What is promised of a store, tried on real files and on a real PostgreSQL.

mod both;
mod bulk;
mod child;
mod conflicts;
mod locks;
mod postgres;
mod sqlite;
mod statistics;
mod streams;
mod urls;

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

/// An empty database of either kind.
struct Place {
    url: String,
    _folder: Option<Folder>,
}

impl Place {
    fn sqlite() -> Self {
        let folder = Folder::new();
        Self { url: folder.url("statim.db"), _folder: Some(folder) }
    }

    fn postgres() -> Self {
        Self { url: statim_servers::database("store").expect("a private PostgreSQL"), _folder: None }
    }

    async fn open(&self) -> Store {
        self.open_with(StoreOptions::default()).await
    }

    async fn open_with(&self, options: StoreOptions) -> Store {
        Store::open_with(&self.url, options).await.expect("opens")
    }

    async fn tally(&self) -> Store {
        let store = self.open().await;
        store.migrate("tally", TALLY).await.expect("migrates");
        store
    }
}

/// The same tests on both databases.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::store::tests::Place::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::store::tests::Place::postgres()).await;
            })*
        }
    };
}
use on_both;

const TALLY: &[Migration] = &[Migration::both(1, "tally", "CREATE TABLE tally (n BIGINT NOT NULL)")];

async fn insert(writer: &mut Writer, n: i64) {
    sqlx::query("INSERT INTO tally VALUES ($1)").bind(n).execute(&mut **writer).await.expect("inserts");
}

async fn add(store: &Store, n: i64) {
    let mut writer = store.write().await.expect("a turn");
    insert(&mut writer, n).await;
    writer.commit().await.expect("commits");
}

async fn count(store: &Store) -> i64 {
    let mut reader = store.read().await.expect("a reader");
    sqlx::query_scalar("SELECT count(*) FROM tally").fetch_one(&mut *reader).await.expect("counts")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

/// Waits until something is so that another thread brings about.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within ten seconds: {what}");
}
