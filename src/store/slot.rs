//! The one connection that SQLite is written with.

use super::connect::Connector;
use super::connection::Connection;
use super::writer::WriteError;

/// What lies behind the lock: the connection, and whether the last holder left a transaction open on it.
pub(super) struct Slot {
    /// `None` once the store is closed, or when a lost connection could not be replaced yet.
    pub(super) connection: Option<Connection>,
    pub(super) in_transaction: bool,
    connector: Connector,
    closed: bool,
}

impl Slot {
    pub(super) async fn open(connector: Connector) -> Result<Self, sqlx::Error> {
        let connection = Some(connector.connect().await?);
        Ok(Self { connection, in_transaction: false, connector, closed: false })
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

    pub(super) fn close(&mut self) -> Option<Connection> {
        self.closed = true;
        self.connection.take()
    }

    /// Puts right what the last holder left: an open transaction, or a dead connection.
    pub(super) async fn recover(&mut self) -> Result<(), WriteError> {
        if self.closed {
            return Err(WriteError::Closed);
        }
        if self.in_transaction {
            self.undo().await;
        }
        match &mut self.connection {
            Some(connection) => connection.forget_fault(),
            None => self.connection = Some(self.connector.connect().await.map_err(WriteError::from_sqlx)?),
        }
        Ok(())
    }

    pub(super) async fn undo(&mut self) {
        if let Some(connection) = &mut self.connection {
            match connection.run("ROLLBACK").await {
                // SQLite says so when the transaction was committed or already undone by itself.
                Ok(()) | Err(sqlx::Error::Database(_)) => {}
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
