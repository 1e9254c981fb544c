//! PostgreSQL's advisory lock of a session.

use std::sync::Arc;

use super::{LockError, LockId};
use crate::store::Store;
use crate::store::connection::Connection;
use crate::store::fault::redacted;
use crate::store::home::Home;

/// How long the server waits at a time. A caller that stops waiting is in the server's queue until then, because the server
/// does not look whether anybody still listens.
const ATTEMPT: &str = "SET lock_timeout = '500ms'";

/// SQLSTATE "lock not available".
const NOT_YET: &str = "55P03";

pub(super) struct ServerLock {
    /// `None` only once it was given away.
    connection: Option<Connection>,
    home: Arc<Home>,
}

impl ServerLock {
    pub(super) async fn take(store: &Store, id: LockId) -> Result<Self, LockError> {
        let mut lock = Self::connect(store).await?;
        sqlx::query(ATTEMPT).execute(lock.raw()).await.map_err(refused)?;
        loop {
            let asked =
                sqlx::query("SELECT pg_advisory_lock($1)").bind(id.number()).execute(lock.raw()).await;
            match asked {
                Ok(_) => return Ok(lock),
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NOT_YET) => {}
                Err(error) => return Err(refused(error)),
            }
        }
    }

    pub(super) async fn try_take(store: &Store, id: LockId) -> Result<Option<Self>, LockError> {
        let mut lock = Self::connect(store).await?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(id.number())
            .fetch_one(lock.raw())
            .await
            .map_err(refused)?;
        Ok(taken.then_some(lock))
    }

    async fn connect(store: &Store) -> Result<Self, LockError> {
        let connector = &store.inner().connector;
        let home = Arc::clone(connector.home().expect("a connector of PostgreSQL has a home"));
        let connection = connector.connect().await.map_err(LockError::Database)?;
        Ok(Self { connection: Some(connection), home })
    }

    pub(super) async fn check(&mut self) -> Result<(), LockError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.ping().await.map_err(LockError::Lost)
    }

    pub(super) async fn release(mut self) -> Result<(), LockError> {
        self.check().await?;
        let freed = sqlx::query("SELECT pg_advisory_unlock_all()").execute(self.raw()).await;
        freed.map(drop).map_err(|error| LockError::Lost(redacted(error)))
    }

    /// The connection without its watch: waiting for a lock is neither slow nor failed.
    fn raw(&mut self) -> &mut sqlx::AnyConnection {
        self.connection.as_mut().expect("held until it is dropped").unwatched()
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // The server frees the lock when the connection ends; a goodbye only spares it a line in its log.
        if let Some(connection) = self.connection.take() {
            self.home.spawn(async move { drop(connection.close().await) });
        }
    }
}

fn refused(error: sqlx::Error) -> LockError {
    LockError::Database(redacted(error))
}
