//! The databases that the tests run on, each fresh.

use std::time::Duration;

use statim::store::{Store, StoreOptions};

/// A database that is gone with this.
pub(crate) struct Database {
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("statim.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// On the PostgreSQL that this test process shares.
    pub(crate) fn postgres() -> Self {
        Self { url: statim_servers::database("delivery").expect("a private PostgreSQL"), _folder: None }
    }

    pub(crate) async fn store(&self) -> Store {
        let options = StoreOptions { acquire_timeout: Duration::from_secs(10), ..StoreOptions::default() };
        Store::open_with(&self.url, options).await.expect("the database opens")
    }
}

/// The same behaviour on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($database:ident: Database) $body:block) => {
        mod $name {
            use super::*;

            async fn check($database: Database) $body

            #[tokio::test]
            async fn on_sqlite() {
                check(Database::sqlite()).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                check(Database::postgres()).await;
            }
        }
    };
}
pub(crate) use on_both;
