//! The agents that serve a mailbox, and which of them are asleep: usually one, more where a pool shares it.

use std::task::Waker;

use crate::message::Priority;

/// One consumer of a mailbox: an agent instance.
pub(crate) type ConsumerId = u32;

/// Whoever is woken when there is something to take.
pub(crate) trait Sleeper: Clone {
    /// Wakes it for a message of this priority.
    fn wake_for(self, priority: Priority);

    /// Whether it is awake and waits for a turn that a message of this priority would bring forward.
    fn would_move_up(&self, priority: Priority) -> bool;

    /// Whether both wake the same.
    fn is_same(&self, other: &Self) -> bool;
}

/// A waker knows no urgency.
impl Sleeper for Waker {
    fn wake_for(self, _: Priority) {
        self.wake();
    }

    fn would_move_up(&self, _: Priority) -> bool {
        false
    }

    fn is_same(&self, other: &Self) -> bool {
        self.will_wake(other)
    }
}

#[derive(Debug)]
struct Consumer<S> {
    id: ConsumerId,
    sleeper: S,
    asleep: bool,
}

#[derive(Debug)]
pub(super) struct Parking<S> {
    /// Kept apart from `more` so that the usual agent allocates nothing to sleep.
    first: Option<Consumer<S>>,
    more: Vec<Consumer<S>>,
}

impl<S: Sleeper> Parking<S> {
    pub(super) const fn new() -> Self {
        Self { first: None, more: Vec::new() }
    }

    pub(super) fn park(&mut self, id: ConsumerId, sleeper: &S) {
        if let Some(consumer) = self.consumers().find(|consumer| consumer.id == id) {
            consumer.asleep = true;
            if !consumer.sleeper.is_same(sleeper) {
                consumer.sleeper = sleeper.clone();
            }
            return;
        }
        let consumer = Consumer { id, sleeper: sleeper.clone(), asleep: true };
        match &self.first {
            None => self.first = Some(consumer),
            Some(_) => self.more.push(consumer),
        }
    }

    /// One sleeper, to be woken after the lock is released.
    pub(super) fn pop(&mut self) -> Option<S> {
        let consumer = self.consumers().find(|consumer| consumer.asleep)?;
        consumer.asleep = false;
        Some(consumer.sleeper.clone())
    }

    /// One that waits for its turn and would have it sooner for a message of this priority.
    pub(super) fn moved_up_by(&mut self, priority: Priority) -> Option<S> {
        let mut awake = self.consumers().filter(|consumer| !consumer.asleep);
        awake.find(|consumer| consumer.sleeper.would_move_up(priority)).map(|found| found.sleeper.clone())
    }

    /// The consumer is awake for another reason than a message.
    pub(super) fn wake(&mut self, id: ConsumerId) {
        if let Some(consumer) = self.consumers().find(|consumer| consumer.id == id) {
            consumer.asleep = false;
        }
    }

    /// The consumer serves here no more, until it parks again.
    pub(super) fn leave(&mut self, id: ConsumerId) {
        if self.first.as_ref().is_some_and(|first| first.id == id) {
            self.first = self.more.pop();
        } else {
            self.more.retain(|consumer| consumer.id != id);
        }
    }

    fn consumers(&mut self) -> impl Iterator<Item = &mut Consumer<S>> {
        self.first.iter_mut().chain(&mut self.more)
    }
}
