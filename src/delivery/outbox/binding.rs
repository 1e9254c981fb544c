//! An agent bound to an outbox: its number, its four lanes, its settlements.

use std::sync::atomic::{AtomicBool, AtomicI64};

use super::core::Core;
use super::durable::Durable;
use super::id::StoredId;
use super::lane::{Lane, Numbers, Waiting};
use super::row::Stored;
use super::settlements::Settlements;
use super::stats::AgentOutbox;
use crate::agent::AgentRef;
use crate::message::Priority;
use crate::store::Lock;
use crate::sync::{Arc, Mutex, Ordering, lock};

/// Sequences are reserved in blocks of this many. A restart skips the rest of a block; 46 bits hold 2³⁰ blocks.
pub(super) const BLOCK: i64 = 1 << 16;

pub(super) struct Binding<M: Durable> {
    pub(super) agent: AgentRef<M>,
    pub(super) number: u16,
    pub(super) lanes: [Lane<M>; Priority::COUNT],
    pub(super) settlements: Arc<Settlements>,
    pub(super) core: Arc<Core>,
    /// Messages with a lower sequence were stored before this binding, and may have been delivered before.
    pub(super) first: i64,
    numbers: Arc<Numbers>,
    reserved: AtomicI64,
    ended: AtomicBool,
    /// Held while this process delivers the agent's messages. It guards against a second process started by mistake; a
    /// database server that restarts forgets it.
    lock: Mutex<Option<Lock>>,
}

impl<M: Durable> Binding<M> {
    /// A block of sequences from `first` on is reserved already.
    pub(super) fn new(
        agent: AgentRef<M>,
        number: u16,
        first: i64,
        settlements: Arc<Settlements>,
        core: Arc<Core>,
        lock: Lock,
    ) -> Self {
        let window = core.options.window;
        let numbers = Arc::new(Numbers::from(first));
        Self {
            agent,
            number,
            lanes: std::array::from_fn(|lane| Lane::new(number, lane, Arc::clone(&numbers), window)),
            settlements,
            core,
            first,
            numbers,
            reserved: AtomicI64::new(first.saturating_add(BLOCK)),
            ended: AtomicBool::new(false),
            lock: Mutex::new(Some(lock)),
        }
    }

    /// No more is delivered: the agent has ended.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// A binding whatever its message type: what a commit needs of it.
pub(super) trait AnyBinding: Send + Sync {
    fn agent_number(&self) -> u16;
    fn settlements(&self) -> &Arc<Settlements>;
    /// Up to where sequences are to be reserved in the store, if what is reserved runs out within `margin`.
    fn reservation_for(&self, margin: i64) -> Option<i64>;
    /// They are.
    fn reserved(&self, up_to: i64);
    fn has_ended(&self) -> bool;
    /// Gives up the right to deliver.
    fn let_go(&self);
    fn name(&self) -> &str;
    /// The number of the next message of this priority.
    fn next_number(&self, priority: Priority) -> StoredId;
    /// A letter became a message again, or did not.
    fn revived(&self, id: StoredId, stored: Option<Stored>);
    fn figures(&self) -> AgentOutbox;
}

impl<M: Durable> AnyBinding for Binding<M> {
    fn agent_number(&self) -> u16 {
        self.number
    }

    fn settlements(&self) -> &Arc<Settlements> {
        &self.settlements
    }

    fn reservation_for(&self, margin: i64) -> Option<i64> {
        let wanted = self.numbers.next().saturating_add(margin);
        (wanted >= self.reserved.load(Ordering::Acquire)).then_some(wanted.saturating_add(BLOCK))
    }

    fn reserved(&self, up_to: i64) {
        self.reserved.fetch_max(up_to, Ordering::AcqRel);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.agent.is_closed()
    }

    fn let_go(&self) {
        drop(lock(&self.lock).take());
    }

    fn name(&self) -> &str {
        self.agent.name()
    }

    fn next_number(&self, priority: Priority) -> StoredId {
        self.lanes[priority.lane()].number()
    }

    fn revived(&self, id: StoredId, stored: Option<Stored>) {
        let lane = &self.lanes[id.priority().lane()];
        let Some(stored) = stored else { return lane.not_committed(id) };
        self.settlements.pending_unbounded();
        lane.committed(Waiting::read_back(stored, true));
    }

    fn figures(&self) -> AgentOutbox {
        let (handled, dead) = self.settlements.totals();
        AgentOutbox {
            agent: self.agent.name().to_owned(),
            pending: self.settlements.pending(),
            in_memory: self.lanes.iter().map(|lane| lane.in_memory() as u64).sum(),
            handled,
            dead,
        }
    }
}
