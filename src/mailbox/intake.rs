//! The senders' side of a mailbox: everything here happens under the intake lock.

use std::collections::VecDeque;
use std::task::Waker;

use super::lane::shrink;
use super::options::MailboxOptions;
use super::parking::{Parking, Sleeper};
use super::waiting::WaitingRoom;
use crate::message::{Envelope, Priority};
use crate::sync::{AtomicU64, Ordering};

/// Who may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Everybody.
    Open,
    /// Agents only: the runtime is shutting down and work already inside may still flow to its end.
    AgentsOnly,
    /// Nobody.
    Closed,
}

/// Says whether the sender is an agent. Asked only when it matters.
pub(crate) type IsAgent = fn() -> bool;

/// Messages that have left the mailbox, for each lane. Written under the front's lock, read by senders
/// only when the mailbox looks full: the cache line mostly stays where it is.
///
/// A sender that reads it without the front's lock may see too little, and the mailbox fuller than it is;
/// never emptier. Before it waits for room it looks again, under that lock.
#[derive(Debug, Default)]
pub(super) struct Departed([AtomicU64; Priority::COUNT]);

impl Departed {
    /// Call under the front's lock only: it makes the caller the only writer.
    pub(super) fn add(&self, lane: usize, count: u64) {
        let before = self.0[lane].load(Ordering::Relaxed);
        self.0[lane].store(before + count, Ordering::Release);
    }

    fn of(&self, lane: usize) -> u64 {
        self.0[lane].load(Ordering::Acquire)
    }
}

/// Messages that have passed each lane of a mailbox since it was made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) arrived: [u64; Priority::COUNT],
    pub(crate) departed: [u64; Priority::COUNT],
}

#[derive(Debug)]
pub(super) struct Intake<M, S> {
    pub(super) gate: Gate,
    pub(super) lanes: [VecDeque<Envelope<M>>; Priority::COUNT],
    arrived: [u64; Priority::COUNT],
    /// The last look at `Departed`; never ahead of it, so occupancy is never underestimated.
    departed_seen: [u64; Priority::COUNT],
    next_sequence: u64,
    pub(super) waiting: WaitingRoom<M>,
    /// Normal messages admitted since a Low sender waits.
    low_passed_over: u32,
    pub(super) parking: Parking<S>,
}

impl<M, S: Sleeper> Intake<M, S> {
    pub(super) fn new() -> Self {
        Self {
            gate: Gate::Open,
            lanes: std::array::from_fn(|_| VecDeque::new()),
            arrived: [0; Priority::COUNT],
            departed_seen: [0; Priority::COUNT],
            next_sequence: 0,
            waiting: WaitingRoom::new(),
            low_passed_over: 0,
            parking: Parking::new(),
        }
    }

    pub(super) fn admits(&self, is_agent: IsAgent) -> bool {
        match self.gate {
            Gate::Open => true,
            Gate::AgentsOnly => is_agent(),
            Gate::Closed => false,
        }
    }

    /// Whether a message of `priority` has room, looking at the agent's progress only if need be.
    #[inline]
    pub(super) fn has_room(
        &mut self,
        priority: Priority,
        options: &MailboxOptions,
        departed: &Departed,
    ) -> bool {
        if self.fits(priority, options) {
            return true;
        }
        for lane in 0..Priority::COUNT {
            self.departed_seen[lane] = departed.of(lane);
        }
        self.fits(priority, options)
    }

    fn fits(&self, priority: Priority, options: &MailboxOptions) -> bool {
        let queued = |lane: usize| self.arrived[lane] - self.departed_seen[lane];
        let bulk = queued(Priority::Normal.lane()) + queued(Priority::Low.lane());
        let all = bulk + queued(Priority::Critical.lane()) + queued(Priority::High.lane());
        let room = all < options.capacity as u64;
        room && (!priority.is_bulk() || bulk < (options.capacity - options.reserve) as u64)
    }

    /// Queues a message that has room.
    #[inline]
    pub(super) fn accept(&mut self, mut envelope: Envelope<M>) {
        let lane = envelope.priority.lane();
        envelope.sequence = self.next_sequence;
        self.next_sequence += 1;
        self.arrived[lane] += 1;
        let queue = &mut self.lanes[lane];
        if queue.capacity() == 0 {
            // An agent that is asked now and then keeps one place, and one that is busy grows its own.
            queue.reserve_exact(1);
        }
        queue.push_back(envelope);
    }

    /// Lets waiting senders in while there is room, the most urgent first and in a lane whoever waited
    /// longest. A waiting Low sender is passed over by at most `bypass` Normal ones.
    pub(super) fn admit_waiting(
        &mut self,
        options: &MailboxOptions,
        departed: &Departed,
        wake: &mut Vec<Waker>,
    ) {
        while let Some(lane) = self.next_waiting(options) {
            if !self.has_room(Priority::ALL[lane], options, departed) {
                // Bulk may be held back by the reserve only; nothing less urgent has room either.
                return;
            }
            let Some((envelope, waker)) = self.waiting.admit(lane) else { continue };
            self.count_admission(lane);
            self.accept(envelope);
            wake.extend(waker);
        }
    }

    /// Whose turn it is. Counts nothing: there may be no room for them.
    fn next_waiting(&self, options: &MailboxOptions) -> Option<usize> {
        let (normal, low) = (Priority::Normal.lane(), Priority::Low.lane());
        let first = (0..Priority::COUNT).find(|&lane| self.waiting.waits(lane))?;
        let due = options.bypass.is_some_and(|bypass| self.low_passed_over >= bypass);
        Some(if first == normal && due && self.waiting.waits(low) { low } else { first })
    }

    fn count_admission(&mut self, lane: usize) {
        let low = Priority::Low.lane();
        if lane == low || !self.waiting.waits(low) {
            self.low_passed_over = 0;
        } else if lane == Priority::Normal.lane() {
            self.low_passed_over = self.low_passed_over.saturating_add(1);
        }
    }

    /// Gives back memory that a burst left behind; the lanes are empty.
    pub(super) fn shrink(&mut self) {
        self.lanes.iter_mut().for_each(shrink);
    }

    /// Bit n is set where lane n holds anything.
    pub(super) fn occupied(&self) -> u8 {
        self.lanes
            .iter()
            .enumerate()
            .fold(0, |bits, (lane, queue)| if queue.is_empty() { bits } else { bits | 1 << lane })
    }

    /// Messages ever accepted in each lane, and messages that have left it.
    pub(super) fn traffic(&self, departed: &Departed) -> Traffic {
        Traffic { arrived: self.arrived, departed: std::array::from_fn(|lane| departed.of(lane)) }
    }

    /// Messages in each lane that have not left the mailbox.
    pub(super) fn depth(&self, departed: &Departed) -> [u64; Priority::COUNT] {
        std::array::from_fn(|lane| self.arrived[lane].saturating_sub(departed.of(lane)))
    }
}
