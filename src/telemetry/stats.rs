//! What befell the messages of one agent (all instances of a pool that share a mailbox) besides being handled.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use crate::mailbox::Reason;
use crate::message::Priority;
use crate::sync::Ordering;

#[derive(Debug, Default)]
pub(crate) struct AgentStats {
    panicked: AtomicU32,
    restarts: AtomicU32,
    /// Made when the first message is dropped: most agents never need it.
    dropped: OnceLock<Box<Dropped>>,
}

type Dropped = [[AtomicU32; Priority::COUNT]; Reason::COUNT];

impl AgentStats {
    pub(crate) fn dropped(&self, reason: Reason, priority: Priority) {
        let dropped = self.dropped.get_or_init(Box::default);
        dropped[reason as usize][priority.lane()].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed).into()
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed).into()
    }

    pub(crate) fn dropped_for(&self, reason: Reason) -> u64 {
        let lanes = self.dropped.get().map(|dropped| &dropped[reason as usize]);
        lanes.into_iter().flatten().map(|count| u64::from(count.load(Ordering::Relaxed))).sum()
    }
}
