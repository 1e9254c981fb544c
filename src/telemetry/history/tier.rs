//! Slots of one length.

use std::collections::VecDeque;
use std::time::Duration;

use super::Slot;
use super::observation::Observation;

/// Slots of one length, kept for a time.
#[derive(Debug)]
pub(super) struct Tier {
    step: Duration,
    keep: Duration,
    slots: VecDeque<Slot>,
    /// What has been observed since the last slot was closed.
    open: Observation,
    now: Duration,
    /// The end of the newest slot that is no longer kept.
    forgotten_until: Duration,
}

impl Tier {
    pub(super) fn new(step: Duration, keep: Duration) -> Self {
        Self {
            step,
            keep,
            slots: VecDeque::new(),
            open: Observation::default(),
            now: Duration::ZERO,
            forgotten_until: Duration::ZERO,
        }
    }

    /// Adds what was observed until `now`. Says how many bytes more are kept.
    pub(super) fn add(&mut self, observation: &Observation, now: Duration, agents: usize) -> usize {
        self.now = now;
        self.open.add(observation);
        self.open.keep_busiest(agents);
        if self.open.span < self.step {
            return 0;
        }
        let slot = Slot::of(std::mem::take(&mut self.open), now);
        let bytes = slot.bytes();
        self.slots.push_back(slot);
        bytes
    }

    /// Drops what is older than is kept. Says how many bytes that were.
    pub(super) fn expire(&mut self) -> usize {
        let mut bytes = 0;
        while self.slots.front().is_some_and(|slot| slot.end + self.keep <= self.now) {
            bytes += self.forget_oldest();
        }
        bytes
    }

    /// Drops the oldest slot. Says how many bytes that were.
    pub(super) fn forget_oldest(&mut self) -> usize {
        let Some(slot) = self.slots.pop_front() else { return 0 };
        self.forgotten_until = slot.end;
        slot.bytes()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether everything from this moment on is kept.
    pub(super) fn reaches(&self, from: Duration) -> bool {
        self.forgotten_until <= from
    }

    /// What ended after this moment, oldest first, with its end; the open slot is the last.
    pub(super) fn since(&self, from: Duration) -> impl Iterator<Item = (Duration, Observation)> + '_ {
        let first = self.slots.partition_point(|slot| slot.end <= from);
        let closed = self.slots.range(first..).map(|slot| (slot.end, slot.unpack()));
        let open = (!self.open.span.is_zero()).then(|| (self.now, self.open.clone()));
        closed.chain(open)
    }
}
