//! Messages that are done with and still in the store: what the next commit removes.

use tokio::sync::Notify;

use super::row::Settlement;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// The settlements of one agent's messages. Bounded by what is on its way to the agent: a mailbox and four windows.
#[derive(Default)]
pub(super) struct Settlements {
    due: Mutex<Vec<Settlement>>,
    /// Messages in the store, and those on their way into it.
    pending: AtomicU64,
    settled: AtomicU64,
    dead: AtomicU64,
    bell: std::sync::Arc<Notify>,
}

impl Settlements {
    pub(super) fn new(pending: u64, bell: std::sync::Arc<Notify>) -> Self {
        Self { pending: AtomicU64::new(pending), bell, ..Self::default() }
    }

    /// Called on the agent's thread: a push and, if it is the first, a wake.
    pub(super) fn add(&self, settlement: Settlement) {
        let count = if matches!(settlement, Settlement::Dead { .. }) { &self.dead } else { &self.settled };
        count.fetch_add(1, Ordering::Relaxed);
        let mut due = lock(&self.due);
        due.push(settlement);
        let first = due.len() == 1;
        drop(due);
        if first {
            self.bell.notify_one();
        }
    }

    /// One was removed by a transaction of its handler's.
    pub(super) fn one_less(&self) {
        self.settled.fetch_add(1, Ordering::Relaxed);
        self.pending_less(1);
    }

    /// The bell of the outbox it belongs to.
    pub(super) fn bell(&self) -> &std::sync::Arc<Notify> {
        &self.bell
    }

    pub(super) fn take(&self) -> Vec<Settlement> {
        std::mem::take(&mut *lock(&self.due))
    }

    /// They could not be written now.
    pub(super) fn give_back(&self, settlements: Vec<Settlement>) {
        lock(&self.due).extend(settlements);
    }

    pub(super) fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// Counts one more message as stored, unless there are `most` already.
    pub(super) fn pending_one_more(&self, most: u64) -> bool {
        let more = |pending: u64| (pending < most).then_some(pending + 1);
        self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Counts one more: it was in the store all along, as a letter.
    pub(super) fn pending_unbounded(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pending_less(&self, count: u64) {
        let less = |pending: u64| Some(pending.saturating_sub(count));
        let _ = self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Handled, and dead, since the binding.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.settled.load(Ordering::Relaxed), self.dead.load(Ordering::Relaxed))
    }
}
