//! One lane: FIFO, with the batches of keyed messages woven in by age.

use std::collections::VecDeque;

use super::gather::Gather;
use super::lanes::Taken;
use super::options::BatchOptions;
use crate::clock::Nanos;
use crate::message::Envelope;

/// Above this many places an empty queue gives its memory back when the agent falls idle: it keeps a
/// few kilobytes so that a conversation does not allocate, and not the megabytes of a burst.
const KEPT_PLACES: usize = 64;

#[derive(Debug)]
pub(super) struct Lane<M> {
    /// Messages without a batch key, oldest first.
    singles: VecDeque<Envelope<M>>,
    /// Messages with one. Absent where the agent asked for no batches, which then cost nothing.
    gather: Option<Box<Gather<M>>>,
}

impl<M> Lane<M> {
    pub(super) fn new(batch: Option<BatchOptions>) -> Self {
        Self { singles: VecDeque::new(), gather: batch.map(|options| Box::new(Gather::new(options))) }
    }

    fn push(&mut self, envelope: Envelope<M>) {
        match (&mut self.gather, envelope.batch_key.as_deref().copied()) {
            (Some(gather), Some(key)) => gather.push(key, envelope),
            _ => self.singles.push_back(envelope),
        }
    }

    pub(super) fn push_all(&mut self, queue: &mut VecDeque<Envelope<M>>) {
        if self.gather.is_some() {
            for envelope in queue.drain(..) {
                self.push(envelope);
            }
        } else if self.singles.is_empty() {
            // The usual case under load costs nothing per message: the two queues change places.
            std::mem::swap(&mut self.singles, queue);
        } else {
            self.singles.append(queue);
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

    /// The oldest single message or ready batch.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Taken<M> {
        if self.gather.is_none() { self.pop_single() } else { self.pop_oldest() }
    }

    fn pop_oldest(&mut self) -> Taken<M> {
        let Some(gather) = &mut self.gather else { return self.pop_single() };
        // What was given back is older than anything that could be ready.
        let age = |envelope: &Envelope<M>| if envelope.returned { None } else { Some(envelope.sequence) };
        match (self.singles.front().map(age), gather.oldest_ready()) {
            (None, Some(_)) => {}
            (Some(single), Some(batch)) if single.is_some_and(|single| single > batch) => {}
            _ => return self.pop_single(),
        }
        gather.pop().map_or(Taken::Nothing { ripe_at: None }, Taken::Batch)
    }

    #[inline(always)]
    fn pop_single(&mut self) -> Taken<M> {
        self.singles.pop_front().map_or(Taken::Nothing { ripe_at: None }, Taken::One)
    }

    /// The message that came last, unless it has left the mailbox once and was given back: removing
    /// that one would free no place.
    pub(super) fn pop_newest(&mut self) -> Option<Envelope<M>> {
        let single =
            self.singles.back().filter(|envelope| !envelope.returned).map(|envelope| envelope.sequence);
        let batched = self.gather.as_ref().and_then(|gather| gather.newest());
        match (single, batched) {
            (Some(single), Some(batched)) if single > batched => self.singles.pop_back(),
            (_, Some(_)) => self.gather.as_mut().and_then(|gather| gather.pop_newest()),
            (Some(_), None) => self.singles.pop_back(),
            (None, None) => None,
        }
    }

    pub(super) fn remove(
        &mut self,
        matches: &mut dyn FnMut(&Envelope<M>) -> bool,
        removed: &mut Vec<Envelope<M>>,
    ) {
        take_matching(&mut self.singles, matches, removed);
        if let Some(gather) = &mut self.gather {
            gather.remove(matches, removed);
        }
    }

    pub(super) fn shrink(&mut self) {
        shrink(&mut self.singles);
    }
}

/// Gives back an empty queue's memory, unless it is little.
pub(super) fn shrink<M>(queue: &mut VecDeque<Envelope<M>>) {
    if queue.is_empty() && queue.capacity() > KEPT_PLACES {
        *queue = VecDeque::new();
    }
}

/// Moves the matching messages of `queue` to `removed`, keeping the order of both.
pub(super) fn take_matching<M>(
    queue: &mut VecDeque<Envelope<M>>,
    matches: &mut dyn FnMut(&Envelope<M>) -> bool,
    removed: &mut Vec<Envelope<M>>,
) {
    let mut kept = VecDeque::new();
    // Look first: a purge mostly finds nothing in most mailboxes, and then nothing should move.
    if !queue.iter().any(&mut *matches) {
        return;
    }
    for envelope in queue.drain(..) {
        if matches(&envelope) {
            removed.push(envelope);
        } else {
            kept.push_back(envelope);
        }
    }
    *queue = kept;
}
