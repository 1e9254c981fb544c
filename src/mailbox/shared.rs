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
use std::time::Duration;

use super::intake::{Departed, Gate, Intake, IsAgent};
use super::lanes::{Lanes, Taken};
use super::options::{MailboxOptions, Overflow};
use super::parking::{ConsumerId, Sleeper};
use super::waiting::Ticket;
use crate::clock::{Clock, Nanos};
use crate::message::{Envelope, Key, Message, Priority};
use crate::sync::{Arc, AtomicU8, AtomicU64, Mutex, MutexGuard, Ordering, lock};

/// Signal bits 0 to 3: that lane of the intake holds something.
const LANES: u8 = 0b0000_1111;
/// Somebody waits for room.
const WAITING: u8 = 0b0001_0000;
/// A lane of the intake was begun by a sender on another thread than the agent's.
const FOREIGN: u8 = 0b0010_0000;
/// Of those who wait for room, somebody is urgent.
const WAITING_URGENTLY: u8 = 0b0100_0000;

/// In a stream between two cores the agent fetches what has come at most once in so many nanoseconds, because
/// each time takes a few cache lines from the sender (about 200 ns on both sides). A fiftieth of what waking
/// the agent's thread would take.
pub(super) const CROSSING_NANOS: u64 = 1_000;

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

/// Whether a message could be queued at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admitted {
    Yes,
    NoRoom,
    Closed,
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
    /// The thread on which the mailbox was served last.
    home: AtomicU64,
    front: OwnLine<Front<M>>,
    intake: OwnLine<Mutex<Intake<M, S>>>,
}

/// What the agent writes for each message.
#[derive(Debug)]
struct Front<M> {
    lanes: Mutex<Lanes<M>>,
    departed: Departed,
}

/// Begins a cache line of its own: what one core writes for each message must not share a line with what
/// another core reads for each.
#[derive(Debug)]
#[repr(align(64))]
struct OwnLine<T>(T);

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    pub(crate) fn new(options: MailboxOptions) -> Self {
        let options = options.clamped();
        Self {
            options,
            signal: AtomicU8::new(0),
            home: AtomicU64::new(NOWHERE),
            front: OwnLine(Front { lanes: Mutex::new(Lanes::new(&options)), departed: Departed::default() }),
            intake: OwnLine(Mutex::new(Intake::new())),
        }
    }

    pub(crate) fn options(&self) -> &MailboxOptions {
        &self.options
    }

    // ---- The senders' side -------------------------------------------------------------------

    /// Queues the message in `place` if it has room now, and leaves it there otherwise. What is usual on the
    /// way of a message is here, and copies it once.
    #[inline]
    fn try_accept(&self, place: &mut Option<Envelope<M>>, is_agent: IsAgent) -> Admitted {
        let Some(envelope) = place else { return Admitted::Yes };
        if self.options.batch.is_some() {
            envelope.batch_key = envelope.message.batch_key().map(Box::new);
        }
        let mut intake = lock(&self.intake.0);
        if !intake.admits(is_agent) {
            return Admitted::Closed;
        }
        if !self.room_for_newcomer(&mut intake, envelope.priority) {
            return Admitted::NoRoom;
        }
        if let Some(envelope) = place.take() {
            self.accept(intake, envelope);
        }
        Admitted::Yes
    }

    /// Queues a message if it has room, making room first where the overflow policy says so.
    #[inline]
    pub(crate) fn offer(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let mut place = Some(envelope);
        let admitted = self.try_accept(&mut place, is_agent);
        match place {
            None => Offer::Accepted(None),
            Some(envelope) => self.turned_away(envelope, admitted, is_agent),
        }
    }

    /// What becomes of a message that could not be queued at once.
    #[cold]
    fn turned_away(&self, envelope: Envelope<M>, admitted: Admitted, is_agent: IsAgent) -> Offer<M> {
        match (admitted, self.options.overflow) {
            (Admitted::Closed, _) => Offer::Closed(envelope),
            (_, Overflow::ShedLeastUrgent) => self.offer_shedding(envelope, is_agent),
            (_, Overflow::Wait | Overflow::Reject) => Offer::Full(envelope),
        }
    }

    /// Like [`offer`](Self::offer), but a message without room queues for it.
    #[inline]
    pub(crate) fn offer_or_wait(
        &self,
        envelope: Envelope<M>,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        let mut place = Some(envelope);
        let admitted = self.try_accept(&mut place, is_agent);
        match place {
            None => Ok(Offer::Accepted(None)),
            Some(envelope) => self.turned_away_or_wait(envelope, admitted, is_agent),
        }
    }

    /// What becomes of a message that could not be queued at once, and may wait.
    #[cold]
    fn turned_away_or_wait(
        &self,
        envelope: Envelope<M>,
        admitted: Admitted,
        is_agent: IsAgent,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        match self.turned_away(envelope, admitted, is_agent) {
            Offer::Full(envelope) if self.options.overflow == Overflow::Wait => self.wait(envelope, is_agent),
            decided => Ok(decided),
        }
    }

    #[cold]
    fn wait(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Result<Offer<M>, Arc<Ticket<M>>> {
        // Under the front's lock too, so that the agent is between two departures: one before it is counted
        // for us here, one after it finds us waiting. Without it a ticket could wait for ever.
        let front = lock(&self.front.0.lanes);
        let mut intake = lock(&self.intake.0);
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
        let urgent = lane < Priority::Normal.lane();
        self.signal.fetch_or(if urgent { WAITING | WAITING_URGENTLY } else { WAITING }, Ordering::Relaxed);
        Err(ticket)
    }

    /// A sender stops waiting. Its message if it was not accepted yet.
    pub(crate) fn give_up(&self, lane: usize, ticket: &Arc<Ticket<M>>) -> Option<Envelope<M>> {
        let envelope = ticket.cancel();
        if envelope.is_some() {
            lock(&self.intake.0).waiting.cancelled(lane, ticket);
        }
        envelope
    }

    /// Room for a newcomer, after those who waited longer and are at least as urgent.
    #[inline]
    fn room_for_newcomer(&self, intake: &mut Intake<M, S>, priority: Priority) -> bool {
        intake.has_room(priority, &self.options, &self.front.0.departed)
            && !intake.waiting.waits_before(priority)
    }

    #[inline]
    fn accept(&self, mut intake: MutexGuard<'_, Intake<M, S>>, envelope: Envelope<M>) {
        let priority = envelope.priority;
        // The first message of a lane raises its bit; only the agent lowers it, under this lock.
        let is_first = intake.lanes[priority.lane()].is_empty();
        if is_first {
            let home = self.home.load(Ordering::Relaxed);
            let foreign = if home != NOWHERE && home != thread_token() { FOREIGN } else { 0 };
            self.signal.fetch_or(1 << priority.lane() | foreign, Ordering::SeqCst);
        }
        intake.accept(envelope);
        let mut to_wake = intake.parking.pop();
        if to_wake.is_none() && is_first {
            // The agent is awake, and may be waiting for its turn behind its neighbours.
            to_wake = intake.parking.moved_up_by(priority);
        }
        drop(intake);
        if let Some(sleeper) = to_wake {
            sleeper.wake_for(priority);
        }
    }

    fn offer_shedding(&self, envelope: Envelope<M>, is_agent: IsAgent) -> Offer<M> {
        let mut front = lock(&self.front.0.lanes);
        let mut intake = lock(&self.intake.0);
        if !intake.admits(is_agent) {
            return Offer::Closed(envelope);
        }
        if intake.has_room(envelope.priority, &self.options, &self.front.0.departed) {
            self.accept(intake, envelope);
            return Offer::Accepted(None);
        }
        // The newest message may be on either side: bring both together, then look.
        self.bring_all(&mut front, &mut intake);
        let Some(evicted) = front.evict_for(envelope.priority) else {
            return Offer::Full(envelope);
        };
        self.front.0.departed.add(evicted.priority.lane(), 1);
        if intake.has_room(envelope.priority, &self.options, &self.front.0.departed) {
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
        let mut front = lock(&self.front.0.lanes);
        let taken = self.take_from(&mut front, now);
        // `now` may be the end of time, for whoever drains: no reason to think of a stream from then on.
        front.in_stream = false;
        front.crossed_at = Nanos(0);
        self.let_go(front, None);
        taken
    }

    /// The same; and if there is nothing, the consumer is registered to be woken. One that is woken by
    /// something else [`unpark`](Self::unpark)s.
    ///
    /// In the middle of a stream from another core the consumer looks at the intake no oftener than each
    /// [`CROSSING_NANOS`], and what has come since counts as still on its way. `None` if there is nothing else
    /// and it is too early to look: [`linger`](Self::linger).
    pub(crate) fn take_or_park(&self, now: Nanos, consumer: ConsumerId, sleeper: &S) -> Option<Taken<M>> {
        let mut front = lock(&self.front.0.lanes);
        if front.in_stream && now.since(front.crossed_at) < CROSSING_NANOS {
            if !front.has_ready() {
                return None;
            }
            let taken = self.take_here(&mut front, now);
            self.let_go(front, Some(now));
            return Some(taken);
        }
        self.home.store(thread_token(), Ordering::Relaxed);
        loop {
            let taken = self.take_from(&mut front, now);
            // If it may not sleep, something came in since the signal was read.
            if !matches!(taken, Taken::Nothing { .. })
                || self.try_park(&mut front, consumer, sleeper) == Parked::Asleep
            {
                self.let_go(front, Some(now));
                return Some(taken);
            }
        }
    }

    /// The next look at the intake is a real one, whatever the time.
    pub(crate) fn leave_stream(&self) {
        lock(&self.front.0.lanes).in_stream = false;
    }

    /// Waits, awake, until it is time to look at the intake again; the time then. The wait is shorter than
    /// [`CROSSING_NANOS`].
    pub(crate) fn linger(&self, mut now: Nanos, clock: &Clock) -> Nanos {
        let until = now.after(Duration::from_nanos(CROSSING_NANOS));
        let crossed_at = lock(&self.front.0.lanes).crossed_at;
        while now < until && now.since(crossed_at) < CROSSING_NANOS && !clock.is_virtual() {
            now = clock.now();
        }
        self.leave_stream();
        now
    }

    fn try_park(&self, front: &mut Lanes<M>, consumer: ConsumerId, sleeper: &S) -> Parked {
        let mut intake = lock(&self.intake.0);
        if intake.occupied() != 0 || front.has_ready() {
            return Parked::StayAwake;
        }
        intake.parking.park(consumer, sleeper);
        intake.shrink();
        drop(intake);
        front.in_stream = false;
        front.shrink();
        Parked::Asleep
    }

    fn take_from(&self, front: &mut Lanes<M>, now: Nanos) -> Taken<M> {
        let signal = self.signal.load(Ordering::Acquire);
        let worth_crossing = match self.options.batch {
            // A batch should take in what has come for it.
            Some(_) => signal & LANES != 0,
            // A lane the front has something of loses nothing by waiting: its head is older.
            None => signal & LANES & !front.occupied() != 0,
        };
        if worth_crossing {
            self.cross_over(front, &mut lock(&self.intake.0));
            front.crossed_at = now;
            // A batch lingers by rules of its own.
            front.in_stream = signal & FOREIGN != 0 && self.options.batch.is_none();
        }
        self.take_here(front, now)
    }

    #[inline(always)]
    fn take_here(&self, front: &mut Lanes<M>, now: Nanos) -> Taken<M> {
        let taken = front.next(now);
        match &taken {
            Taken::One(envelope) => self.depart(std::slice::from_ref(envelope)),
            Taken::Batch(envelopes) => self.depart(envelopes),
            Taken::Nothing { .. } => {}
        }
        taken
    }

    /// Releases the front after a departure, and lets those in who wait for its place, when that is due; at
    /// once without a time.
    fn let_go(&self, mut front: MutexGuard<'_, Lanes<M>>, now: Option<Nanos>) {
        // Under the lock: see `wait`.
        let signal = self.signal.load(Ordering::Relaxed);
        if signal & WAITING == 0 {
            return;
        }
        let urgent = signal & WAITING_URGENTLY != 0 || !front.has_ready();
        let due = now.is_none_or(|now| front.admission.is_due(now, urgent, self.options.capacity));
        drop(front);
        if due {
            self.admit_waiting();
        }
    }

    /// The agent will not take anything for a while: whoever waits for a place that is free is let in now.
    pub(crate) fn settle_admissions(&self) {
        if self.signal.load(Ordering::Relaxed) & WAITING == 0 {
            return;
        }
        let was_put_off = lock(&self.front.0.lanes).admission.settle();
        if was_put_off {
            self.admit_waiting();
        }
    }

    /// Whether something more urgent than `priority` is queued.
    pub(crate) fn holds_more_urgent_than(&self, priority: Priority) -> bool {
        let more_urgent = (1_u8 << priority.lane()) - 1;
        if self.signal.load(Ordering::Acquire) & more_urgent != 0 {
            return true;
        }
        priority != Priority::Critical && lock(&self.front.0.lanes).ready() & more_urgent != 0
    }

    /// How urgent what is queued is, at most.
    pub(crate) fn most_urgent_pending(&self) -> Option<Priority> {
        // One total order with a sender's write: see `Bell::wait_for_turn`.
        let signalled = self.signal.load(Ordering::SeqCst) & LANES;
        let pending = signalled | lock(&self.front.0.lanes).ready();
        (pending != 0).then(|| most_urgent(pending))
    }

    /// Puts back messages that were taken and not handled, oldest first. They keep their place and do
    /// not count against the bound, which they have passed.
    pub(crate) fn give_back(&self, mut envelopes: Vec<Envelope<M>>) {
        let Some(first) = envelopes.first() else { return };
        let priority = first.priority;
        for envelope in &mut envelopes {
            envelope.returned = true;
        }
        lock(&self.front.0.lanes).give_back(envelopes);
        // In a pool another member may be asleep while this one is about to stop.
        self.wake_one(priority);
    }

    /// Registers the agent to be woken, unless there is something to do already.
    #[cfg(test)]
    pub(super) fn park(&self, consumer: ConsumerId, sleeper: &S) -> Parked {
        self.try_park(&mut lock(&self.front.0.lanes), consumer, sleeper)
    }

    /// A consumer begins to serve, awake.
    pub(crate) fn enlist(&self, consumer: ConsumerId, sleeper: &S) {
        lock(&self.intake.0).parking.enlist(consumer, sleeper);
    }

    /// The consumer is awake for another reason than a message.
    pub(crate) fn unpark(&self, consumer: ConsumerId) {
        lock(&self.intake.0).parking.wake(consumer);
    }

    /// Passes on whatever is queued to another sleeper, for a consumer that stops serving: the wake-up
    /// for it may have come to this one.
    pub(crate) fn hand_over(&self, consumer: ConsumerId) {
        // Nor will it let anybody in for a while.
        self.settle_admissions();
        let front = lock(&self.front.0.lanes);
        let mut intake = lock(&self.intake.0);
        intake.parking.wake(consumer);
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
        let mut front = lock(&self.front.0.lanes);
        let mut intake = lock(&self.intake.0);
        self.bring_all(&mut front, &mut intake);
        let mut removed = front.remove(matches);
        self.depart(&removed);
        let mut wake = Vec::new();
        if waiting_too {
            // Before the places that came free let it in.
            intake.waiting.remove(matches, &mut removed, &mut wake);
        }
        intake.admit_waiting(&self.options, &self.front.0.departed, &mut wake);
        drop(front);
        self.publish(intake, wake);
        removed
    }

    /// Changes who may send. Closing tells every waiting sender.
    pub(crate) fn set_gate(&self, gate: Gate) {
        let mut intake = lock(&self.intake.0);
        // A closed gate stays closed: shutdown may come while an agent is stopping.
        if intake.gate == Gate::Closed {
            return;
        }
        intake.gate = gate;
        let wakers = if gate == Gate::Closed { intake.waiting.close() } else { Vec::new() };
        self.publish(intake, wakers);
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.intake.0).gate == Gate::Closed
    }

    /// Messages queued, for each lane.
    pub(crate) fn depth(&self) -> [u64; Priority::COUNT] {
        lock(&self.intake.0).depth(&self.front.0.departed)
    }

    // ---- Details -----------------------------------------------------------------------------

    /// Brings over the lanes of which the front has nothing: of the others it has what is older, and to
    /// append to them would cost more the longer they are. Where batches gather, all: they take in what has
    /// come for them.
    fn cross_over(&self, front: &mut Lanes<M>, intake: &mut Intake<M, S>) {
        let full = if self.options.batch.is_some() { 0 } else { front.occupied() };
        self.bring(front, intake, !full);
    }

    /// Brings over everything.
    fn bring_all(&self, front: &mut Lanes<M>, intake: &mut Intake<M, S>) {
        self.bring(front, intake, LANES);
    }

    fn bring(&self, front: &mut Lanes<M>, intake: &mut Intake<M, S>, lanes: u8) {
        for (lane, queue) in intake.lanes.iter_mut().enumerate() {
            if lanes & 1 << lane != 0 && !queue.is_empty() {
                front.push_all(lane, queue);
            }
        }
        self.signal.fetch_and(!(lanes & LANES | FOREIGN), Ordering::AcqRel);
    }

    /// Counts messages as gone; called under the front's lock, which makes it the only writer.
    fn depart(&self, envelopes: &[Envelope<M>]) {
        for envelope in envelopes.iter().filter(|envelope| !envelope.returned) {
            self.front.0.departed.add(envelope.priority.lane(), 1);
        }
    }

    fn admit_waiting(&self) {
        let mut intake = lock(&self.intake.0);
        let mut wake = Vec::new();
        intake.admit_waiting(&self.options, &self.front.0.departed, &mut wake);
        self.publish(intake, wake);
    }

    /// Brings the signal in line with the intake, wakes a sleeper if there is work, and the senders.
    fn publish(&self, mut intake: MutexGuard<'_, Intake<M, S>>, senders: Vec<Waker>) {
        if intake.waiting.is_empty() {
            self.signal.fetch_and(!(WAITING | WAITING_URGENTLY), Ordering::Relaxed);
        } else if !intake.waiting.waits_before(Priority::High) {
            self.signal.fetch_and(!WAITING_URGENTLY, Ordering::Relaxed);
        }
        let occupied = intake.occupied();
        self.signal.fetch_or(occupied, Ordering::Release);
        let queued: usize = intake.lanes.iter().map(VecDeque::len).sum();
        // Collected before they are woken: nobody is woken under the lock.
        let mut consumers: Vec<_> = std::iter::from_fn(|| intake.parking.pop()).take(queued).collect();
        if consumers.is_empty() && queued > 0 {
            consumers.extend(intake.parking.moved_up_by(most_urgent(occupied)));
        }
        drop(intake);
        consumers.into_iter().for_each(|sleeper| sleeper.wake_for(most_urgent(occupied)));
        senders.into_iter().for_each(Waker::wake);
    }

    fn wake_one(&self, priority: Priority) {
        let sleeper = lock(&self.intake.0).parking.pop();
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

/// Of a mailbox that has not been served yet.
const NOWHERE: u64 = 0;

/// A number of the calling thread's own.
fn thread_token() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    thread_local! {
        static TOKEN: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // While a thread is torn down it has none, and is a stranger to everybody.
    TOKEN.try_with(|token| *token).unwrap_or(u64::MAX)
}
