//! Envelopes in a row, packed: what most messages have is beside the message in eight bytes, and what few have is in a
//! second row.
//!
//! Between two cores a message costs what its cache lines cost, so here two short messages share one, where an
//! [`Envelope`] takes one and a half. Packing and unpacking happen in the cache of whoever does it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::clock::Nanos;
use crate::message::{Envelope, Hand, Key, Priority, Terms};

/// Above this many places an empty queue gives its memory back when the agent falls idle: it keeps a
/// few kilobytes so that a conversation does not allocate, and not the megabytes of a burst.
const KEPT_PLACES: usize = 64;

/// A FIFO of envelopes of one priority or of several.
pub(super) struct Queue<M> {
    entries: VecDeque<Entry<M>>,
    /// Those of the marked entries, in their order. Made for the first.
    #[expect(clippy::box_collection, reason = "most queues never need it, and every agent has several")]
    rests: Option<Box<VecDeque<Rest>>>,
}

struct Entry<M> {
    message: Packed<M>,
    stamp: Stamp,
}

/// A message about which the compiler need know nothing but its size, so that an entry moves in one piece. Otherwise
/// it is taken to pieces on the way, to see whether it is there and in case it must be dropped, and what was
/// written in pieces is read as a whole a moment later, for which a processor has to wait.
///
/// Dropped by its queue.
struct Packed<M>(Cell<ManuallyDrop<M>>);

impl<M> Packed<M> {
    #[inline(always)]
    fn new(message: M) -> Self {
        Self(Cell::new(ManuallyDrop::new(message)))
    }

    #[inline(always)]
    fn unpack(self) -> M {
        ManuallyDrop::into_inner(self.0.into_inner())
    }

    fn get(&mut self) -> &M {
        self.0.get_mut()
    }
}

/// What few messages have.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) terms: Option<Arc<dyn Terms>>,
    pub(super) batch_key: Option<Box<Key>>,
    pub(super) sequence: u64,
    pub(super) failed_attempts: u16,
    pub(super) returned: bool,
}

impl Rest {
    fn is_nothing(&self) -> bool {
        self.terms.is_none()
            && self.batch_key.is_none()
            && self.sequence == 0
            && self.failed_attempts == 0
            && !self.returned
    }

    fn put_into<M>(self, envelope: &mut Envelope<M>) {
        envelope.terms = self.terms;
        envelope.batch_key = self.batch_key;
        envelope.sequence = self.sequence;
        envelope.failed_attempts = self.failed_attempts;
        envelope.returned = self.returned;
    }
}

impl<M> Envelope<M> {
    pub(super) fn split(self) -> (M, Nanos, Priority, Option<Rest>) {
        let Self { message, sent_at, terms, batch_key, sequence, failed_attempts, priority, returned } = self;
        let rest = Rest { terms, batch_key, sequence, failed_attempts, returned };
        (message, sent_at, priority, Some(rest).filter(|rest| !rest.is_nothing()))
    }
}

impl<M> Entry<M> {
    fn join(self, rest: Option<Rest>) -> Envelope<M> {
        let Self { message, stamp } = self;
        let message = message.unpack();
        let Rest { terms, batch_key, sequence, failed_attempts, returned } = rest.unwrap_or_default();
        let (sent_at, priority) = (stamp.sent_at(), stamp.priority());
        Envelope { message, sent_at, terms, batch_key, sequence, failed_attempts, priority, returned }
    }
}

/// When a message was sent (nanoseconds, which last 73 years here), its lane, and whether there is a rest.
#[derive(Debug, Clone, Copy)]
struct Stamp(u64);

const TIME_BITS: u32 = 61;
const LANE_SHIFT: u32 = TIME_BITS;
const LANES: u64 = 0b11;
const MARK: u64 = 1 << 63;

impl Stamp {
    fn new(sent_at: Nanos, priority: Priority, has_rest: bool) -> Self {
        let time = sent_at.0.min((1 << TIME_BITS) - 1);
        let mark = if has_rest { MARK } else { 0 };
        Self(time | (priority as u64) << LANE_SHIFT | mark)
    }

    fn sent_at(self) -> Nanos {
        Nanos(self.0 & ((1 << TIME_BITS) - 1))
    }

    fn lane(self) -> usize {
        (self.0 >> LANE_SHIFT & LANES) as usize
    }

    fn priority(self) -> Priority {
        Priority::ALL[self.lane()]
    }

    fn has_rest(self) -> bool {
        self.0 & MARK != 0
    }
}

impl<M> Drop for Queue<M> {
    fn drop(&mut self) {
        while let Some(envelope) = self.pop_front() {
            drop(envelope);
        }
    }
}

impl<M> AsMut<Self> for Queue<M> {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl<M> Default for Queue<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Queue<M> {
    /// So many messages are four kilobytes, and at most as many as an idle agent's queue keeps room for. Tests and
    /// models have few messages, and are to see what happens when it is not enough.
    pub(super) const HANDFUL: usize = if cfg!(any(test, statim_loom, statim_shuttle)) {
        2
    } else {
        let fit = 4_096 / size_of::<Entry<M>>();
        if fit < 4 {
            4
        } else if fit > KEPT_PLACES {
            KEPT_PLACES
        } else {
            fit
        }
    };

    pub(super) const fn new() -> Self {
        Self { entries: VecDeque::new(), rests: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends the message in `place`, with what it has besides.
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        place: &mut Option<Cell<M>>,
        sent_at: Nanos,
        priority: Priority,
        rest: Option<Rest>,
    ) {
        // What might fail is done before the message is taken from its place: so it is never in between, where it
        // would have to be kept in memory and copied once more.
        if self.entries.len() == self.entries.capacity() {
            self.grow();
        }
        let stamp = Stamp::new(sent_at, priority, rest.is_some());
        if let Some(rest) = rest {
            self.rests().push_back(rest);
        }
        if let Some(message) = place.take() {
            self.entries.push_back(Entry { message: Packed::new(message.into_inner()), stamp });
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        if self.entries.capacity() == 0 {
            // An agent that is asked now and then keeps one place, and one that is busy grows its own.
            self.entries.reserve_exact(1);
        } else {
            self.entries.reserve(1);
        }
    }

    pub(super) fn push_back(&mut self, envelope: Envelope<M>) {
        let (message, sent_at, priority, rest) = envelope.split();
        self.push(&mut Some(Cell::new(message)), sent_at, priority, rest);
    }

    pub(super) fn push_front(&mut self, envelope: Envelope<M>) {
        let (message, sent_at, priority, rest) = envelope.split();
        let stamp = Stamp::new(sent_at, priority, rest.is_some());
        if let Some(rest) = rest {
            self.rests().push_front(rest);
        }
        self.entries.push_front(Entry { message: Packed::new(message), stamp });
    }

    fn rests(&mut self) -> &mut VecDeque<Rest> {
        self.rests.get_or_insert_with(|| Box::new(VecDeque::with_capacity(1)))
    }

    /// Takes the oldest message into an empty hand. Whether there was one.
    #[inline(always)]
    pub(super) fn pop_into(&mut self, hand: &mut Hand<M>) -> bool {
        let Some(Entry { message, stamp }) = self.entries.pop_front() else { return false };
        hand.message = Some(message.unpack());
        hand.sent_at = stamp.sent_at();
        hand.priority = stamp.priority();
        if stamp.has_rest() {
            let rest = self.rests.as_mut().and_then(|rests| rests.pop_front());
            rest.into_iter().for_each(|rest| rest.put_into(hand));
        }
        true
    }

    pub(super) fn pop_front(&mut self) -> Option<Envelope<M>> {
        let entry = self.entries.pop_front()?;
        let has_rest = entry.stamp.has_rest();
        let rest = if has_rest { self.rests.as_mut().and_then(|rests| rests.pop_front()) } else { None };
        Some(entry.join(rest))
    }

    pub(super) fn pop_back(&mut self) -> Option<Envelope<M>> {
        let entry = self.entries.pop_back()?;
        let has_rest = entry.stamp.has_rest();
        let rest = if has_rest { self.rests.as_mut().and_then(|rests| rests.pop_back()) } else { None };
        Some(entry.join(rest))
    }

    /// The oldest message's sequence, and whether it was given back.
    pub(super) fn oldest(&self) -> Option<Age> {
        self.entries.front().map(|entry| entry.age(self.rests.as_ref().and_then(|rests| rests.front())))
    }

    /// The same of the newest.
    pub(super) fn newest(&self) -> Option<Age> {
        self.entries.back().map(|entry| entry.age(self.rests.as_ref().and_then(|rests| rests.back())))
    }

    /// Moves everything behind what is here, from a queue of newer messages.
    pub(super) fn append(&mut self, newer: &mut Self) {
        if self.is_empty() {
            // The usual case under load costs nothing per message: the two change places.
            std::mem::swap(self, newer);
            return;
        }
        self.entries.append(&mut newer.entries);
        if let Some(rests) = newer.rests.as_mut().filter(|rests| !rests.is_empty()) {
            self.rests.get_or_insert_default().append(rests);
        }
    }

    /// Moves each message to the end of its lane's queue.
    #[inline]
    pub(super) fn deal_out(&mut self, lanes: &mut [impl AsMut<Self>; Priority::COUNT]) {
        for entry in self.entries.drain(..) {
            let queue = lanes[entry.stamp.lane()].as_mut();
            if entry.stamp.has_rest()
                && let Some(rest) = self.rests.as_mut().and_then(|rests| rests.pop_front())
            {
                queue.rests.get_or_insert_default().push_back(rest);
            }
            queue.entries.push_back(entry);
        }
    }

    /// Moves the messages that match to `removed`, keeping the order of both.
    pub(super) fn remove(&mut self, matches: &mut dyn FnMut(&M) -> bool, removed: &mut Vec<Envelope<M>>) {
        // Look first: a purge mostly finds nothing in most mailboxes, and then nothing should move.
        if !self.entries.iter_mut().any(|entry| matches(entry.message.get())) {
            return;
        }
        let mut kept = Self::new();
        while let Some(envelope) = self.pop_front() {
            if matches(&envelope.message) {
                removed.push(envelope);
            } else {
                kept.push_back(envelope);
            }
        }
        *self = kept;
    }

    /// Gives back an empty queue's memory, unless it is little.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() && self.entries.capacity() > KEPT_PLACES {
            *self = Self::new();
        }
    }
}

/// Where a message stands in the order of all of its mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) sequence: u64,
    /// It left the mailbox once, and is older than anything that has not.
    pub(super) returned: bool,
}

impl<M> Entry<M> {
    fn age(&self, rest: Option<&Rest>) -> Age {
        rest.filter(|_| self.stamp.has_rest()).map_or(Age { sequence: 0, returned: false }, |rest| Age {
            sequence: rest.sequence,
            returned: rest.returned,
        })
    }
}

impl<M> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("len", &self.len()).finish_non_exhaustive()
    }
}
