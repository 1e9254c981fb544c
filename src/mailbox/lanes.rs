//! The four lanes, served by the rule of [`Turns`]. Pure: no locks, no clock, no wakers.

use super::lane::Lane;
use super::options::MailboxOptions;
use super::queue::Queue;
use crate::clock::Nanos;
use crate::message::{Envelope, Hand, Priority};
use crate::scheduler::Turns;

/// What is served next. Two registers large, since it is asked for each message.
#[derive(Debug)]
pub(crate) enum Next<M> {
    /// One message, which has been put into the hand that was held out.
    One,
    /// At least one message of one batch key, in the order they came.
    #[expect(
        clippy::box_collection,
        reason = "a batch is rare beside a message, whose answer should not carry it"
    )]
    Batch(Box<Vec<Envelope<M>>>),
    /// Nothing now; when a lingering batch is ripe, or [`NEVER`].
    Nothing { ripe_at: Nanos },
    /// Nothing that has been fetched, and it is too early to look for more.
    TooEarly,
}

/// Nothing lingers.
pub(crate) const NEVER: Nanos = Nanos(u64::MAX);

#[derive(Debug)]
pub(crate) struct Lanes<M> {
    lanes: [Lane<M>; Priority::COUNT],
    turns: Turns,
    /// Bit n is set where lane n holds anything that is not gathered.
    singles: u8,
    gathers: bool,
}

impl<M> Lanes<M> {
    pub(crate) fn new(options: &MailboxOptions) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Lane::new(options.batch)),
            turns: Turns::new(options.bypass),
            singles: 0,
            gathers: options.batch.is_some(),
        }
    }

    /// Takes over a whole queue of one priority, in order.
    pub(crate) fn push_all(&mut self, lane: usize, queue: &mut Queue<M>) {
        self.lanes[lane].push_all(queue);
        self.look_at(lane);
    }

    /// Takes over a queue of all priorities, in order.
    pub(super) fn deal_out(&mut self, queue: &mut Queue<M>) {
        if self.gathers {
            while let Some(envelope) = queue.pop_front() {
                self.lanes[envelope.priority.lane()].push(envelope);
            }
        } else {
            queue.deal_out(&mut self.lanes);
        }
        (0..Priority::COUNT).for_each(|lane| self.look_at(lane));
    }

    /// Puts messages back where they were taken from, oldest first in `envelopes`.
    pub(crate) fn give_back(&mut self, envelopes: Vec<Envelope<M>>) {
        for envelope in envelopes.into_iter().rev() {
            let lane = envelope.priority.lane();
            self.lanes[lane].push_front(envelope);
            self.look_at(lane);
        }
    }

    #[inline(always)]
    pub(crate) fn next(&mut self, now: Nanos, hand: &mut Hand<M>) -> Next<M> {
        if self.gathers {
            self.lanes.iter_mut().for_each(|lane| lane.ripen(now));
        }
        let Some(chosen) = self.turns.next(self.ready()) else {
            return Next::Nothing { ripe_at: self.ripe_at() };
        };
        let next = self.lanes[chosen].pop(hand);
        self.look_at(chosen);
        next
    }

    /// Takes the only message there is, which has not been dealt out yet. Nothing is gathered here.
    pub(super) fn take_only(&mut self, queue: &mut Queue<M>, hand: &mut Hand<M>) -> Next<M> {
        if queue.pop_into(hand) {
            let lane = hand.priority.lane();
            self.turns.next(1 << lane);
            self.lanes[lane].number(hand);
        }
        Next::One
    }

    /// Whether nothing is here nor could be gathered.
    pub(super) fn is_bare(&self) -> bool {
        self.singles == 0 && !self.gathers
    }

    fn ripe_at(&self) -> Nanos {
        if !self.gathers {
            return NEVER;
        }
        self.lanes.iter().filter_map(Lane::ripe_at).min().unwrap_or(NEVER)
    }

    fn look_at(&mut self, lane: usize) {
        let bit = 1 << lane;
        if self.lanes[lane].has_singles() {
            self.singles |= bit;
        } else {
            self.singles &= !bit;
        }
    }

    /// Removes the newest message of the least urgent lane that is less urgent than `newcomer`.
    pub(crate) fn evict_for(&mut self, newcomer: Priority) -> Option<Envelope<M>> {
        (newcomer.lane() + 1..Priority::COUNT).rev().find_map(|lane| {
            let newest = self.lanes[lane].pop_newest();
            self.look_at(lane);
            newest
        })
    }

    /// Removes every message that `matches`, in lane order.
    pub(crate) fn remove(&mut self, matches: &mut dyn FnMut(&M) -> bool) -> Vec<Envelope<M>> {
        let mut removed = Vec::new();
        for lane in 0..Priority::COUNT {
            self.lanes[lane].remove(matches, &mut removed);
            self.look_at(lane);
        }
        removed
    }

    /// Bit n is set where lane n holds anything, lingering batches included.
    pub(crate) fn occupied(&self) -> u8 {
        self.singles | self.gathered(Lane::has_gathered)
    }

    /// Bit n is set where a choice would find something in lane n.
    pub(crate) fn ready(&self) -> u8 {
        self.singles | self.gathered(Lane::has_ready_batch)
    }

    /// Whether a choice would find something.
    pub(crate) fn has_ready(&self) -> bool {
        self.ready() != 0
    }

    fn gathered(&self, has: fn(&Lane<M>) -> bool) -> u8 {
        if !self.gathers {
            return 0;
        }
        (0..Priority::COUNT).filter(|&lane| has(&self.lanes[lane])).fold(0, |bits, lane| bits | 1 << lane)
    }

    /// Gives back memory that a burst left behind.
    pub(crate) fn shrink(&mut self) {
        for lane in &mut self.lanes {
            lane.shrink();
        }
    }
}
