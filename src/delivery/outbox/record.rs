//! What accompanies a durable message through the mailbox, and reports its end to the store.

use super::id::StoredId;
use super::row::{Settlement, now_micros};
use super::settlements::Settlements;
use crate::clock::Nanos;
use crate::mailbox::Reason;
use crate::message::{Asker, Keeper, Terms};
use crate::sync::{Arc, AtomicU8, Ordering};

/// One delivery of one message.
pub(crate) struct Record {
    pub(super) id: StoredId,
    pub(super) redelivered: bool,
    pub(super) settlements: Arc<Settlements>,
    state: AtomicU8,
}

/// With its handler, or on its way there.
const UNDER_WAY: u8 = 0;
/// A transaction removed it from the store and is not over yet.
const IN_A_TRANSACTION: u8 = 1;
/// It is out of the store, or will be with the next commit.
const SETTLED: u8 = 2;

impl Record {
    pub(super) fn new(id: StoredId, redelivered: bool, settlements: Arc<Settlements>) -> Self {
        Self { id, redelivered, settlements, state: AtomicU8::new(UNDER_WAY) }
    }

    /// A transaction is about to remove it. `false` if it is settled, or another transaction is about to.
    pub(super) fn enter_transaction(&self) -> bool {
        let (from, to) = (UNDER_WAY, IN_A_TRANSACTION);
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The transaction was committed.
    pub(super) fn leave_committed(&self) {
        self.state.store(SETTLED, Ordering::Release);
        self.settlements.one_less();
    }

    /// The transaction was undone, or nobody knows: then a further removal does no harm.
    pub(super) fn leave_undone(&self) {
        let (from, to) = (IN_A_TRANSACTION, UNDER_WAY);
        let _ = self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
    }

    fn settle(&self, settlement: Settlement) {
        if self.state.swap(SETTLED, Ordering::AcqRel) != SETTLED {
            self.settlements.add(settlement);
        }
    }
}

impl Keeper for Record {
    fn handled(&self) {
        self.settle(Settlement::Handled(self.id));
    }

    fn buried(&self, reason: Reason, attempts: u16) -> bool {
        match reason {
            // Its agent is gone, not the message.
            Reason::Undeliverable => return false,
            // A purge is somebody's wish to be forgotten.
            Reason::Purged => self.settle(self.dead(reason, attempts, false)),
            _ => self.settle(self.dead(reason, attempts, true)),
        }
        true
    }

    fn is_settled(&self) -> bool {
        self.state.load(Ordering::Acquire) == SETTLED
    }
}

impl Record {
    fn dead(&self, reason: Reason, attempts: u16, keep_body: bool) -> Settlement {
        Settlement::Dead { id: self.id, reason: reason.as_str(), attempts, at: now_micros(), keep_body }
    }
}

/// The terms of one delivery: by when, and who keeps the message.
pub(super) struct Delivery {
    pub(super) record: Arc<Record>,
    pub(super) deadline: Option<Nanos>,
}

impl Terms for Delivery {
    fn deadline(&self) -> Option<Nanos> {
        self.deadline
    }

    fn asker(&self) -> Option<&dyn Asker> {
        None
    }

    fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        Some(Arc::clone(&self.record) as Arc<dyn Keeper>)
    }
}
