//! The mailbox as the models use it: letters with a number each, and an account of what became of every one.
//!
//! The account is kept in the standard library's atomics, which a model checker does not see: it adds no interleavings
//! and, what matters more, no order between threads that the mailbox would have had to provide.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use crate::bed::Bed;
use crate::clock::Nanos;
use crate::letter::Letter;
use crate::mailbox::{Admission, ConsumerId, Gate, Mailbox, MailboxOptions, Offer, Overflow, Taken, Ticket};
use crate::message::{Envelope, Key, Priority};
use crate::primitives::Arc;

/// What its sender was told of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was accepted: from here on it is the mailbox's.
    In,
    /// It came back: full, closed, or the sender gave up.
    Back,
}

/// A letter's two ends: what its sender was told, and who got it on the other side.
#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    told: Option<Told>,
    received: u32,
}

/// A sender's place in the line for room.
pub(crate) struct Place {
    id: usize,
    lane: usize,
    ticket: Arc<Ticket<Letter>>,
}

/// A mailbox with its account.
pub(crate) struct Post {
    mailbox: Mailbox<Letter>,
    is_pool: bool,
    fates: Mutex<Vec<Fate>>,
    accepted: AtomicUsize,
    received: AtomicUsize,
    /// Whoever serves until all is over.
    servants: Mutex<Vec<Waker>>,
}

/// A mailbox of few places, none reserved, strictly by priority.
pub(crate) fn plain(capacity: usize) -> MailboxOptions {
    MailboxOptions { capacity, reserve: 0, overflow: Overflow::Wait, bypass: None, batch: None }
}

impl Post {
    /// For letters numbered below `letters`, and one consumer.
    pub(crate) fn new(options: MailboxOptions, letters: usize) -> Arc<Self> {
        Self::served_by(1, options, letters)
    }

    pub(crate) fn served_by(consumers: u32, options: MailboxOptions, letters: usize) -> Arc<Self> {
        Arc::new(Self {
            mailbox: Mailbox::new(options),
            is_pool: consumers > 1,
            fates: Mutex::new(vec![Fate::default(); letters]),
            accepted: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            servants: Mutex::default(),
        })
    }

    // ---- Senders -----------------------------------------------------------------------------

    /// Sends without waiting.
    pub(crate) fn offer(&self, letter: Letter) -> Told {
        let id = letter.id;
        let offer = self.mailbox.offer(Envelope::new(letter, Nanos(0)), || false);
        self.told_of(id, offer)
    }

    /// Sends, and waits for room where the policy says so.
    pub(crate) fn tell(&self, letter: Letter) -> Told {
        match self.join(letter) {
            Ok(told) => told,
            Err(place) => self.wait(place),
        }
    }

    /// Sends, or joins the line.
    pub(crate) fn join(&self, letter: Letter) -> Result<Told, Place> {
        let (id, lane) = (letter.id, letter.priority.lane());
        match self.mailbox.offer_or_wait(Envelope::new(letter, Nanos(0)), || false) {
            Ok(offer) => Ok(self.told_of(id, offer)),
            Err(ticket) => Err(Place { id, lane, ticket }),
        }
    }

    /// Sleeps in the line until the wait is over.
    pub(crate) fn wait(&self, place: Place) -> Told {
        let (bed, waker) = Bed::made();
        loop {
            if let Poll::Ready(admission) = place.ticket.poll(&waker) {
                return self.admission(place.id, admission);
            }
            bed.sleep();
        }
    }

    /// Looks once whether the wait is over, as a sender does whose timer has just fired.
    pub(crate) fn look(&self, place: Place) -> Result<Told, Place> {
        match place.ticket.poll(Waker::noop()) {
            Poll::Ready(admission) => Ok(self.admission(place.id, admission)),
            Poll::Pending => Err(place),
        }
    }

    /// Leaves the line, unless it was let in meanwhile.
    pub(crate) fn give_up(&self, place: &Place) -> Told {
        match self.mailbox.give_up(place.lane, &place.ticket) {
            Some(envelope) => {
                assert_eq!(envelope.message.id, place.id, "another's letter came back");
                self.told(place.id, Told::Back)
            }
            None => self.told(place.id, Told::In),
        }
    }

    // ---- Consumers ---------------------------------------------------------------------------

    /// Whatever is to be handled next, if there is anything now; by number.
    pub(crate) fn take(&self) -> Vec<usize> {
        self.take_at(Nanos(0))
    }

    /// The same at the end of all lingering.
    pub(crate) fn take_ripe(&self) -> Vec<usize> {
        self.take_at(Nanos(u64::MAX))
    }

    fn take_at(&self, now: Nanos) -> Vec<usize> {
        let taken = self.take_envelopes(now);
        self.receive(taken)
    }

    fn take_envelopes(&self, now: Nanos) -> Vec<Envelope<Letter>> {
        match self.mailbox.take(now) {
            Taken::One(envelope) => vec![envelope],
            Taken::Batch(envelopes) => envelopes,
            Taken::Nothing { .. } => Vec::new(),
        }
    }

    /// Sleeps until there is something, and takes it.
    pub(crate) fn next(&self, consumer: ConsumerId) -> Vec<usize> {
        let (bed, waker) = Bed::made();
        loop {
            let taken = self.take_or_sleep(consumer, &waker, || bed.sleep());
            if !taken.is_empty() {
                return taken;
            }
        }
    }

    /// Takes what there is. If there is nothing, sleeps, as the agent's loop does: woken, a member of a pool is registered
    /// as asleep no more; an agent alone stays so, since there is no other that its wake-up could be meant for.
    fn take_or_sleep(&self, consumer: ConsumerId, waker: &Waker, sleep: impl FnOnce()) -> Vec<usize> {
        match self.take_or_park(consumer, waker) {
            Taken::One(envelope) => self.receive([envelope]),
            Taken::Batch(envelopes) => self.receive(envelopes),
            Taken::Nothing { .. } => {
                sleep();
                if self.is_pool {
                    self.mailbox.unpark(consumer);
                }
                Vec::new()
            }
        }
    }

    /// Takes until `count` letters have been taken.
    pub(crate) fn next_all(&self, consumer: ConsumerId, count: usize) -> Vec<usize> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.extend(self.next(consumer));
        }
        taken
    }

    /// In the middle of a stream the mailbox may find it too early to look; then it is later.
    fn take_or_park(&self, consumer: ConsumerId, waker: &Waker) -> Taken<Letter> {
        (0..)
            .find_map(|millis: u64| self.mailbox.take_or_park(Nanos(millis * 1_000_000), consumer, waker))
            .expect("time passes")
    }

    /// Serves until all is over, of which it hears by [`rouse`](Self::rouse).
    pub(crate) fn serve(&self, consumer: ConsumerId, is_over: impl Fn() -> bool) {
        let (bed, waker) = Bed::made();
        self.servants.lock().unwrap().push(waker.clone());
        while !is_over() {
            let sleep = || {
                if !is_over() {
                    bed.sleep();
                }
            };
            let _taken = self.take_or_sleep(consumer, &waker, sleep);
        }
        self.leave(consumer);
    }

    /// All is over: whoever serves may go.
    pub(crate) fn rouse(&self) {
        let servants = std::mem::take(&mut *self.servants.lock().unwrap());
        servants.into_iter().for_each(Waker::wake);
    }

    /// Takes or, if there is nothing, registers as asleep and goes on, as a consumer does that something else wakes at
    /// once.
    pub(crate) fn take_or_doze(&self, consumer: ConsumerId) -> Vec<usize> {
        match self.take_or_park(consumer, &Bed::made().1) {
            Taken::One(envelope) => self.receive([envelope]),
            Taken::Batch(envelopes) => self.receive(envelopes),
            Taken::Nothing { .. } => Vec::new(),
        }
    }

    /// Awake for another reason than a message.
    pub(crate) fn get_up(&self, consumer: ConsumerId) {
        self.mailbox.unpark(consumer);
    }

    /// Serves no more.
    pub(crate) fn leave(&self, consumer: ConsumerId) {
        self.mailbox.hand_over(consumer);
    }

    /// Takes what there is, if anything, and puts it back.
    pub(crate) fn take_and_give_back(&self) -> bool {
        let taken = self.take_envelopes(Nanos(0));
        let any = !taken.is_empty();
        self.mailbox.give_back(taken);
        any
    }

    /// Whether something more urgent is queued.
    pub(crate) fn holds_more_urgent_than(&self, priority: Priority) -> bool {
        self.mailbox.holds_more_urgent_than(priority)
    }

    // ---- Others ------------------------------------------------------------------------------

    /// Removes the letters about `subject`; by number.
    pub(crate) fn purge(&self, subject: u8) -> Vec<usize> {
        let purged = self.mailbox.purge(Key::of([0, subject]));
        assert!(purged.iter().all(|envelope| envelope.message.subject == Some(subject)));
        self.receive(purged)
    }

    /// Removes every letter that is queued.
    pub(crate) fn drain(&self) -> Vec<usize> {
        let drained = self.mailbox.drain();
        self.receive(drained)
    }

    pub(crate) fn close(&self) {
        self.mailbox.set_gate(Gate::Closed);
    }

    /// How many letters have met their end: come back, or been received.
    pub(crate) fn ended(&self) -> usize {
        let fates = self.fates.lock().unwrap();
        fates.iter().filter(|fate| fate.received > 0 || fate.told == Some(Told::Back)).count()
    }

    /// Letters queued never exceed the capacity, nor bulk its share.
    pub(crate) fn assert_within_bounds(&self) {
        let (depth, options) = (self.mailbox.depth(), self.mailbox.options());
        let bulk = depth[Priority::Normal.lane()] + depth[Priority::Low.lane()];
        assert!(depth.iter().sum::<u64>() <= options.capacity as u64, "over the bound: {depth:?}");
        assert!(bulk <= (options.capacity - options.reserve) as u64, "bulk in the reserve: {depth:?}");
    }

    // ---- The account -------------------------------------------------------------------------

    /// All others are done. What is still queued is taken out, and then every letter that was accepted was received,
    /// once, and no other; and the mailbox is as good as new: exactly its capacity goes in, and comes out again.
    pub(crate) fn settle(&self) {
        self.assert_within_bounds();
        while !self.take_ripe().is_empty() {}
        assert_eq!(self.mailbox.depth(), [0; Priority::COUNT], "an empty mailbox counts letters");
        assert!(self.drain().is_empty(), "a letter was left that no take had found");
        for (id, fate) in self.fates.lock().unwrap().iter().enumerate() {
            let expected = u32::from(fate.told == Some(Told::In));
            assert_eq!(fate.received, expected, "letter {id}: its sender was told {:?}", fate.told);
        }
        if !self.mailbox.is_closed() {
            self.assert_as_good_as_new();
        }
    }

    fn assert_as_good_as_new(&self) {
        let (options, first) = (*self.mailbox.options(), self.fates.lock().unwrap().len());
        let after = first + options.capacity;
        self.fates.lock().unwrap().resize(after + 1 + Priority::COUNT, Fate::default());
        for id in first..after {
            let told = self.offer(Letter::new(id, Priority::High));
            assert_eq!(told, Told::In, "a place of an empty mailbox is lost");
        }
        let one_more = self.offer(Letter::new(after, Priority::High));
        assert_eq!(one_more, Told::Back, "a full mailbox took one more");
        // In each lane one who waits is let in.
        let waiting: Vec<_> = (after + 1..)
            .zip(Priority::ALL)
            .filter(|_| options.overflow == Overflow::Wait)
            .map(|(id, priority)| self.join(Letter::new(id, priority)))
            .collect();
        let mut taken: Vec<_> = std::iter::repeat_with(|| self.take_ripe())
            .take_while(|taken| !taken.is_empty())
            .flatten()
            .collect();
        let last = after + 1..after + 1 + waiting.len();
        for joined in waiting {
            let Err(place) = joined else { panic!("a full mailbox took one more") };
            assert_eq!(self.look(place).ok(), Some(Told::In), "one who waits is not let in");
        }
        taken.sort_unstable();
        assert_eq!(taken, (first..after).chain(last).collect::<Vec<_>>());
    }

    /// Letters accepted and not yet received, as an outsider counts them: late in noting an arrival and late in noting
    /// a departure.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.accepted.load(Ordering::SeqCst), self.received.load(Ordering::SeqCst))
    }

    fn told_of(&self, id: usize, offer: Offer<Letter>) -> Told {
        match offer {
            Offer::Accepted(displaced) => {
                self.receive(displaced);
                self.told(id, Told::In)
            }
            Offer::Full(envelope) | Offer::Closed(envelope) => {
                assert_eq!(envelope.message.id, id, "another's letter came back");
                self.told(id, Told::Back)
            }
        }
    }

    fn admission(&self, id: usize, admission: Admission<Letter>) -> Told {
        match admission {
            Admission::Accepted => self.told(id, Told::In),
            Admission::Closed(envelope) => {
                assert_eq!(envelope.message.id, id, "another's letter came back");
                self.told(id, Told::Back)
            }
        }
    }

    fn told(&self, id: usize, told: Told) -> Told {
        let before = self.fates.lock().unwrap()[id].told.replace(told);
        assert_eq!(before, None, "the sender of letter {id} was told twice");
        if told == Told::In {
            self.accepted.fetch_add(1, Ordering::SeqCst);
        }
        told
    }

    fn receive(&self, envelopes: impl IntoIterator<Item = Envelope<Letter>>) -> Vec<usize> {
        let ids: Vec<_> = envelopes.into_iter().map(|envelope| envelope.message.id).collect();
        for &id in &ids {
            self.fates.lock().unwrap()[id].received += 1;
        }
        self.received.fetch_add(ids.len(), Ordering::SeqCst);
        ids
    }
}
