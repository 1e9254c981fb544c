//! The agents of one thread that are ready to run.

use std::collections::VecDeque;

use super::{Slot, Turns};
use crate::mailbox::MailboxOptions;
use crate::message::Priority;

/// Places in four lanes, first come first served in each.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: [VecDeque<Slot>; Priority::COUNT],
    /// Bit n is set where lane n holds anything.
    ready: u8,
    turns: Turns,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            lanes: [const { VecDeque::new() }; Priority::COUNT],
            ready: 0,
            // The mailboxes' own figure: what bulk may be kept waiting for is the same question.
            turns: Turns::new(Some(MailboxOptions::DEFAULT_BYPASS))
                .with_patience(MailboxOptions::DEFAULT_BYPASS),
        }
    }

    pub(super) fn push(&mut self, slot: Slot, priority: Priority) {
        self.lanes[priority.lane()].push_back(slot);
        self.ready |= 1 << priority.lane();
    }

    pub(super) fn pop(&mut self) -> Option<(Slot, Priority)> {
        let lane = self.turns.next(self.ready)?;
        let slot = self.lanes[lane].pop_front()?;
        if self.lanes[lane].is_empty() {
            self.ready &= !(1 << lane);
        }
        Some((slot, Priority::ALL[lane]))
    }

    pub(super) fn ready(&self) -> u8 {
        self.ready
    }
}
