//! The two ends of a mailbox joined.
//!
//! Senders push into the *intake*, under its lock (`sending`). The agent takes from the *front*, under the
//! front's lock, which in the steady state nobody else touches (`taking`). The agent crosses over to the
//! intake only when the signal says that a lane it has nothing of has something there, and then brings that
//! lane along. So the head of each lane is always on the front before a choice is made, which makes the
//! two-sided mailbox choose exactly as one queue would, at a fraction of the contention.
//!
//! Here is what both sides share: the state, and what concerns all of it.
//!
//! Lock order: front, then intake, then a ticket. Nothing of a user's runs and nothing is dropped or
//! woken under a lock, except `Message::key` in a purge, which is guarded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use super::admissions::Admissions;
use super::intake::{Departed, Gate, Intake, Traffic};
use super::lanes::{Lanes, Next};
use super::options::MailboxOptions;
use super::parking::Sleeper;
use super::queue::Queue;
use super::stream::{Home, Stream};
use crate::message::{Envelope, Hand, Key, Message, Priority};
use crate::sync::{AtomicU8, Mutex, MutexGuard, Ordering, lock};

/// Signal bits 0 to 3: that lane of the intake holds something.
pub(super) const LANES: u8 = 0b0000_1111;
/// A lane of the intake was begun by a sender on another thread than the agent's.
pub(super) const FOREIGN: u8 = 0b0010_0000;

/// Somebody waits for room.
pub(super) const WAITING: u8 = 0b0000_0001;
/// Of those who wait for room, somebody is urgent.
pub(super) const WAITING_URGENTLY: u8 = 0b0000_0010;

/// A mailbox of messages `M`, served by whoever `S` wakes.
#[derive(Debug)]
pub(crate) struct Mailbox<M, S = Waker> {
    pub(super) options: MailboxOptions,
    pub(super) home: Home,
    agents: OwnLine<AgentSide<M>>,
    senders: OwnLine<SenderSide<M, S>>,
}

/// What the agent writes for each message.
#[derive(Debug)]
struct AgentSide<M> {
    front: Mutex<Front<M>>,
    departed: Departed,
    /// Whether anybody waits for room. The agent looks for each message, and hardly ever somebody begins to wait.
    crowd: AtomicU8,
    /// In which lanes a choice would find something on the agent's side: for a look without the lock.
    ready: AtomicU8,
}

/// What senders write for each message.
#[derive(Debug)]
#[repr(C)]
struct SenderSide<M, S> {
    signal: AtomicU8,
    intake: Mutex<Intake<M, S>>,
}

/// What is under the agent's lock.
#[derive(Debug)]
pub(super) struct Front<M> {
    pub(super) lanes: Lanes<M>,
    /// What has been brought over and is to be dealt out to the lanes; else an empty queue for the next time.
    tray: Queue<M>,
    pub(super) stream: Stream,
    pub(super) admissions: Admissions,
}

impl<M> Front<M> {
    /// Deals out what has been brought over. Before anything else is done under the front's lock.
    pub(super) fn deal_out(&mut self) {
        if !self.tray.is_empty() {
            self.lanes.deal_out(&mut self.tray);
        }
    }

    /// The same; but a message that is all there is goes straight into the hand, as in a conversation.
    #[inline]
    pub(super) fn deal_out_but_one(&mut self, hand: &mut Hand<M>) -> Option<Next<M>> {
        if self.tray.len() == 1 && self.lanes.is_bare() {
            return Some(self.lanes.take_only(&mut self.tray, hand));
        }
        self.deal_out();
        None
    }
}

/// Begins a cache line of its own: what one core writes for each message must not share a line with what
/// another core reads for each.
#[derive(Debug)]
#[repr(align(64))]
struct OwnLine<T>(T);

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    pub(crate) fn new(options: MailboxOptions) -> Self {
        let options = options.clamped();
        let front = Front {
            lanes: Lanes::new(&options),
            tray: Queue::new(),
            stream: Stream::default(),
            admissions: Admissions::default(),
        };
        Self {
            options,
            home: Home::default(),
            agents: OwnLine(AgentSide {
                front: Mutex::new(front),
                departed: Departed::default(),
                crowd: AtomicU8::new(0),
                ready: AtomicU8::new(0),
            }),
            senders: OwnLine(SenderSide { signal: AtomicU8::new(0), intake: Mutex::new(Intake::new()) }),
        }
    }

    pub(crate) fn options(&self) -> &MailboxOptions {
        &self.options
    }

    /// Removes every message about `key`, queued or waiting for room.
    pub(crate) fn purge(&self, key: Key) -> Vec<Envelope<M>> {
        self.remove(true, &mut |message| {
            // A panic in a user's `key` must not unwind through our locks. What cannot say whom it is
            // about is not shown to be about this one, and stays.
            catch_unwind(AssertUnwindSafe(|| message.key())).ok().flatten() == Some(key)
        })
    }

    /// Removes everything that is queued.
    pub(crate) fn drain(&self) -> Vec<Envelope<M>> {
        self.remove(false, &mut |_| true)
    }

    fn remove(&self, waiting_too: bool, matches: &mut dyn FnMut(&M) -> bool) -> Vec<Envelope<M>> {
        let mut front = self.front();
        let mut intake = self.intake();
        self.bring_all(&mut front, &mut intake);
        let mut removed = front.lanes.remove(matches);
        self.show(&front);
        self.depart(&removed);
        let mut wake = Vec::new();
        if waiting_too {
            // Before the places that came free let it in.
            intake.waiting.remove(matches, &mut removed, &mut wake);
        }
        intake.admit_waiting(&self.options, self.departed(), &mut wake);
        drop(front);
        self.publish(intake, wake);
        removed
    }

    /// Changes who may send. Closing tells every waiting sender.
    pub(crate) fn set_gate(&self, gate: Gate) {
        let mut intake = self.intake();
        // A closed gate stays closed: shutdown may come while an agent is stopping.
        if intake.gate == Gate::Closed {
            return;
        }
        intake.gate = gate;
        let wakers = if gate == Gate::Closed { intake.waiting.close() } else { Vec::new() };
        self.publish(intake, wakers);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.intake().gate == Gate::Closed
    }

    /// Messages queued, for each lane.
    pub(crate) fn depth(&self) -> [u64; Priority::COUNT] {
        self.intake().depth(self.departed())
    }

    /// Messages accepted and gone, for each lane.
    pub(crate) fn traffic(&self) -> Traffic {
        self.intake().traffic(self.departed())
    }

    // ---- For both sides ----------------------------------------------------------------------

    pub(super) fn front(&self) -> MutexGuard<'_, Front<M>> {
        lock(&self.agents.0.front)
    }

    pub(super) fn intake(&self) -> MutexGuard<'_, Intake<M, S>> {
        lock(&self.senders.0.intake)
    }

    pub(super) fn departed(&self) -> &Departed {
        &self.agents.0.departed
    }

    /// Bit n is set where a choice would find something in lane n of the agent's side.
    pub(super) fn ready(&self) -> u8 {
        self.agents.0.ready.load(Ordering::Relaxed)
    }

    /// Shows what is ready, before the front is let go after a change.
    #[inline]
    pub(super) fn show(&self, front: &Front<M>) {
        self.agents.0.ready.store(front.lanes.ready(), Ordering::Relaxed);
    }

    pub(super) fn crowd(&self) -> &AtomicU8 {
        &self.agents.0.crowd
    }

    pub(super) fn signal(&self) -> &AtomicU8 {
        &self.senders.0.signal
    }

    /// Brings over everything.
    pub(super) fn bring_all(&self, front: &mut Front<M>, intake: &mut Intake<M, S>) {
        self.bring(front, intake);
        front.deal_out();
    }

    /// Brings over everything; [`Front::deal_out`] is to follow, which needs no lock of the senders'.
    #[inline]
    pub(super) fn bring(&self, front: &mut Front<M>, intake: &mut Intake<M, S>) {
        intake.hand_over(&mut front.lanes, &mut front.tray);
        self.signal().fetch_and(!(LANES | FOREIGN), Ordering::AcqRel);
    }

    /// Counts messages as gone; called under the front's lock, which makes it the only writer.
    pub(super) fn depart(&self, envelopes: &[Envelope<M>]) {
        for envelope in envelopes.iter().filter(|envelope| !envelope.returned) {
            self.departed().add(envelope.priority.lane(), 1);
        }
    }

    pub(super) fn admit_waiting(&self) {
        let mut intake = self.intake();
        let mut wake = Vec::new();
        intake.admit_waiting(&self.options, self.departed(), &mut wake);
        self.publish(intake, wake);
    }

    /// Brings the signal in line with the intake, wakes a sleeper if there is work, and the senders.
    fn publish(&self, mut intake: MutexGuard<'_, Intake<M, S>>, senders: Vec<Waker>) {
        if intake.waiting.is_empty() {
            self.crowd().fetch_and(!(WAITING | WAITING_URGENTLY), Ordering::Relaxed);
        } else if !intake.waiting.waits_before(Priority::High) {
            self.crowd().fetch_and(!WAITING_URGENTLY, Ordering::Relaxed);
        }
        let occupied = intake.occupied();
        self.signal().fetch_or(occupied, Ordering::Release);
        let queued = intake.len();
        // Collected before they are woken: nobody is woken under the lock.
        let mut consumers: Vec<_> = std::iter::from_fn(|| intake.parking.pop()).take(queued).collect();
        if consumers.is_empty() && queued > 0 {
            consumers.extend(intake.parking.moved_up_by(most_urgent(occupied)));
        }
        drop(intake);
        consumers.into_iter().for_each(|sleeper| sleeper.wake_for(most_urgent(occupied)));
        senders.into_iter().for_each(Waker::wake);
    }
}

/// The most urgent of the lanes whose bits are set, of which there is one.
pub(super) fn most_urgent(lanes: u8) -> Priority {
    let lane = (lanes.trailing_zeros() as usize).min(Priority::COUNT - 1);
    Priority::ALL[lane]
}
