//! Locks that hold across processes, for jobs of which there may be one at a time.

mod file;
mod id;
mod server;

use std::fmt;
use std::path::PathBuf;

pub use self::id::LockId;

use self::file::FileLock;
use self::server::ServerLock;
use super::{Dialect, Store};

/// Why a lock could not be taken, or does not hold any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file of the lock cannot be used. SQLite only.
    #[error("cannot lock {}; the folder of the database must be writable", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server refused, or cannot be reached. PostgreSQL only.
    #[error("the database does not give the lock")]
    Database(#[source] sqlx::Error),
    /// The connection that held the lock is gone, and the lock with it: somebody else may have it.
    #[error("the lock was lost with its connection; stop, and take it anew")]
    Lost(#[source] sqlx::Error),
}

/// A lock that is held. Dropped, it is free again; also when the process is killed, or loses its connection.
#[must_use = "dropping it frees the lock"]
pub struct Lock {
    id: LockId,
    held: Held,
}

enum Held {
    File(FileLock),
    Server(ServerLock),
}

impl Store {
    /// Takes the lock `id`, waiting for whoever holds it, in any process that uses this database.
    ///
    /// PostgreSQL: an advisory lock of a session, on a connection of its own, so that neither a transaction nor the pool
    /// has to do with it. SQLite: the operating system's lock on a file beside the database; in memory, a lock within the
    /// process. It has no limit of time: put a timeout around it.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue (on PostgreSQL within half a second).
    ///
    /// # Errors
    ///
    /// [`LockError`]: the server cannot be reached, the file cannot be made.
    pub async fn lock(&self, id: LockId) -> Result<Lock, LockError> {
        let held = match self.dialect() {
            Dialect::Sqlite => Held::File(FileLock::take(self, id).await?),
            Dialect::Postgres => Held::Server(ServerLock::take(self, id).await?),
        };
        Ok(Lock { id, held })
    }

    /// As [`lock`](Self::lock), or `None` at once if somebody holds it.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    pub async fn try_lock(&self, id: LockId) -> Result<Option<Lock>, LockError> {
        let held = match self.dialect() {
            Dialect::Sqlite => FileLock::try_take(self, id)?.map(Held::File),
            Dialect::Postgres => ServerLock::try_take(self, id).await?.map(Held::Server),
        };
        Ok(held.map(|held| Lock { id, held }))
    }
}

impl Lock {
    /// Which lock it is.
    #[must_use]
    pub fn id(&self) -> LockId {
        self.id
    }

    /// Asks whether it still holds: a long job does so before each step that may not be done twice. On PostgreSQL a trip to
    /// the server; on SQLite it always holds.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`LockError::Lost`].
    pub async fn check(&mut self) -> Result<(), LockError> {
        match &mut self.held {
            Held::File(_) => Ok(()),
            Held::Server(lock) => lock.check().await,
        }
    }

    /// Frees the lock and waits until it is free. The same as a drop, with the error to be seen.
    ///
    /// # Errors
    ///
    /// [`LockError::Lost`] if it was not held any more.
    pub async fn release(self) -> Result<(), LockError> {
        match self.held {
            Held::File(lock) => {
                drop(lock);
                Ok(())
            }
            Held::Server(lock) => lock.release().await,
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("id", &self.id).finish_non_exhaustive()
    }
}
