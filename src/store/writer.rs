//! Writing: a transaction, and the connection that goes with it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::connection::Connection;
use super::fault::Fault;
use super::pool::{AcquireError, Pooled};
use super::slot::Slot;

/// Why a write could not begin or be committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Others in this process kept the turn to write. SQLite only.
    #[error("the turn to write did not come within {waited:?}; another writer holds a transaction too long")]
    NoTurn {
        /// How long the caller waited.
        waited: Duration,
    },
    /// Every connection is in use, or the server does not answer. PostgreSQL only.
    #[error(
        "no connection to the database came free within {waited:?}; look for transactions that take long, or allow more \
         connections"
    )]
    NoConnection {
        /// How long the caller waited.
        waited: Duration,
        /// What the server last said, if it was it that was in the way.
        source: Option<sqlx::Error>,
    },
    /// Another process keeps the file locked. SQLite only.
    #[error("another process is writing to the database; try again when it is done")]
    Busy(#[source] sqlx::Error),
    /// Another transaction was in the way (a deadlock, or a serialization failure), and nothing was kept. The same again
    /// may succeed, and [`Store::transact`](super::Store::transact) does just that.
    #[error("the transaction met another one and was undone; try it again")]
    Conflict(#[source] sqlx::Error),
    /// A statement of the transaction failed, and PostgreSQL keeps nothing of a transaction in which one failed.
    #[error("a statement of the transaction failed, so nothing of it was kept")]
    Undone(#[source] sqlx::Error),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The database failed; nothing of the transaction was kept. When it is the connection that was lost during a
    /// [`commit`](Writer::commit), nobody knows whether it was.
    #[error("the database refused to write")]
    Database(#[source] sqlx::Error),
}

/// The turn to write: an open transaction and its connection, to which it dereferences.
///
/// On SQLite it is the store's only writing connection, and everybody who writes to this database waits: keep it short. On
/// PostgreSQL many write at a time, and may meet at the rows they write.
///
/// End it with [`commit`](Self::commit). A `Writer` that is dropped instead (an early return, a panic, a cancelled
/// future) is rolled back, on SQLite before anyone else has the turn.
pub struct Writer {
    turn: Turn,
}

enum Turn {
    /// `None` only once `drop` gave the turn away.
    Sqlite(Option<OwnedMutexGuard<Slot>>),
    Postgres(Pooled),
}

impl Writer {
    /// Makes everything since [`Store::write`](super::Store::write) last, as the store's
    /// [`Durability`](super::Durability) says, and gives the turn to the next. Without a transaction (see
    /// [`Store::write_alone`](super::Store::write_alone)) there is nothing to do.
    ///
    /// Not cancel safe: when dropped half way, the transaction may or may not have been committed; it is never half
    /// committed.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: nothing was committed, unless the connection was lost on the way.
    pub async fn commit(mut self) -> Result<(), WriteError> {
        if !self.in_transaction() {
            return Ok(());
        }
        self.try_commit().await.map_err(WriteError::from_sqlx)
    }

    /// Undoes everything since [`Store::write`](super::Store::write) and gives the turn to the next. The same as a
    /// drop, with the error to be seen.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: the database failed; the transaction is undone all the same, on SQLite before the next turn.
    pub async fn rollback(mut self) -> Result<(), WriteError> {
        if !self.in_transaction() {
            return Ok(());
        }
        self.run("ROLLBACK").await.map_err(WriteError::from_sqlx)?;
        self.settle();
        Ok(())
    }

    pub(super) async fn begin(mut turn: OwnedMutexGuard<Slot>) -> Result<Self, WriteError> {
        turn.recover().await?;
        // From here on a cancelled caller leaves through `drop`, which rolls back: the statement may be on its way.
        turn.in_transaction = true;
        let mut writer = Self { turn: Turn::Sqlite(Some(turn)) };
        match writer.run("BEGIN IMMEDIATE").await {
            Ok(()) => Ok(writer),
            Err(error) => {
                writer.settle();
                Err(WriteError::from_sqlx(error))
            }
        }
    }

    /// The turn without a transaction: there is nothing to commit or to undo.
    pub(super) async fn alone(mut turn: OwnedMutexGuard<Slot>) -> Result<Self, WriteError> {
        turn.recover().await?;
        Ok(Self { turn: Turn::Sqlite(Some(turn)) })
    }

    pub(super) fn pooled(pooled: Pooled) -> Self {
        Self { turn: Turn::Postgres(pooled) }
    }

    async fn try_commit(&mut self) -> Result<(), sqlx::Error> {
        if matches!(self.turn, Turn::Postgres(_)) && self.fault().is_some() {
            // PostgreSQL answers the COMMIT of a failed transaction with an undisturbed "ROLLBACK". A savepoint may
            // have made the failure good; so it is asked, and complains if not.
            self.run("SELECT 1").await?;
        }
        self.run("COMMIT").await?;
        self.settle();
        Ok(())
    }

    fn in_transaction(&self) -> bool {
        match &self.turn {
            Turn::Sqlite(turn) => turn.as_ref().is_some_and(|it| it.in_transaction),
            Turn::Postgres(pooled) => pooled.in_transaction(),
        }
    }

    /// There is no transaction any more, so `drop` has nothing to undo.
    fn settle(&mut self) {
        match &mut self.turn {
            Turn::Sqlite(turn) => {
                if let Some(turn) = turn {
                    turn.in_transaction = false;
                }
            }
            Turn::Postgres(pooled) => pooled.settle(),
        }
    }
}

const HELD: &str = "a writer holds its open connection until it is dropped";

impl Deref for Writer {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.turn {
            Turn::Sqlite(turn) => turn.as_ref().and_then(|it| it.connection.as_ref()).expect(HELD),
            Turn::Postgres(pooled) => pooled.connection(),
        }
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.turn {
            Turn::Sqlite(turn) => turn.as_mut().and_then(|it| it.connection.as_mut()).expect(HELD),
            Turn::Postgres(pooled) => pooled.connection_mut(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // PostgreSQL's is undone by what it is made of.
        let Turn::Sqlite(turn) = &mut self.turn else { return };
        let Some(mut turn) = turn.take() else { return };
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

impl WriteError {
    pub(super) fn from_sqlx(error: sqlx::Error) -> Self {
        match Fault::of(&error) {
            Fault::Busy => Self::Busy(error),
            Fault::Conflict => Self::Conflict(error),
            Fault::Lost | Fault::Other if is_undone(&error) => Self::Undone(error),
            Fault::Lost | Fault::Other => Self::Database(error),
        }
    }
}

/// PostgreSQL: "current transaction is aborted".
fn is_undone(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("25P02"))
}

impl From<AcquireError> for WriteError {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::TimedOut { waited, source } => Self::NoConnection { waited, source },
            AcquireError::Closed => Self::Closed,
            AcquireError::Database(error) => Self::from_sqlx(error),
        }
    }
}
