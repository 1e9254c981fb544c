//! The store itself: reading, writing, closing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::connect::Connector;
use super::lock::LockId;
use super::options::Durability;
use super::pool::{Entry, Pool};
use super::reader::{ReadError, Reader};
use super::slot::Slot;
use super::stats::{Figures, StoreStats};
use super::url::Location;
use super::writer::{WriteError, Writer};
use super::{Dialect, StatementClass};
use crate::resilience::Retry;
use crate::telemetry::Sparse;

/// One open database. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) location: Location,
    /// The file, where there is one.
    pub(super) file: Option<PathBuf>,
    pub(super) connector: Connector,
    pub(super) figures: Arc<Figures>,
    pub(super) pool: Pool,
    /// SQLite's writer; PostgreSQL has none in particular.
    pub(super) slot: Option<Arc<Mutex<Slot>>>,
    pub(super) retry: Retry,
    /// The same for every store on the same database. (PostgreSQL needs none, and its URL may hold a password.)
    pub(super) identity: String,
    pub(super) acquire_timeout: Duration,
    pub(super) durability: Durability,
}

impl Store {
    /// Which database it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.location.dialect()
    }

    /// A connection to read with. Each statement sees the last commit made before it began, and waits for no writer. It
    /// cannot write: on SQLite because a second writer would meet the first one at SQLite's lock, and on PostgreSQL so
    /// that what works on one works on the other. Write through [`write`](Self::write).
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: no connection came within [`StoreOptions::acquire_timeout`](super::StoreOptions::acquire_timeout) (a server that is starting is waited
    /// for as long), the store is closed, or the database refused.
    pub async fn read(&self) -> Result<Reader, ReadError> {
        Ok(Reader::new(self.inner.pool.acquire(Entry::Read).await?))
    }

    /// As [`read`](Self::read), with every statement seeing the database as it was at the first one. Do not hold it long:
    /// SQLite cannot fold its write-ahead log in meanwhile, nor PostgreSQL clean up.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn snapshot(&self) -> Result<Reader, ReadError> {
        Ok(Reader::new(self.inner.pool.acquire(Entry::Snapshot).await?))
    }

    /// Begins a transaction. On SQLite it takes the turn to write first (`BEGIN IMMEDIATE`); turns are given in order of
    /// arrival. On PostgreSQL many write at a time (`READ COMMITTED`); see [`write_exclusive`](Self::write_exclusive) for
    /// those who must not, and [`transact`](Self::transact) for those who may deadlock.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue, and a transaction already begun is rolled back.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: the turn or a connection did not come within [`StoreOptions::acquire_timeout`](super::StoreOptions::acquire_timeout), another process
    /// held the file longer than [`StoreOptions::busy_timeout`](super::StoreOptions::busy_timeout), the store is closed, or the database failed.
    pub async fn write(&self) -> Result<Writer, WriteError> {
        match &self.inner.slot {
            Some(slot) => Writer::begin(self.turn(slot).await?).await,
            None => Ok(Writer::pooled(self.inner.pool.acquire(Entry::Write).await?)),
        }
    }

    /// As [`write`](Self::write), waiting for every other writer that gave the same `id`, in any process: for a component
    /// that reads what it then writes, and was written for one writer at a time. On SQLite every writer is alone anyway.
    /// On PostgreSQL it takes an advisory lock, which goes when the transaction ends.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue, and a transaction already begun is rolled back.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn write_exclusive(&self, id: LockId) -> Result<Writer, WriteError> {
        let mut writer = self.write().await?;
        if self.dialect() == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(id.number())
                .execute(&mut *writer)
                .await
                .map_err(WriteError::from_sqlx)?;
        }
        Ok(writer)
    }

    /// Takes the turn to write without beginning a transaction: for a single statement, which is a transaction of its
    /// own. Each statement is a trip to the connection's thread or server and back, and on a busy machine each trip waits
    /// for a processor twice, so whoever may not wait makes one trip instead of three.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn write_alone(&self) -> Result<Writer, WriteError> {
        match &self.inner.slot {
            Some(slot) => Writer::alone(self.turn(slot).await?).await,
            None => Ok(Writer::pooled(self.inner.pool.acquire(Entry::Alone).await?)),
        }
    }

    async fn turn(&self, slot: &Arc<Mutex<Slot>>) -> Result<OwnedMutexGuard<Slot>, WriteError> {
        let figures = &self.inner.figures;
        let since = figures.now();
        // A free turn is taken without a timer. This jumps no queue: a freed turn goes straight to the first in it.
        let turn = match Arc::clone(slot).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let patience = self.inner.acquire_timeout;
                tokio::time::timeout(patience, Arc::clone(slot).lock_owned())
                    .await
                    .map_err(|_| WriteError::NoTurn { waited: patience })?
            }
        };
        figures.turn(since);
        Ok(turn)
    }

    /// The URL of a neighbouring database; see [`sibling_url`](super::sibling_url). It may hold a password: for opening,
    /// not for showing.
    #[must_use]
    pub fn sibling(&self, suffix: &str) -> String {
        self.inner.location.sibling(suffix)
    }

    /// The URL as it may be shown: without user information and parameters.
    #[must_use]
    pub fn shown_url(&self) -> String {
        self.inner.location.shown()
    }

    /// What a commit promises.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.inner.durability
    }

    /// Whether the database is in memory, and so gone when the last handle is.
    #[must_use]
    pub fn in_memory(&self) -> bool {
        self.inner.location.in_memory()
    }

    /// What the store measured of its own work since it was opened. Some microseconds; it stops nobody.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let (limit, in_use, idle) = self.inner.pool.fill();
        self.inner.figures.snapshot(limit, in_use, idle)
    }

    /// Reads the figures, and how long statements took by class, as long as the store is open. Does not keep it so.
    pub(crate) fn watch(
        &self,
    ) -> impl Fn() -> Option<(StoreStats, Vec<(StatementClass, Sparse)>)> + Send + Sync + 'static {
        let inner = Arc::downgrade(&self.inner);
        move || {
            let store = Self { inner: inner.upgrade()? };
            Some((store.stats(), store.inner.figures.durations()))
        }
    }

    /// Waits for the readers and writers to finish and closes the database; SQLite folds the write-ahead log into the
    /// file. Every handle is closed; a second call does nothing. Dropping the last handle closes too, but does not wait.
    ///
    /// Not cancel safe: the store may be left half closed, refusing work while the file is still open.
    pub async fn close(&self) {
        self.inner.pool.close().await;
        let Some(slot) = &self.inner.slot else { return };
        let connection = slot.lock().await.close();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(database = %self.inner.location.shown(), %error, "closing the database failed");
        }
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.inner.location.shown()).finish_non_exhaustive()
    }
}
