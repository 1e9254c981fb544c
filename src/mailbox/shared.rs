//! The two ends of a mailbox joined.
//!
//! Senders push into the *intake*, under its lock. The agent takes from the *front*, under the front's
//! lock, which in the steady state nobody else touches. The agent crosses over to the intake only when
//! the signal says that a lane it has nothing of has something there, and then brings everything along.
//! So the head of each lane is always on the front before a choice is made, which makes the two-sided
//! mailbox choose exactly as one queue would, at a fraction of the contention.
//!
//! Lock order: front, then intake, then a ticket. Nothing of a user's runs and nothing is dropped or
//! woken under a lock, except `Message::key` in a purge, which is guarded.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use super::intake::{Departed, Gate, Intake, IsAgent};
use super::lanes::{Lanes, Next, batch_key_of};
use super::options::{MailboxOptions, Overflow};
use super::parking::{ConsumerId, Sleeper};
use super::waiting::Ticket;
use crate::clock::Nanos;
use crate::message::{Envelope, Key, Message, Priority};
use crate::sync::{Arc, AtomicU8, Mutex, MutexGuard, Ordering, lock};

/// Signal bits 0 to 3: that lane of the intake holds something.
const LANES: u8 = 0b0000_1111;
/// Somebody waits for room.
const WAITING: u8 = 0b0001_0000;

/// What became of a message offered to the mailbox.
#[derive(Debug)]
pub(crate) enum Offer<M> {
    /// It is queued. The second is what it displaced, if anything.
    Accepted(Option<Envelope<M>>),
    /// There is no room: here it is.
    Full(Envelope<M>),
    /// Nobody takes messages here any more: here it is.
    Closed(Envelope<M>),
}

/// What the agent gets when it asks for work.
#[derive(Debug)]
pub(crate) enum Taken<M> {
    One(Envelope<M>),
    Batch(Vec<Envelope<M>>),
    /// Nothing now; when a lingering batch is ripe, if one lingers.
    Nothing {
        ripe_at: Option<Nanos>,
    },
}

/// Whether the agent may sleep.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parked {
    Asleep,
    /// Something came in meanwhile.
    StayAwake,
}

/// A mailbox of messages `M`, served by whoever `S` wakes.
#[derive(Debug)]
pub(crate) struct Mailbox<M, S = Waker> {
    options: MailboxOptions,
    signal: AtomicU8,
    departed: Departed,
    front: Mutex<Lanes<M>>,
    intake: Mutex<Intake<M, S>>,
}

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    pub(crate) fn new(options: MailboxOptions) -> Self {
        let options = options.clamped();
        Self {
            options,
            signal: AtomicU8::new(0),
            departed: Departed::default(),
            front: Mutex::new(Lanes::new(&options)),
            intake: Mutex::new(Intake::new()),
        }
    }

    pub(crate) fn options(&self) -> &MailboxOptions {
        &self.options
    }

    // ---- The senders' side -------------------------------------------------------------------

    /// Queues a message if it has room, making room first where the overflow policy says so.
    pub(crate) fn offer(&self, mut envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        envelope.batch_key = batch_key_of(&envelope.message, &self.options);
        let mut intake = lock(&self.intake);
        if !intake.admits(is_agent) {
            return Offer::Closed(envelope);
        }
        if self.room_for_newcomer(&mut intake, envelope.priority) {
            self.accept(intake, envelope);
            return Offer::Accepted(None);
        }
        drop(intake);
        if self.options.overflow == Overflow::ShedLeastUrgent {
            return self.offer_shedding(envelope, is_agent);
        }
        Offer::Full(envelope)
    }

    /// Like [`offer`](Self::offer), but a message without room queues for it.
    pub(crate) fn offer_or_wait(
        &self,
        envelope: Envelope<M>,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        let envelope = match self.offer(envelope, is_agent) {
            Offer::Full(envelope) if self.options.overflow == Overflow::Wait => envelope,
            decided => return Ok(decided),
        };
        // Under the front's lock too, so that the agent is between two departures: one before it is counted
        // for us here, one after it finds us waiting. Without it a ticket could wait for ever.
        let front = lock(&self.front);
        let mut intake = lock(&self.intake);
        if !intake.admits(is_agent) {
            return Ok(Offer::Closed(envelope));
        }
        if self.room_for_newcomer(&mut intake, envelope.priority) {
            drop(front);
            self.accept(intake, envelope);
            return Ok(Offer::Accepted(None));
        }
        let lane = envelope.priority.lane();
        let ticket = Arc::new(Ticket::new(envelope));
        intake.waiting.join(lane, Arc::clone(&ticket));
        self.signal.fetch_or(WAITING, Ordering::Relaxed);
        Err(ticket)
    }

    /// A sender stops waiting. Its message if it was not accepted yet.
    pub(crate) fn give_up(&self, lane: usize, ticket: &Arc<Ticket<M>>) -> Option<Envelope<M>> {
        let envelope = ticket.cancel();
        if envelope.is_some() {
            lock(&self.intake).waiting.cancelled(lane, ticket);
        }
        envelope
    }

    /// Room for a newcomer, after those who waited longer and are at least as urgent.
    fn room_for_newcomer(&self, intake: &mut Intake<M, S>, priority: Priority) -> bool {
        let ahead = (0..=priority.lane()).any(|lane| intake.waiting.waits(lane));
        intake.has_room(priority, &self.options, &self.departed) && !ahead
    }

    fn accept(&self, mut intake: MutexGuard<'_, Intake<M, S>>, envelope: Envelope<M>) {
        let priority = envelope.priority;
        // The first message of a lane raises its bit; only the agent lowers it, under this lock.
        let is_first = intake.lanes[priority.lane()].is_empty();
        if is_first {
            self.signal.fetch_or(1 << priority.lane(), Ordering::Release);
        }
        intake.accept(envelope);
        if let Some(sleeper) = intake.parking.pop() {
            drop(intake);
            return sleeper.wake_for(priority);
        }
        // The agent is awake, and may be waiting for its turn behind its neighbours.
        if is_first && !priority.is_bulk() {
            if let Some(sole) = intake.parking.sole() {
                drop(intake);
                return sole.wake_for(priority);
            }
            let awake = intake.parking.awake();
            drop(intake);
            awake.into_iter().for_each(|consumer| consumer.wake_for(priority));
        }
    }

    fn offer_shedding(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let mut front = lock(&self.front);
        let mut intake = lock(&self.intake);
        if !intake.admits(is_agent) {
            return Offer::Closed(envelope);
        }
        if intake.has_room(envelope.priority, &self.options, &self.departed) {
            self.accept(intake, envelope);
            return Offer::Accepted(None);
        }
        // The newest message may be on either side: bring both together, then look.
        self.cross_over(&mut front, &mut intake);
        let Some(evicted) = front.evict_for(envelope.priority) else {
            return Offer::Full(envelope);
        };
        self.departed.add(evicted.priority.lane(), 1);
        if intake.has_room(envelope.priority, &self.options, &self.departed) {
            self.accept(intake, envelope);
            return Offer::Accepted(Some(evicted));
        }
        // A Normal newcomer over the bulk limit gains room only from bulk, and Low is all there is
        // less urgent than Normal, so an eviction always made room.
        unreachable!("an evicted message leaves a place for a more urgent one")
    }

    // ---- The agent's side --------------------------------------------------------------------

    /// The next message or batch by priority, age and key.
    pub(crate) fn take(&self, now: Nanos) -> Taken<M> {
        self.take_from(lock(&self.front), now).0
    }

    /// The same; and if there is nothing, the consumer is registered to be woken. One that is woken by
    /// something else [`unpark`](Self::unpark)s.
    pub(crate) fn take_or_park(&self, now: Nanos, consumer: ConsumerId, sleeper: &S) -> Taken<M> {
        let mut front = lock(&self.front);
        loop {
            let (taken, back) = self.take_from(front, now);
            let Some(mut back) = back else { return taken };
            if self.try_park(&mut back, consumer, sleeper) == Parked::Asleep {
                return taken;
            }
            // Something came in since the signal was read.
            front = back;
        }
    }

    fn try_park(&self, front: &mut Lanes<M>, consumer: ConsumerId, sleeper: &S) -> Parked {
        let mut intake = lock(&self.intake);
        if intake.occupied() != 0 || front.has_ready() {
            return Parked::StayAwake;
        }
        intake.parking.park(consumer, sleeper);
        intake.shrink();
        drop(intake);
        front.shrink();
        Parked::Asleep
    }

    /// What was taken; if nothing, the lock too.
    fn take_from<'a>(
        &self,
        mut front: MutexGuard<'a, Lanes<M>>,
        now: Nanos,
    ) -> (Taken<M>, Option<MutexGuard<'a, Lanes<M>>>) {
        let signalled = self.signal.load(Ordering::Acquire) & LANES;
        let worth_crossing = match self.options.batch {
            // A batch should take in what has come for it.
            Some(_) => signalled != 0,
            // A lane the front has something of loses nothing by waiting: its head is older.
            None => signalled & !front.occupied() != 0,
        };
        if worth_crossing {
            self.cross_over(&mut front, &mut lock(&self.intake));
        }
        let taken = match front.next(now) {
            Next::One(envelope) => {
                self.depart(std::slice::from_ref(&envelope));
                Taken::One(envelope)
            }
            Next::Batch(envelopes) => {
                self.depart(&envelopes);
                Taken::Batch(envelopes)
            }
            Next::Nothing { ripe_at } => return (Taken::Nothing { ripe_at }, Some(front)),
        };
        // Under the lock: see `offer_or_wait`.
        let somebody_waits = self.signal.load(Ordering::Relaxed) & WAITING != 0;
        drop(front);
        if somebody_waits {
            self.admit_waiting();
        }
        (taken, None)
    }

    /// Whether something more urgent than `priority` is queued.
    pub(crate) fn holds_more_urgent_than(&self, priority: Priority) -> bool {
        let more_urgent = (1_u8 << priority.lane()) - 1;
        if self.signal.load(Ordering::Acquire) & more_urgent != 0 {
            return true;
        }
        priority != Priority::Critical && lock(&self.front).ready() & more_urgent != 0
    }

    /// Puts back messages that were taken and not handled, oldest first. They keep their place and do
    /// not count against the bound, which they have passed.
    pub(crate) fn give_back(&self, mut envelopes: Vec<Envelope<M>>) {
        let Some(first) = envelopes.first() else { return };
        let priority = first.priority;
        for envelope in &mut envelopes {
            envelope.returned = true;
        }
        lock(&self.front).give_back(envelopes);
        // In a pool another member may be asleep while this one is about to stop.
        self.wake_one(priority);
    }

    /// Registers the agent to be woken, unless there is something to do already.
    #[cfg(test)]
    pub(super) fn park(&self, consumer: ConsumerId, sleeper: &S) -> Parked {
        self.try_park(&mut lock(&self.front), consumer, sleeper)
    }

    /// The consumer is awake for another reason than a message.
    pub(crate) fn unpark(&self, consumer: ConsumerId) {
        lock(&self.intake).parking.wake(consumer);
    }

    /// Passes on whatever is queued to another sleeper, for a consumer that stops serving: the wake-up
    /// for it may have come to this one.
    pub(crate) fn hand_over(&self, consumer: ConsumerId) {
        let front = lock(&self.front);
        let mut intake = lock(&self.intake);
        intake.parking.leave(consumer);
        let work = front.occupied() | intake.occupied();
        let sleeper = if work != 0 { intake.parking.pop() } else { None };
        drop(intake);
        drop(front);
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(most_urgent(work));
        }
    }

    // ---- Both sides at once ------------------------------------------------------------------

    /// Removes every message about `key`, queued or waiting for room.
    pub(crate) fn purge(&self, key: Key) -> Vec<Envelope<M>> {
        self.remove(true, &mut |envelope| {
            // A panic in a user's `key` must not unwind through our locks. What cannot say whom it is
            // about is not shown to be about this one, and stays.
            catch_unwind(AssertUnwindSafe(|| envelope.message.key())).ok().flatten() == Some(key)
        })
    }

    /// Removes everything that is queued.
    pub(crate) fn drain(&self) -> Vec<Envelope<M>> {
        self.remove(false, &mut |_| true)
    }

    fn remove(&self, waiting_too: bool, matches: &mut dyn FnMut(&Envelope<M>) -> bool) -> Vec<Envelope<M>> {
        let mut front = lock(&self.front);
        let mut intake = lock(&self.intake);
        self.cross_over(&mut front, &mut intake);
        let mut removed = front.remove(matches);
        self.depart(&removed);
        let mut wake = Vec::new();
        if waiting_too {
            // Before the places that came free let it in.
            intake.waiting.remove(matches, &mut removed, &mut wake);
        }
        intake.admit_waiting(&self.options, &self.departed, &mut wake);
        drop(front);
        self.publish(intake, wake);
        removed
    }

    /// Changes who may send. Closing tells every waiting sender.
    pub(crate) fn set_gate(&self, gate: Gate) {
        let mut intake = lock(&self.intake);
        // A closed gate stays closed: shutdown may come while an agent is stopping.
        if intake.gate == Gate::Closed {
            return;
        }
        intake.gate = gate;
        let wakers = if gate == Gate::Closed { intake.waiting.close() } else { Vec::new() };
        self.publish(intake, wakers);
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.intake).gate == Gate::Closed
    }

    /// Messages queued, for each lane.
    pub(crate) fn depth(&self) -> [u64; Priority::COUNT] {
        lock(&self.intake).depth(&self.departed)
    }

    // ---- Details -----------------------------------------------------------------------------

    /// Brings everything from the intake to the front.
    fn cross_over(&self, front: &mut Lanes<M>, intake: &mut Intake<M, S>) {
        for (lane, queue) in intake.lanes.iter_mut().enumerate() {
            if !queue.is_empty() {
                front.push_all(lane, queue);
            }
        }
        self.signal.fetch_and(!LANES, Ordering::AcqRel);
    }

    /// Counts messages as gone; called under the front's lock, which makes it the only writer.
    fn depart(&self, envelopes: &[Envelope<M>]) {
        for envelope in envelopes.iter().filter(|envelope| !envelope.returned) {
            self.departed.add(envelope.priority.lane(), 1);
        }
    }

    fn admit_waiting(&self) {
        let mut intake = lock(&self.intake);
        let mut wake = Vec::new();
        intake.admit_waiting(&self.options, &self.departed, &mut wake);
        self.publish(intake, wake);
    }

    /// Brings the signal in line with the intake, wakes a sleeper if there is work, and the senders.
    fn publish(&self, mut intake: MutexGuard<'_, Intake<M, S>>, senders: Vec<Waker>) {
        if intake.waiting.is_empty() {
            self.signal.fetch_and(!WAITING, Ordering::Relaxed);
        }
        let occupied = intake.occupied();
        self.signal.fetch_or(occupied, Ordering::Release);
        let queued: usize = intake.lanes.iter().map(VecDeque::len).sum();
        // Collected before they are woken: nobody is woken under the lock.
        let consumers: Vec<_> = std::iter::from_fn(|| intake.parking.pop()).take(queued).collect();
        drop(intake);
        consumers.into_iter().for_each(|sleeper| sleeper.wake_for(most_urgent(occupied)));
        senders.into_iter().for_each(Waker::wake);
    }

    fn wake_one(&self, priority: Priority) {
        let sleeper = lock(&self.intake).parking.pop();
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(priority);
        }
    }
}

/// The most urgent of the lanes whose bits are set, of which there is one.
fn most_urgent(lanes: u8) -> Priority {
    let lane = (lanes.trailing_zeros() as usize).min(Priority::COUNT - 1);
    Priority::ALL[lane]
}
