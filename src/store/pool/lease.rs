//! A connection while it is handed out.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::{Access, Entry, Idle, Inner};
use crate::store::Dialect;
use crate::store::connection::Connection;
use crate::store::fault::Fault;
use crate::store::stats::PoolEvent;

/// How long a transaction that was left open may take to be undone before its connection is thrown away instead.
const UNDOING: Duration = Duration::from_secs(5);

/// A connection handed out. Dropped, it is given back.
pub(in crate::store) struct Pooled {
    /// `None` only once it was given back.
    pub(super) connection: Option<Connection>,
    pub(super) born: Instant,
    pub(super) access: Access,
    pub(super) in_transaction: bool,
    pub(super) pool: Arc<Inner>,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

const HELD: &str = "a connection is held until it is given back";

impl Pooled {
    pub(in crate::store) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect(HELD)
    }

    pub(in crate::store) fn connection_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect(HELD)
    }

    pub(in crate::store) fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// The transaction has ended, so there is nothing to undo.
    pub(in crate::store) fn settle(&mut self) {
        self.in_transaction = false;
    }

    pub(super) async fn ready(&mut self, entry: Entry, test: bool) -> Result<(), sqlx::Error> {
        let connection = self.connection.as_mut().expect(HELD);
        connection.forget_fault();
        let postgres = connection.dialect() == Dialect::Postgres;
        let begin = match entry {
            Entry::Write if postgres => "BEGIN READ WRITE",
            Entry::Write => "BEGIN IMMEDIATE",
            Entry::Snapshot if postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Entry::Snapshot => "BEGIN",
            Entry::Read | Entry::Alone if !postgres => return Ok(()),
            Entry::Read if self.access == Access::ReadWrite => {
                connection.run("SET default_transaction_read_only = on").await?;
                self.access = Access::ReadOnly;
                return Ok(());
            }
            Entry::Alone if self.access == Access::ReadOnly => {
                connection.run("SET default_transaction_read_only = off").await?;
                self.access = Access::ReadWrite;
                return Ok(());
            }
            Entry::Read | Entry::Alone if test => return connection.ping().await,
            Entry::Read | Entry::Alone => return Ok(()),
        };
        // From here on whoever stops waiting leaves through `drop`, which undoes: the statement may be on its way.
        self.in_transaction = true;
        let begun = connection.run(begin).await;
        self.in_transaction = begun.is_ok();
        begun
    }

    /// Throws the connection away and keeps its place.
    pub(super) fn discard(mut self) -> Option<OwnedSemaphorePermit> {
        self.connection = None;
        self.place.take()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let (pool, home) = (&self.pool, self.pool.connector.home());
        let idle = Idle { connection, born: self.born, access: self.access };
        // The server may work on a statement that nobody waits for; hung up on, it stops and undoes.
        let abandoned = idle.connection.is_under_way() && home.is_some();
        if abandoned {
            pool.connector.figures().pool(PoolEvent::Interrupted);
            return;
        }
        if idle.connection.fault() == Some(Fault::Lost) {
            return;
        }
        if !self.in_transaction {
            return pool.put(idle);
        }
        let place = self.place.take();
        // Only a task may outlive its pool; the pool may not be kept by its task, nor the thread by the pool.
        let pool = Arc::downgrade(pool);
        match home {
            Some(home) => home.spawn(undo(idle, place, pool)),
            // A reader of SQLite. Without a runtime it is dropped, and its read transaction with it.
            None => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(undo(idle, place, pool));
                }
            }
        }
    }
}

/// Undoes a transaction that was left open and gives its connection back.
async fn undo(mut idle: Idle, place: Option<OwnedSemaphorePermit>, pool: Weak<Inner>) {
    let undone = match idle.connection.dialect() {
        Dialect::Postgres => {
            matches!(tokio::time::timeout(UNDOING, idle.connection.run("ROLLBACK")).await, Ok(Ok(())))
        }
        Dialect::Sqlite => idle.connection.run("ROLLBACK").await.is_ok(),
    };
    if let Some(pool) = pool.upgrade().filter(|_| undone) {
        pool.put(idle);
    }
    drop(place);
}
