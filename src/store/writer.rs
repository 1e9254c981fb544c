//! The turn to write, and the one connection that goes with it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use tokio::sync::OwnedMutexGuard;

/// Why a write could not begin or be committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Others in this process kept the turn to write.
    #[error("the turn to write did not come within {waited:?}; another writer holds a transaction too long")]
    NoTurn {
        /// How long the caller waited.
        waited: Duration,
    },
    /// Another process keeps the file locked.
    #[error("another process is writing to the database; try again when it is done")]
    Busy(#[source] sqlx::Error),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// SQLite failed; nothing of the transaction was kept.
    #[error("the database refused to write")]
    Sqlite(#[source] sqlx::Error),
}

/// The turn to write: an open transaction on the store's only writing connection, to which it dereferences.
///
/// End it with [`commit`](Self::commit). A `Writer` that is dropped instead (an early return, a panic, a cancelled
/// future) is rolled back before anyone else has the turn. Keep it short: everybody who writes to this database waits.
pub struct Writer {
    // `None` only once `drop` or `commit` gave the turn away.
    turn: Option<OwnedMutexGuard<Slot>>,
}

impl Writer {
    /// Makes everything since [`Store::write`](super::Store::write) last, as the store's
    /// [`Durability`](super::Durability) says, and gives the turn to the next.
    ///
    /// Not cancel safe: when dropped half way, the transaction may or may not have been committed; it is never half
    /// committed.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: nothing was committed.
    pub async fn commit(mut self) -> Result<(), WriteError> {
        self.run("COMMIT").await?;
        self.settle();
        Ok(())
    }

    /// Undoes everything since [`Store::write`](super::Store::write) and gives the turn to the next. The same as a
    /// drop, with the error to be seen.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: SQLite failed; the transaction is undone all the same, before the next turn.
    pub async fn rollback(mut self) -> Result<(), WriteError> {
        self.run("ROLLBACK").await?;
        self.settle();
        Ok(())
    }

    pub(super) async fn begin(mut turn: OwnedMutexGuard<Slot>) -> Result<Self, WriteError> {
        turn.recover().await?;
        // From here on a cancelled caller leaves through `drop`, which rolls back: the statement may be on its way.
        turn.in_transaction = true;
        let mut writer = Self { turn: Some(turn) };
        match writer.run("BEGIN IMMEDIATE").await {
            Ok(()) => Ok(writer),
            Err(error) => {
                writer.settle();
                Err(error)
            }
        }
    }

    /// The turn without a transaction: there is nothing to commit or to undo.
    pub(super) async fn alone(mut turn: OwnedMutexGuard<Slot>) -> Result<Self, WriteError> {
        turn.recover().await?;
        Ok(Self { turn: Some(turn) })
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), WriteError> {
        let connection: &mut SqliteConnection = &mut *self;
        connection.execute(sqlx::query(statement)).await.map_err(WriteError::from_sqlx)?;
        Ok(())
    }

    /// There is no transaction any more, so `drop` has nothing to undo.
    fn settle(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.in_transaction = false;
        }
    }
}

const HELD: &str = "a writer holds its open connection until it is dropped";

impl Deref for Writer {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.turn.as_ref().and_then(|it| it.connection.as_ref()).expect(HELD)
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.turn.as_mut().and_then(|it| it.connection.as_mut()).expect(HELD)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(mut turn) = self.turn.take() else { return };
        if !turn.in_transaction {
            return;
        }
        // Undo now if there is a runtime to do it on, so that no other process finds the file locked. Otherwise, and
        // if that runtime stops first, whoever has the next turn does it: the mark in the slot stays until it is done.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { turn.undo().await });
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// What lies behind the lock: the connection, and whether the last holder left a transaction open on it.
pub(super) struct Slot {
    /// `None` once the store is closed, or when a lost connection could not be replaced yet.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    in_transaction: bool,
    closed: bool,
}

impl Slot {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = Some(options.connect().await?);
        Ok(Self { connection, options, in_transaction: false, closed: false })
    }

    /// Makes the write-ahead log `bytes` long, by writing that much and forgetting it. The pages stay in the database as
    /// free ones and the log keeps its length when it begins again, so later commits write over both in place.
    ///
    /// An optimisation: if another process is in the way, it is left out.
    pub(super) async fn preallocate(&mut self, bytes: u32) {
        let statements = format!(
            "CREATE TABLE IF NOT EXISTS statim_padding (zeros BLOB);
             INSERT INTO statim_padding VALUES (zeroblob({bytes}));
             DROP TABLE statim_padding;
             PRAGMA wal_checkpoint(RESTART);"
        );
        if let Some(connection) = &mut self.connection
            && let Err(error) = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(connection).await
        {
            tracing::debug!(%error, "the write-ahead log is not preallocated");
        }
    }

    pub(super) fn close(&mut self) -> Option<SqliteConnection> {
        self.closed = true;
        self.connection.take()
    }

    /// Puts right what the last holder left: an open transaction, or a dead connection.
    async fn recover(&mut self) -> Result<(), WriteError> {
        if self.closed {
            return Err(WriteError::Closed);
        }
        if self.in_transaction {
            self.undo().await;
        }
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await.map_err(WriteError::from_sqlx)?);
        }
        Ok(())
    }

    async fn undo(&mut self) {
        if let Some(connection) = &mut self.connection {
            match connection.execute(sqlx::query("ROLLBACK")).await {
                // SQLite says so when the transaction was committed or already undone by itself.
                Ok(_) | Err(sqlx::Error::Database(_)) => {}
                // Only a dead connection gets here: its thread is gone, and with it its transaction.
                Err(error) => {
                    tracing::warn!(%error, "the writing connection was lost; it will be opened anew");
                    self.connection = None;
                }
            }
        }
        self.in_transaction = false;
    }
}

impl WriteError {
    fn from_sqlx(error: sqlx::Error) -> Self {
        if is_busy(&error) { Self::Busy(error) } else { Self::Sqlite(error) }
    }
}

/// Whether SQLite found its lock taken. The primary result code is the low byte: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(it)
        if it.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6)))
}
