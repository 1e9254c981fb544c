//! The agent's side of a mailbox: what to handle next, when to sleep, and whom to let in.

use std::time::Duration;

use super::lanes::Next;
use super::parking::{ConsumerId, Sleeper};
use super::shared::{FOREIGN, Front, LANES, Mailbox, WAITING, WAITING_URGENTLY, most_urgent};
use super::stream::CROSSING_NANOS;
use crate::clock::{Clock, Nanos};
use crate::message::{Envelope, Hand, Message, Priority};
use crate::sync::{MutexGuard, Ordering};

/// Whether the agent may sleep.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parked {
    Asleep,
    /// Something came in meanwhile.
    StayAwake,
}

impl<M: Message, S: Sleeper> Mailbox<M, S> {
    /// The next message or batch by priority, age and key. A message is put into `hand`, which is empty.
    pub(crate) fn next(&self, now: Nanos, hand: &mut Hand<M>) -> Next<M> {
        let mut front = self.front();
        let next = self.next_from(&mut front, now, hand);
        // `now` may be the end of time, for whoever drains: no reason to think of a stream from then on.
        front.stream.end();
        self.let_go(front, None);
        next
    }

    /// The same; and if there is nothing, the consumer is registered to be woken. One that is woken by
    /// something else [`unpark`](Self::unpark)s.
    ///
    /// In the middle of a stream from another core the consumer looks at the intake no oftener than each
    /// [`CROSSING_NANOS`], and what has come since counts as still on its way: it is [`Next::TooEarly`] if there is
    /// nothing else, and time to [`linger`](Self::linger).
    #[inline]
    pub(crate) fn next_or_park(
        &self,
        now: Nanos,
        hand: &mut Hand<M>,
        consumer: ConsumerId,
        sleeper: &S,
    ) -> Next<M> {
        let mut front = self.front();
        if front.stream.is_fresh(now) {
            if !front.lanes.has_ready() {
                return Next::TooEarly;
            }
            let next = self.next_here(&mut front, now, hand);
            self.let_go(front, Some(now));
            return next;
        }
        self.home.settle();
        loop {
            let next = self.next_from(&mut front, now, hand);
            // If it may not sleep, something came in since the signal was read.
            if !matches!(next, Next::Nothing { .. })
                || self.try_park(&mut front, consumer, sleeper) == Parked::Asleep
            {
                self.let_go(front, Some(now));
                return next;
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

    #[inline]
    fn next_from(&self, front: &mut Front<M>, now: Nanos, hand: &mut Hand<M>) -> Next<M> {
        if self.cross_over(front, now)
            && let Some(next) = front.deal_out_but_one(hand)
        {
            self.depart_one(hand);
            self.show(front);
            return next;
        }
        self.next_here(front, now, hand)
    }

    /// Fetches what has come, if that is worth it. [`Front::deal_out`] is to follow if so.
    #[inline]
    fn cross_over(&self, front: &mut Front<M>, now: Nanos) -> bool {
        let lacking = match self.options.batch {
            // A batch should take in what has come for it.
            Some(_) => LANES,
            // A lane the front has something of loses nothing by waiting: its head is older.
            None => LANES & !front.lanes.occupied(),
        };
        // In a stream there is something, and to look first would fetch the senders' cache line twice: to read, and
        // then to write.
        if lacking == 0 || !front.stream.lasts() && self.signal().load(Ordering::Acquire) & lacking == 0 {
            return false;
        }
        let mut intake = self.intake();
        let signal = self.signal().load(Ordering::Relaxed);
        let found = signal & lacking != 0;
        if found {
            self.bring(front, &mut intake);
        }
        drop(intake);
        // A batch lingers by rules of its own.
        front.stream.cross(now, found && signal & FOREIGN != 0 && self.options.batch.is_none());
        found
    }

    #[inline(always)]
    fn next_here(&self, front: &mut Front<M>, now: Nanos, hand: &mut Hand<M>) -> Next<M> {
        let next = front.lanes.next(now, hand);
        self.show(front);
        match &next {
            Next::One => self.depart_one(hand),
            Next::Batch(envelopes) => self.depart(envelopes),
            Next::Nothing { .. } | Next::TooEarly => {}
        }
        next
    }

    #[inline(always)]
    fn depart_one(&self, hand: &Hand<M>) {
        if !hand.returned {
            self.departed().add(hand.priority.lane(), 1);
        }
    }

    /// Releases the front after a departure, and lets those in who wait for its place, when that is due; at
    /// once without a time.
    #[inline]
    fn let_go(&self, mut front: MutexGuard<'_, Front<M>>, now: Option<Nanos>) {
        // Under the lock: see `wait`.
        let crowd = self.crowd().load(Ordering::Relaxed);
        if crowd & WAITING == 0 {
            return;
        }
        let urgent = crowd & WAITING_URGENTLY != 0 || !front.lanes.has_ready();
        let due = now.is_none_or(|now| front.admissions.is_due(now, urgent, self.options.capacity));
        drop(front);
        if due {
            self.admit_waiting();
        }
    }

    /// The agent will not take anything for a while: whoever waits for a place that is free is let in now.
    pub(crate) fn settle_admissions(&self) {
        if self.crowd().load(Ordering::Relaxed) & WAITING == 0 {
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
        if self.signal().load(Ordering::Acquire) & more_urgent != 0 {
            return true;
        }
        self.ready() & more_urgent != 0
    }

    /// How urgent what has been fetched is, at most. Nothing queued is less urgent than that.
    #[inline]
    pub(crate) fn most_urgent_ready(&self) -> Option<Priority> {
        let ready = self.ready();
        (ready != 0).then(|| most_urgent(ready))
    }

    /// How urgent what is queued is, at most.
    pub(crate) fn most_urgent_pending(&self) -> Option<Priority> {
        // One total order with a sender's write: see `Bell::wait_for_turn`.
        let signalled = self.signal().load(Ordering::SeqCst) & LANES;
        let pending = signalled | self.ready();
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
        let mut front = self.front();
        front.lanes.give_back(envelopes);
        self.show(&front);
        drop(front);
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
        self.hand_over_from(consumer, false);
    }

    /// The same for one that will not come back, so that another may have its number.
    pub(crate) fn dismiss(&self, consumer: ConsumerId) {
        self.hand_over_from(consumer, true);
    }

    fn hand_over_from(&self, consumer: ConsumerId, for_good: bool) {
        // Nor will it let anybody in for a while.
        self.settle_admissions();
        let front = self.front();
        let mut intake = self.intake();
        if for_good {
            intake.parking.dismiss(consumer);
        } else {
            intake.parking.wake(consumer);
        }
        let work = front.lanes.occupied() | intake.occupied();
        let sleeper = if work != 0 { intake.parking.pop() } else { None };
        drop(intake);
        drop(front);
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(most_urgent(work));
        }
    }

    fn wake_one(&self, priority: Priority) {
        let sleeper = self.intake().parking.pop();
        if let Some(sleeper) = sleeper {
            sleeper.wake_for(priority);
        }
    }
}

/// What is served next, with its message: for tests and models.
#[cfg(any(test, statim_loom, statim_shuttle))]
#[derive(Debug)]
pub(crate) enum Taken<M> {
    One(Envelope<M>),
    Batch(Vec<Envelope<M>>),
    Nothing { ripe_at: Option<Nanos> },
}

#[cfg(any(test, statim_loom, statim_shuttle))]
impl<M: Message, S: Sleeper> Mailbox<M, S> {
    pub(crate) fn take(&self, now: Nanos) -> Taken<M> {
        let mut hand = Hand::empty();
        let next = self.next(now, &mut hand);
        Self::taken(next, hand).expect("it is never too early for whoever takes")
    }

    pub(crate) fn take_or_park(&self, now: Nanos, consumer: ConsumerId, sleeper: &S) -> Option<Taken<M>> {
        let mut hand = Hand::empty();
        let next = self.next_or_park(now, &mut hand, consumer, sleeper);
        Self::taken(next, hand)
    }

    fn taken(next: Next<M>, hand: Hand<M>) -> Option<Taken<M>> {
        Some(match next {
            Next::One => Taken::One(hand.filled().expect("a message was put into the hand")),
            Next::Batch(envelopes) => Taken::Batch(*envelopes),
            Next::Nothing { ripe_at } => {
                Taken::Nothing { ripe_at: Some(ripe_at).filter(|ripe_at| *ripe_at != super::lanes::NEVER) }
            }
            Next::TooEarly => return None,
        })
    }
}
