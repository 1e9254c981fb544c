//! One agent's way into the queue of its thread.

use std::sync::OnceLock;

use super::{Door, Slot};
use crate::message::Priority;
use crate::sync::{Arc, AtomicU8, Ordering};

/// The agent is to be run. Bits 0 to 3 say in which lanes of the queue an entry of it stands.
const RUNG: u8 = 0b0001_0000;

/// A bell that anybody may ring, and one thread answers.
///
/// Rung again before it is answered it queues nothing further, unless the second ring is more urgent: then
/// it queues once more, further in front, and the entry behind is found stale. So there is at most one
/// entry for each lane, however often it is rung.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: AtomicU8,
    /// How urgent it is to go on with what the agent has begun.
    pace: AtomicU8,
    /// The lane of the entry by which it has its turn.
    turn: AtomicU8,
    place: OnceLock<Place>,
}

#[derive(Debug)]
struct Place {
    door: Arc<Door>,
    slot: Slot,
}

impl Bell {
    /// Hangs the bell at its thread's door, and rings it once.
    pub(crate) fn hang(&self, door: &Arc<Door>, slot: Slot) {
        let _ = self.place.set(Place { door: Arc::clone(door), slot });
        // A ring before this found no place: it set a bit and made no entry. From here on they agree, but for
        // an entry that a ring in this very moment adds and that will be found stale.
        let first = Priority::High;
        self.state.swap(RUNG | 1 << first.lane(), Ordering::AcqRel);
        door.ring(slot, first);
    }

    /// Queues the agent, this urgently.
    pub(crate) fn ring(&self, priority: Priority) {
        let bit = 1 << priority.lane();
        let at_least_as_urgent = bit | (bit - 1);
        // Written even if it was set: whoever answers after this sees what we rang for.
        let before = self.state.fetch_or(RUNG, Ordering::SeqCst);
        if before & RUNG != 0 && before & at_least_as_urgent != 0 {
            return;
        }
        // A lane's bit is set by whoever makes the entry. If it is set already its entry, found stale a moment
        // ago, is live again.
        if self.state.fetch_or(bit, Ordering::SeqCst) & bit != 0 {
            return;
        }
        if let Some(place) = self.place.get() {
            place.door.ring(place.slot, priority);
        }
    }

    /// Queues the agent to go on with what it has begun.
    pub(crate) fn ring_to_go_on(&self) {
        let lane = usize::from(self.pace.load(Ordering::Relaxed));
        self.ring(Priority::ALL[lane]);
    }

    /// From now on going on is so urgent.
    #[inline]
    pub(crate) fn set_pace(&self, priority: Priority) {
        // Senders on other cores read it: it is written only if it changes.
        if self.pace.load(Ordering::Relaxed) != priority as u8 {
            self.pace.store(priority as u8, Ordering::Relaxed);
        }
    }

    /// The agent has work and lets others go first: it waits for its turn in the lane of `priority`, or in
    /// that of what `is_pending` says has come for it meanwhile.
    ///
    /// Whoever brings something more urgent moves it up. Both sides write before they look (the agent that it
    /// is rung, the sender that its lane holds something), in one total order, so one sees the other.
    pub(crate) fn wait_for_turn(&self, priority: Priority, is_pending: impl FnOnce() -> Option<Priority>) {
        self.ring(priority);
        if let Some(pending) = is_pending().filter(|pending| pending.is_more_urgent_than(priority)) {
            self.ring(pending);
        }
    }

    /// Something of this priority waits for the agent, which is awake: what it does is in its way, and so is
    /// as urgent from now on. Whether the agent waits for a turn that a ring would bring forward.
    pub(crate) fn hurry(&self, priority: Priority) -> bool {
        if self.pace.load(Ordering::Relaxed) > priority as u8 {
            self.pace.fetch_min(priority as u8, Ordering::SeqCst);
        }
        let bit = 1 << priority.lane();
        let state = self.state.load(Ordering::SeqCst);
        state & RUNG != 0 && state & (bit | (bit - 1)) == 0
    }

    /// How urgent the entry was by which the agent runs.
    pub(crate) fn turn(&self) -> Priority {
        Priority::ALL[usize::from(self.turn.load(Ordering::Relaxed))]
    }

    /// An entry of this lane came up. Whether the agent is still to be run.
    pub(crate) fn answer(&self, priority: Priority) -> bool {
        self.turn.store(priority as u8, Ordering::Relaxed);
        // Before the agent runs: a ring while it runs is for its next turn.
        let before = self.state.fetch_and(!(RUNG | 1 << priority.lane()), Ordering::AcqRel);
        before & RUNG != 0
    }
}
