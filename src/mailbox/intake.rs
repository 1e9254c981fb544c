//! The senders' side of a mailbox: everything here happens under the intake lock.

use std::cell::Cell;
use std::task::Waker;

use super::lanes::Lanes;
use super::options::MailboxOptions;
use super::parking::{Parking, Sleeper};
use super::queue::{Queue, Rest};
use super::waiting::WaitingRoom;
use crate::clock::Nanos;
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

/// What senders see. In this order in memory: what the agent writes too, when it fetches what has come, is in
/// front, and shares a cache line with the lock.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Intake<M, S> {
    /// What came last, of all priorities: a handful, which the agent takes over whole and deals out itself.
    tray: Queue<M>,
    pub(super) gate: Gate,
    /// Bit n is set where something of lane n is here.
    held: u8,
    has_spilled: bool,
    /// What came before and did not fit on the tray, while the agent had other things to do.
    spilled: Option<Box<[Queue<M>; Priority::COUNT]>>,
    /// Queued in all, and of bulk, when `Departed` was last looked at: never less than there is.
    queued: u64,
    queued_bulk: u64,
    arrived: [u64; Priority::COUNT],
    pub(super) parking: Parking<S>,
    pub(super) waiting: WaitingRoom<M>,
    /// Normal messages admitted since a Low sender waits.
    low_passed_over: u32,
    last_sequence: u64,
}

impl<M, S: Sleeper> Intake<M, S> {
    pub(super) fn new() -> Self {
        Self {
            tray: Queue::new(),
            gate: Gate::Open,
            held: 0,
            has_spilled: false,
            spilled: None,
            queued: 0,
            queued_bulk: 0,
            arrived: [0; Priority::COUNT],
            parking: Parking::new(),
            waiting: WaitingRoom::new(),
            low_passed_over: 0,
            last_sequence: 0,
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
        self.fits(priority, options) || {
            self.count(departed);
            self.fits(priority, options)
        }
    }

    #[cold]
    fn count(&mut self, departed: &Departed) {
        let queued = self.depth(departed);
        self.queued_bulk = queued[Priority::Normal.lane()] + queued[Priority::Low.lane()];
        self.queued = self.queued_bulk + queued[Priority::Critical.lane()] + queued[Priority::High.lane()];
    }

    #[inline]
    fn fits(&self, priority: Priority, options: &MailboxOptions) -> bool {
        let room = self.queued < options.capacity as u64;
        room && (!priority.is_bulk() || self.queued_bulk < (options.capacity - options.reserve) as u64)
    }

    /// Queues the message in `place`, which has room. Whether it is the first of its lane here.
    #[inline(always)]
    pub(super) fn accept(
        &mut self,
        place: &mut Option<Cell<M>>,
        sent_at: Nanos,
        priority: Priority,
        mut rest: Option<Rest>,
        gathers: bool,
    ) -> bool {
        let lane = priority.lane();
        if gathers {
            // Between single messages and batches age decides.
            self.last_sequence += 1;
            rest.get_or_insert_default().sequence = self.last_sequence;
        }
        self.queued += 1;
        self.queued_bulk += u64::from(priority.is_bulk());
        self.arrived[lane] += 1;
        if self.tray.len() >= Queue::<M>::HANDFUL {
            self.spill();
        }
        self.tray.push(place, sent_at, priority, rest);
        let is_first = self.held & 1 << lane == 0;
        self.held |= 1 << lane;
        is_first
    }

    pub(super) fn accept_envelope(&mut self, envelope: Envelope<M>, gathers: bool) -> bool {
        let (message, sent_at, priority, rest) = envelope.split();
        self.accept(&mut Some(Cell::new(message)), sent_at, priority, rest, gathers)
    }

    /// Makes room on the tray.
    #[cold]
    #[inline(never)]
    fn spill(&mut self) {
        self.tray.deal_out(self.spilled.get_or_insert_default());
        self.has_spilled = true;
    }

    /// Hands over everything that is here: what has spilled to `lanes` at once, and then, since it came later, what is
    /// on the tray, to be dealt out when the lock has been let go.
    #[inline]
    pub(super) fn hand_over(&mut self, lanes: &mut Lanes<M>, spare: &mut Queue<M>) {
        if self.has_spilled {
            self.hand_over_spilled(lanes);
        }
        self.held = 0;
        std::mem::swap(&mut self.tray, spare);
    }

    #[cold]
    fn hand_over_spilled(&mut self, lanes: &mut Lanes<M>) {
        self.has_spilled = false;
        for (lane, queue) in self.spilled.iter_mut().flat_map(|spilled| spilled.iter_mut().enumerate()) {
            if !queue.is_empty() {
                lanes.push_all(lane, queue);
            }
        }
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
            self.accept_envelope(envelope, options.batch.is_some());
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

    /// Gives back memory that a burst left behind; nothing is here.
    pub(super) fn shrink(&mut self) {
        self.spilled.iter_mut().for_each(|spilled| spilled.iter_mut().for_each(Queue::shrink));
    }

    /// Bit n is set where lane n holds anything.
    pub(super) fn occupied(&self) -> u8 {
        self.held
    }

    /// How many messages are here, not yet fetched.
    pub(super) fn len(&self) -> usize {
        let spilled = self.spilled.iter().flat_map(|spilled| spilled.iter());
        self.tray.len() + spilled.map(Queue::len).sum::<usize>()
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
