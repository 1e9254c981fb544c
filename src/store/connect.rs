//! How a connection is made and set up.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::Dialect;
use super::connection::Connection;
use super::fault::redacted;
use super::home::Home;
use super::options::{Durability, StoreOptions};
use super::stats::{Figures, PoolEvent};

/// A write-ahead log is truncated to this size when a checkpoint empties it, so that one large transaction does not
/// leave a large file behind for ever.
const KEPT_LOG_BYTES: u64 = 64 << 20;

/// Pages (of 4 KiB) in the write-ahead log of a preallocated store when it is moved into the database and begun again.
pub(super) const PREALLOCATED_PAGES: u32 = 256;

/// What SQLite's connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Reader,
    Writer,
}

/// Makes connections that are all alike. It has no `Debug`: its URL may hold a password.
#[derive(Clone)]
pub(super) struct Connector {
    dialect: Dialect,
    options: AnyConnectOptions,
    setup: Arc<str>,
    home: Option<Arc<Home>>,
    figures: Arc<Figures>,
}

impl Connector {
    pub(super) fn sqlite(
        url: &str,
        part: Part,
        options: &StoreOptions,
        figures: &Arc<Figures>,
    ) -> Result<Self, sqlx::Error> {
        Self::new(Dialect::Sqlite, url, sqlite_setup(part, options), None, figures)
    }

    pub(super) fn postgres(
        url: &str,
        options: &StoreOptions,
        home: Arc<Home>,
        figures: &Arc<Figures>,
    ) -> Result<Self, sqlx::Error> {
        Self::new(Dialect::Postgres, url, postgres_setup(options), Some(home), figures)
    }

    fn new(
        dialect: Dialect,
        url: &str,
        setup: String,
        home: Option<Arc<Home>>,
        figures: &Arc<Figures>,
    ) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        // sqlx logs whole statements; a statement of a thousand rows is a page, so none is logged.
        let options = AnyConnectOptions::from_str(url)?.disable_statement_logging();
        Ok(Self { dialect, options, setup: setup.into(), home, figures: Arc::clone(figures) })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    pub(super) fn home(&self) -> Option<&Arc<Home>> {
        self.home.as_ref()
    }

    /// Makes a connection and sets it up.
    ///
    /// Cancel safe: the connection is dropped, and with it what it holds.
    pub(super) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        let this = self.clone();
        match &self.home {
            None => this.connect_here().await,
            Some(home) => {
                let task = async move { this.connect_here().await };
                home.run(task).await.unwrap_or(Err(sqlx::Error::PoolClosed))
            }
        }
    }

    async fn connect_here(self) -> Result<Connection, sqlx::Error> {
        let mut raw = self.options.connect().await.map_err(redacted)?;
        raw.execute(sqlx::raw_sql(AssertSqlSafe(self.setup))).await.map_err(redacted)?;
        self.figures.pool(PoolEvent::Opened);
        Ok(Connection::new(raw, self.dialect, self.figures))
    }
}

fn sqlite_setup(part: Part, options: &StoreOptions) -> String {
    let milliseconds = |it: Duration| it.as_millis().min(i32::MAX as u128);
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    // The patience first: what follows may meet a lock. (sqlx has switched foreign keys on.)
    let mut setup = format!(
        "PRAGMA busy_timeout = {};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA journal_size_limit = {KEPT_LOG_BYTES};",
        milliseconds(options.busy_timeout),
    );
    if options.preallocate {
        setup += &format!("PRAGMA wal_autocheckpoint = {PREALLOCATED_PAGES};");
    }
    setup += &match part {
        Part::Reader => "PRAGMA query_only = ON;".to_owned(),
        Part::Writer => {
            let cache_kib = (options.writer_cache_bytes / 1024).clamp(64, i32::MAX as u64);
            format!("PRAGMA cache_size = -{cache_kib};")
        }
    };
    setup
}

fn postgres_setup(options: &StoreOptions) -> String {
    let synchronous = match options.durability {
        // What the server does by itself, unless it was told to be faster.
        Durability::Full => {
            "SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') = 'off'"
        }
        Durability::Normal => "SET synchronous_commit = off",
    };
    // Readers cannot write, as on SQLite; a writer's transaction says that it may.
    format!("{synchronous}; SET default_transaction_read_only = on;")
}
