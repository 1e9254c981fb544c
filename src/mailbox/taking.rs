//! The agent's side of a mailbox: what to handle next, when to sleep, and whom to let in.

use std::time::Duration;

use super::intake::Intake;
use super::lanes::Taken;
use super::parking::{ConsumerId, Sleeper};
use super::shared::{FOREIGN, Front, LANES, Mailbox, WAITING, WAITING_URGENTLY, most_urgent};
use super::stream::CROSSING_NANOS;
use crate::clock::{Clock, Nanos};
use crate::message::{Envelope, Message, Priority};
use crate::sync::{MutexGuard, Ordering};

/// Whether the agent may sleep.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parked {
    Asleep,
    /// Something came in meanwhile.
    StayAwake,
}

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    /// The next message or batch by priority, age and key.
    pub(crate) fn take(&self, now: Nanos) -> Taken<M> {
        let mut front = self.front();
        let taken = self.take_from(&mut front, now);
        // `now` may be the end of time, for whoever drains: no reason to think of a stream from then on.
        front.stream.end();
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
        let mut front = self.front();
        if front.stream.is_fresh(now) {
            if !front.lanes.has_ready() {
                return None;
            }
            let taken = self.take_here(&mut front, now);
            self.let_go(front, Some(now));
            return Some(taken);
        }
        self.home.settle();
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
        self.front().stream.end();
    }

    /// Waits, awake, until it is time to look at the intake again; the time then. The wait is shorter than
    /// [`CROSSING_NANOS`].
    pub(crate) fn linger(&self, mut now: Nanos, clock: &Clock) -> Nanos {
        let stream = self.front().stream;
        // Bounded by our own time too: another member of a pool may have crossed over by a time of no meaning
        // (see `take`).
        let until = now.after(Duration::from_nanos(CROSSING_NANOS));
        while now < until && stream.is_fresh(now) && !clock.is_virtual() {
            now = clock.now();
        }
        self.leave_stream();
        now
    }

    fn try_park(&self, front: &mut Front<M>, consumer: ConsumerId, sleeper: &S) -> Parked {
        let mut intake = self.intake();
        if intake.occupied() != 0 || front.lanes.has_ready() {
            return Parked::StayAwake;
        }
        intake.parking.park(consumer, sleeper);
        intake.shrink();
        drop(intake);
        front.stream.end();
        front.lanes.shrink();
        Parked::Asleep
    }

    fn take_from(&self, front: &mut Front<M>, now: Nanos) -> Taken<M> {
        let signal = self.signal.load(Ordering::Acquire);
        let worth_crossing = match self.options.batch {
            // A batch should take in what has come for it.
            Some(_) => signal & LANES != 0,
            // A lane the front has something of loses nothing by waiting: its head is older.
            None => signal & LANES & !front.lanes.occupied() != 0,
        };
        if worth_crossing {
            self.cross_over(front, &mut self.intake());
            // A batch lingers by rules of its own.
            front.stream.cross(now, signal & FOREIGN != 0 && self.options.batch.is_none());
        }
        self.take_here(front, now)
    }

    #[inline(always)]
    fn take_here(&self, front: &mut Front<M>, now: Nanos) -> Taken<M> {
        let taken = front.lanes.next(now);
        match &taken {
            Taken::One(envelope) => self.depart(std::slice::from_ref(envelope)),
            Taken::Batch(envelopes) => self.depart(envelopes),
            Taken::Nothing { .. } => {}
        }
        taken
    }

    /// Releases the front after a departure, and lets those in who wait for its place, when that is due; at
    /// once without a time.
    fn let_go(&self, mut front: MutexGuard<'_, Front<M>>, now: Option<Nanos>) {
        // Under the lock: see `wait`.
        let signal = self.signal.load(Ordering::Relaxed);
        if signal & WAITING == 0 {
            return;
        }
        let urgent = signal & WAITING_URGENTLY != 0 || !front.lanes.has_ready();
        let due = now.is_none_or(|now| front.admissions.is_due(now, urgent, self.options.capacity));
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
        let was_put_off = self.front().admissions.settle();
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
        priority != Priority::Critical && self.front().lanes.ready() & more_urgent != 0
    }

    /// How urgent what is queued is, at most.
    pub(crate) fn most_urgent_pending(&self) -> Option<Priority> {
        // One total order with a sender's write: see `Bell::wait_for_turn`.
        let signalled = self.signal.load(Ordering::SeqCst) & LANES;
        let pending = signalled | self.front().lanes.ready();
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
        self.front().lanes.give_back(envelopes);
        // In a pool another member may be asleep while this one is about to stop.
        self.wake_one(priority);
    }

    /// Registers the agent to be woken, unless there is something to do already.
    #[cfg(test)]
    pub(super) fn park(&self, consumer: ConsumerId, sleeper: &S) -> Parked {
        self.try_park(&mut self.front(), consumer, sleeper)
    }

    /// A consumer begins to serve, awake.
    pub(crate) fn enlist(&self, consumer: ConsumerId, sleeper: &S) {
        self.intake().parking.enlist(consumer, sleeper);
    }

    /// The consumer is awake for another reason than a message.
    pub(crate) fn unpark(&self, consumer: ConsumerId) {
        self.intake().parking.wake(consumer);
    }

    /// Passes on whatever is queued to another sleeper, for a consumer that stops serving: the wake-up
    /// for it may have come to this one.
    pub(crate) fn hand_over(&self, consumer: ConsumerId) {
        // Nor will it let anybody in for a while.
        self.settle_admissions();
        let front = self.front();
        let mut intake = self.intake();
        intake.parking.wake(consumer);
        let work = front.lanes.occupied() | intake.occupied();
        let sleeper = if work != 0 { intake.parking.pop() } else { None };
        drop(intake);
        drop(front);
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(most_urgent(work));
        }
    }

    /// Brings over the lanes of which the front has nothing: of the others it has what is older, and to
    /// append to them would cost more the longer they are. Where batches gather, all: they take in what has
    /// come for them.
    fn cross_over(&self, front: &mut Front<M>, intake: &mut Intake<M, S>) {
        let full = if self.options.batch.is_some() { 0 } else { front.lanes.occupied() };
        self.bring(front, intake, !full);
    }

    fn wake_one(&self, priority: Priority) {
        let sleeper = self.intake().parking.pop();
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(priority);
        }
    }
}
