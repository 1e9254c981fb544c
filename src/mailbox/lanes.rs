//! The four lanes and which of them is served next. Pure: no locks, no clock, no wakers.
//!
//! Critical comes strictly first. High, Normal and Low are served in this order, except that a Normal or
//! Low lane that has been passed over for `bypass` turns is served next. The limits are staggered by one
//! so that both hold exactly when the two fall due together: Low at `bypass`, Normal one turn earlier.

use std::collections::VecDeque;

use super::lane::{Lane, Popped};
use super::options::MailboxOptions;
use crate::clock::Nanos;
use crate::message::{Envelope, Key, Priority};

const CRITICAL: usize = Priority::Critical.lane();
const NORMAL: usize = Priority::Normal.lane();
const LOW: usize = Priority::Low.lane();

/// What the scheduler hands over.
#[derive(Debug)]
pub(crate) enum Next<M> {
    One(Envelope<M>),
    /// At least one message of one batch key, in the order they came.
    Batch(Vec<Envelope<M>>),
    /// Nothing to serve; if a batch lingers, when the first of them is ripe.
    Nothing {
        ripe_at: Option<Nanos>,
    },
}

#[derive(Debug)]
pub(crate) struct Lanes<M> {
    lanes: [Lane<M>; Priority::COUNT],
    /// Turns of other non-critical messages since this lane was last served while it had work.
    passed_over: [u32; Priority::COUNT],
    bypass: Option<u32>,
}

impl<M> Lanes<M> {
    pub(crate) fn new(options: &MailboxOptions) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Lane::new(options.batch)),
            passed_over: [0; Priority::COUNT],
            bypass: options.bypass,
        }
    }

    /// Takes over a whole queue of one priority, in order.
    pub(crate) fn push_all(&mut self, lane: usize, queue: &mut VecDeque<Envelope<M>>) {
        self.lanes[lane].push_all(queue);
    }

    /// Puts messages back where they were taken from, oldest first in `envelopes`.
    pub(crate) fn give_back(&mut self, envelopes: Vec<Envelope<M>>) {
        for envelope in envelopes.into_iter().rev() {
            self.lanes[envelope.priority.lane()].push_front(envelope);
        }
    }

    pub(crate) fn next(&mut self, now: Nanos) -> Next<M> {
        for lane in &mut self.lanes {
            lane.ripen(now);
        }
        let Some(chosen) = self.choose() else {
            let ripe_at = self.lanes.iter().filter_map(Lane::ripe_at).min();
            return Next::Nothing { ripe_at };
        };
        self.account(chosen);
        match self.lanes[chosen].pop() {
            Some(Popped::One(envelope)) => Next::One(envelope),
            Some(Popped::Batch(envelopes)) => Next::Batch(envelopes),
            None => unreachable!("a lane that reports something ready has something to pop"),
        }
    }

    fn choose(&self) -> Option<usize> {
        let ready = |lane: usize| self.lanes[lane].has_ready();
        if ready(CRITICAL) {
            return Some(CRITICAL);
        }
        if let Some(bypass) = self.bypass {
            if ready(LOW) && self.passed_over[LOW] >= bypass {
                return Some(LOW);
            }
            if ready(NORMAL) && self.passed_over[NORMAL] + 1 >= bypass {
                return Some(NORMAL);
            }
        }
        (CRITICAL..=LOW).find(|&lane| ready(lane))
    }

    fn account(&mut self, chosen: usize) {
        self.passed_over[chosen] = 0;
        if chosen == CRITICAL {
            return;
        }
        for lane in [NORMAL, LOW] {
            if lane == chosen {
                continue;
            }
            if self.lanes[lane].has_ready() {
                self.passed_over[lane] = self.passed_over[lane].saturating_add(1);
            } else {
                self.passed_over[lane] = 0;
            }
        }
    }

    /// Removes the newest message of the least urgent lane that is less urgent than `newcomer`.
    pub(crate) fn evict_for(&mut self, newcomer: Priority) -> Option<Envelope<M>> {
        (newcomer.lane() + 1..Priority::COUNT).rev().find_map(|lane| self.lanes[lane].pop_newest())
    }

    /// Removes every message that `matches`, in lane order.
    pub(crate) fn remove(&mut self, matches: &mut dyn FnMut(&Envelope<M>) -> bool) -> Vec<Envelope<M>> {
        let mut removed = Vec::new();
        for lane in &mut self.lanes {
            lane.remove(matches, &mut removed);
        }
        removed
    }

    /// Bit n is set where lane n holds anything, lingering batches included.
    pub(crate) fn occupied(&self) -> u8 {
        self.lanes
            .iter()
            .enumerate()
            .fold(0, |bits, (lane, queue)| if queue.len() > 0 { bits | 1 << lane } else { bits })
    }

    /// Bit n is set where a choice would find something in lane n.
    pub(crate) fn ready(&self) -> u8 {
        (0..Priority::COUNT)
            .filter(|&lane| self.lanes[lane].has_ready())
            .fold(0, |bits, lane| bits | 1 << lane)
    }

    /// Whether a choice would find something.
    pub(crate) fn has_ready(&self) -> bool {
        self.ready() != 0
    }

    /// Gives back memory that a burst left behind.
    pub(crate) fn shrink(&mut self) {
        for lane in &mut self.lanes {
            lane.shrink();
        }
    }
}

/// Whether messages of this key are gathered here.
pub(crate) fn batch_key_of<M: crate::message::Message>(message: &M, options: &MailboxOptions) -> Option<Key> {
    options.batch.and_then(|_| message.batch_key())
}
