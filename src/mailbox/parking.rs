//! The agents asleep at a mailbox: usually one, more where a pool shares it.

use std::task::Waker;

/// One consumer of a mailbox: an agent instance.
pub(crate) type ConsumerId = u32;

#[derive(Debug, Default)]
pub(super) struct Parking {
    /// Kept apart from `more` so that the usual agent allocates nothing to sleep.
    first: Option<(ConsumerId, Waker)>,
    more: Vec<(ConsumerId, Waker)>,
}

impl Parking {
    pub(super) fn park(&mut self, consumer: ConsumerId, waker: &Waker) {
        self.take(consumer);
        let entry = (consumer, waker.clone());
        match &self.first {
            None => self.first = Some(entry),
            Some(_) => self.more.push(entry),
        }
    }

    /// One sleeper, to be woken after the lock is released.
    pub(super) fn pop(&mut self) -> Option<Waker> {
        self.more.pop().or_else(|| self.first.take()).map(|(_, waker)| waker)
    }

    /// The waker of one consumer, if it is asleep.
    pub(super) fn take(&mut self, consumer: ConsumerId) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|(id, _)| *id == consumer) {
            return self.first.take().map(|(_, waker)| waker);
        }
        let place = self.more.iter().position(|(id, _)| *id == consumer)?;
        Some(self.more.swap_remove(place).1)
    }
}
