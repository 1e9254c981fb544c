//! The store's record of a message, as its handler sees it.

use std::any::Any;
use std::fmt;

use super::error::SettleError;
use super::id::StoredId;
use super::ledger;
use super::record::Record;
use super::work::Work;
use crate::message::Keeper;
use crate::sync::Arc;

/// A durable message's place in the store, for its handler: to make an effect exactly once.
///
/// A message is delivered at least once: after a crash, whatever was not settled comes again. An effect in the same
/// store is made exactly once by settling the message in the transaction of the effect:
///
/// ```ignore
/// let mut work = outbox.begin().await?;
/// insert_entry(&mut work, &entry).await?;
/// receipt.settle_in(&mut work).await?;      // fails if the effect was made before
/// work.commit().await?;
/// ```
///
/// An effect elsewhere is made once by [`id`](Self::id), which is the same at each delivery.
#[derive(Clone)]
pub struct Receipt {
    record: Arc<Record>,
}

impl Receipt {
    pub(crate) fn of(keeper: Arc<dyn Keeper>) -> Option<Self> {
        let keeper: Arc<dyn Any + Send + Sync> = keeper;
        Some(Self { record: keeper.downcast().ok()? })
    }

    /// The number of the message, unique in its store and the same at each delivery.
    #[must_use]
    pub fn id(&self) -> StoredId {
        self.record.id
    }

    /// Whether it was stored before the agent was bound, so that it may have been delivered before.
    #[must_use]
    pub fn is_redelivery(&self) -> bool {
        self.record.redelivered
    }

    /// Removes the message from the store as part of `work`: if that commits, the message is done with, whatever its
    /// handler says after; if it does not, the message is still there.
    ///
    /// Cancel safe: dropped midway, `work` should be undone, as ever.
    ///
    /// # Errors
    ///
    /// [`SettleError`]: the message was settled before, came through another outbox, or the database failed. Undo the
    /// work then; after [`SettleError::AlreadySettled`] report success, since the effect has been made.
    pub async fn settle_in(&self, work: &mut Work) -> Result<(), SettleError> {
        let id = self.id();
        if !work.is_of(&self.record) {
            return Err(SettleError::OtherOutbox { id });
        }
        if !self.record.enter_transaction() {
            return Err(SettleError::AlreadySettled { id });
        }
        // From here on the work answers for the record, also if this future is dropped.
        work.answers_for(Arc::clone(&self.record));
        match ledger::remove_one(work, id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SettleError::AlreadySettled { id }),
            Err(error) => Err(SettleError::Store { id, source: error.into() }),
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("id", &self.id())
            .field("is_redelivery", &self.is_redelivery())
            .finish_non_exhaustive()
    }
}
