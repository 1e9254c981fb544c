//! One lane: FIFO, with the batches of keyed messages woven in by age.

use super::gather::Gather;
use super::lanes::{NEVER, Next};
use super::options::BatchOptions;
use super::queue::{Age, Queue};
use crate::clock::Nanos;
use crate::message::{Envelope, Hand};

#[derive(Debug)]
pub(super) struct Lane<M> {
    /// Messages without a batch key, oldest first.
    singles: Queue<M>,
    /// What came after those, while there were some: to put two long queues together would take time that something
    /// urgent has to wait for. Empty if there are none.
    later: Option<Box<Queue<M>>>,
    /// Messages with one. Absent where the agent asked for no batches, which then cost nothing.
    gather: Option<Box<Gather<M>>>,
    /// So many messages without a number have been taken.
    numbered: u64,
}

/// Where what has come for this lane is put, if nothing is gathered.
impl<M> AsMut<Queue<M>> for Lane<M> {
    fn as_mut(&mut self) -> &mut Queue<M> {
        debug_assert!(self.gather.is_none(), "what has a batch key is gathered");
        match self.later.as_deref_mut() {
            Some(later) if !later.is_empty() => later,
            _ => &mut self.singles,
        }
    }
}

impl<M> Lane<M> {
    pub(super) fn new(batch: Option<BatchOptions>) -> Self {
        let gather = batch.map(|options| Box::new(Gather::new(options)));
        Self { singles: Queue::new(), later: None, gather, numbered: 0 }
    }

    pub(super) fn push(&mut self, envelope: Envelope<M>) {
        match (&mut self.gather, envelope.batch_key.as_deref().copied()) {
            (Some(gather), Some(key)) => gather.push(key, envelope),
            _ => self.singles.push_back(envelope),
        }
    }

    pub(super) fn push_all(&mut self, queue: &mut Queue<M>) {
        if self.gather.is_some() {
            while let Some(envelope) = queue.pop_front() {
                self.push(envelope);
            }
        } else if self.singles.is_empty() {
            // The usual case under load costs nothing per message: the two change places.
            std::mem::swap(&mut self.singles, queue);
        } else {
            // Nor does the next. Only what comes after that is appended, and it is no more than has come since the
            // agent last looked.
            self.later.get_or_insert_default().append(queue);
        }
    }

    pub(super) fn push_front(&mut self, envelope: Envelope<M>) {
        // A message that comes back is served alone: its batch has been split already.
        self.singles.push_front(envelope);
    }

    /// Makes those batches ready whose linger is over.
    pub(super) fn ripen(&mut self, now: Nanos) {
        if let Some(gather) = &mut self.gather {
            gather.ripen(now);
        }
    }

    pub(super) fn ripe_at(&self) -> Option<Nanos> {
        self.gather.as_ref().and_then(|gather| gather.ripe_at())
    }

    pub(super) fn has_singles(&self) -> bool {
        !self.singles.is_empty()
    }

    pub(super) fn has_ready_batch(&self) -> bool {
        self.gather.as_ref().is_some_and(|gather| gather.has_ready())
    }

    /// Whether anything is gathered, ready or lingering.
    pub(super) fn has_gathered(&self) -> bool {
        self.gather.as_ref().is_some_and(|gather| gather.len() > 0)
    }

    /// Takes the oldest single message into an empty hand, or the oldest ready batch.
    #[inline(always)]
    pub(super) fn pop(&mut self, hand: &mut Hand<M>) -> Next<M> {
        if self.gather.is_some()
            && let Some(batch) = self.pop_batch()
        {
            return Next::Batch(Box::new(batch));
        }
        if self.singles.pop_into(hand) {
            self.number(hand);
            if self.singles.is_empty() {
                self.move_up();
            }
            Next::One
        } else {
            Next::Nothing { ripe_at: NEVER }
        }
    }

    fn move_up(&mut self) {
        if let Some(later) = &mut self.later {
            std::mem::swap(&mut self.singles, later);
        }
    }

    /// The oldest ready batch, if it is older than any single message.
    fn pop_batch(&mut self) -> Option<Vec<Envelope<M>>> {
        let gather = self.gather.as_mut()?;
        let ready = gather.oldest_ready()?;
        // What was given back is older than anything that could be ready.
        let is_older = |single: Age| single.returned || single.sequence <= ready;
        if self.singles.oldest().is_some_and(is_older) { None } else { gather.pop() }
    }

    /// Numbers a message that has no number of its own, as it is taken.
    #[inline(always)]
    pub(super) fn number(&mut self, hand: &mut Hand<M>) {
        if hand.sequence == 0 {
            self.numbered += 1;
            hand.sequence = self.numbered;
        }
    }

    /// The message that came last, unless it has left the mailbox once and was given back: removing
    /// that one would free no place.
    pub(super) fn pop_newest(&mut self) -> Option<Envelope<M>> {
        if let Some(later) = self.later.as_mut().filter(|later| !later.is_empty()) {
            return later.pop_back();
        }
        let single = self.singles.newest().filter(|newest| !newest.returned).map(|newest| newest.sequence);
        let batched = self.gather.as_ref().and_then(|gather| gather.newest());
        match (single, batched) {
            (Some(single), Some(batched)) if single > batched => self.singles.pop_back(),
            (_, Some(_)) => self.gather.as_mut().and_then(|gather| gather.pop_newest()),
            (Some(_), None) => self.singles.pop_back(),
            (None, None) => None,
        }
    }

    pub(super) fn remove(&mut self, matches: &mut dyn FnMut(&M) -> bool, removed: &mut Vec<Envelope<M>>) {
        self.singles.remove(matches, removed);
        if let Some(later) = &mut self.later {
            later.remove(matches, removed);
        }
        if self.singles.is_empty() {
            self.move_up();
        }
        if let Some(gather) = &mut self.gather {
            gather.remove(matches, removed);
        }
    }

    pub(super) fn shrink(&mut self) {
        self.singles.shrink();
        self.later.iter_mut().for_each(|later| later.shrink());
    }
}
