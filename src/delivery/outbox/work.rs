//! A transaction of effects and messages: all of it, or nothing.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::core::Core;
use super::error::{StoreFault, WorkError};
use super::record::Record;
use crate::store::{Connection, Writer};
use crate::sync::Arc;

/// An open transaction on an outbox's store. It dereferences to the connection, for the effects; messages are sent in
/// it by [`DurableRef::tell_in`](super::DurableRef::tell_in) and settled by
/// [`Receipt::settle_in`](super::Receipt::settle_in).
///
/// Dropped without [`commit`](Self::commit), everything is undone: no effect, no message sent, none settled. On SQLite
/// it holds the only turn to write, on PostgreSQL a connection, so keep it short.
pub struct Work {
    /// `None` only once committed.
    writer: Option<Writer>,
    core: Arc<Core>,
    sent: Vec<Box<dyn Sent>>,
    settled: Vec<Arc<Record>>,
}

/// A message sent in a transaction.
pub(super) trait Sent: Send {
    fn committed(self: Box<Self>);
    fn undone(self: Box<Self>);
    /// The transaction ended, nobody knows how.
    fn doubtful(self: Box<Self>);
}

impl Work {
    pub(super) async fn begin(core: Arc<Core>) -> Result<Self, WorkError> {
        let writer = core.store.write().await.map_err(|error| WorkError::Undone(error.into()))?;
        Ok(Self { writer: Some(writer), core, sent: Vec::new(), settled: Vec::new() })
    }

    /// Makes it last, and hands the messages sent in it to their agents.
    ///
    /// Not cancel safe: dropped midway, all of it was committed, or nothing; which, shows at the next delivery.
    ///
    /// # Errors
    ///
    /// [`WorkError::Undone`]: nothing was kept. [`WorkError::Unsure`]: the connection was lost while it committed. In
    /// either case let the handler fail: its message is delivered again if it is still stored.
    pub async fn commit(mut self) -> Result<(), WorkError> {
        let writer = self.writer.take().expect(OPEN);
        let mut ending =
            Ending { sent: std::mem::take(&mut self.sent), settled: std::mem::take(&mut self.settled) };
        match writer.commit().await {
            Ok(()) => {
                ending.settled.drain(..).for_each(|record| record.leave_committed());
                ending.sent.drain(..).for_each(Sent::committed);
                Ok(())
            }
            Err(error) => {
                let fault = StoreFault::from(error);
                // As it does when this future is dropped while it commits.
                drop(ending);
                Err(if fault.is_passing() { WorkError::Unsure(fault) } else { WorkError::Undone(fault) })
            }
        }
    }

    pub(super) fn is_of(&self, record: &Record) -> bool {
        std::sync::Arc::ptr_eq(&self.core.bell, record.settlements.bell())
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn answers_for(&mut self, record: Arc<Record>) {
        self.settled.push(record);
    }

    pub(super) fn sends(&mut self, message: Box<dyn Sent>) {
        self.sent.push(message);
    }
}

const OPEN: &str = "a transaction is open until it is committed or dropped";

impl Deref for Work {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.writer.as_ref().expect(OPEN)
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut Connection {
        self.writer.as_mut().expect(OPEN)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Once committed, both are empty.
        self.settled.drain(..).for_each(|record| record.leave_undone());
        self.sent.drain(..).for_each(Sent::undone);
    }
}

/// What hangs on a commit under way. Dropped with anything left in it, the outcome is not known.
struct Ending {
    sent: Vec<Box<dyn Sent>>,
    settled: Vec<Arc<Record>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.settled.drain(..).for_each(|record| record.leave_undone());
        self.sent.drain(..).for_each(Sent::doubtful);
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("sent", &self.sent.len())
            .field("settled", &self.settled.len())
            .finish_non_exhaustive()
    }
}
