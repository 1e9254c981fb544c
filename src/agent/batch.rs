//! Messages of one batch key, lent to the agent.

use std::collections::VecDeque;
use std::fmt;

use crate::delivery::Receipt;
use crate::message::{Envelope, Message, Remains};

/// Messages handed over together, in the order they were sent.
///
/// The batch is lent: a handler takes messages out of it, and what it leaves goes back to its place in
/// the queue. So a handler may stop early when something more urgent waits, and a panic loses only what
/// had been taken.
pub struct Batch<M> {
    waiting: VecDeque<Envelope<M>>,
    /// What was taken since the last `done`: all that a failure can concern.
    taken: Vec<Remains<M>>,
    /// What was taken and is done with, for the account.
    finished: Vec<Remains<M>>,
}

impl<M: Message> Batch<M> {
    pub(crate) fn new(envelopes: Vec<Envelope<M>>) -> Self {
        Self { waiting: envelopes.into(), taken: Vec::new(), finished: Vec::new() }
    }

    /// Takes the next message.
    #[expect(clippy::should_implement_trait, reason = "an iterator would hide that what is left goes back")]
    pub fn next(&mut self) -> Option<M> {
        let envelope = self.waiting.pop_front()?;
        let (message, rest) = envelope.take_apart();
        self.taken.push(rest);
        Some(message)
    }

    /// Takes everything that is left.
    pub fn take_all(&mut self) -> Vec<M> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// What was taken so far has been handled well: a later failure in this batch does not concern it.
    pub fn done(&mut self) {
        self.finished.append(&mut self.taken);
    }

    /// The store's records of what was taken since the last [`done`](Self::done), for those messages that came through an
    /// [`Outbox`](crate::delivery::Outbox).
    #[must_use]
    pub fn receipts(&self) -> Vec<Receipt> {
        self.taken.iter().filter_map(|remains| remains.envelope.keeper()).filter_map(Receipt::of).collect()
    }

    /// How many messages are left to take.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing is left to take.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn settle(self) -> Settled<M> {
        Settled { left: self.waiting.into(), taken: self.taken, finished: self.finished }
    }
}

impl<M> fmt::Debug for Batch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("left", &self.waiting.len())
            .field("taken", &self.taken.len())
            .finish_non_exhaustive()
    }
}

/// What a batch looks like after its handler.
pub(crate) struct Settled<M> {
    pub(crate) left: Vec<Envelope<M>>,
    pub(crate) taken: Vec<Remains<M>>,
    pub(crate) finished: Vec<Remains<M>>,
}
