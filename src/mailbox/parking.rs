//! The agents that serve a mailbox, and which of them are asleep: usually one, more where a pool shares it.

use std::task::Waker;

use crate::message::Priority;

/// One consumer of a mailbox: an agent instance.
pub(crate) type ConsumerId = u32;

/// Whoever is woken when there is something to take.
pub(crate) trait Sleeper: Clone {
    /// Wakes it for a message of this priority.
    fn wake_for(self, priority: Priority);

    /// It is awake, and a message of this priority waits for it: what it does is as urgent from now on.
    /// Whether it waits for a turn that would come sooner if it were woken again.
    fn hurry(&self, priority: Priority) -> bool;

    /// Whether both wake the same.
    fn is_same(&self, other: &Self) -> bool;
}

/// A waker knows no urgency.
impl Sleeper for Waker {
    fn wake_for(self, _: Priority) {
        self.wake();
    }

    fn hurry(&self, _: Priority) -> bool {
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

    /// A consumer serves here from now on, awake.
    pub(super) fn enlist(&mut self, id: ConsumerId, sleeper: &S) {
        self.register(id, sleeper).asleep = false;
    }

    pub(super) fn park(&mut self, id: ConsumerId, sleeper: &S) {
        self.register(id, sleeper).asleep = true;
    }

    fn register(&mut self, id: ConsumerId, sleeper: &S) -> &mut Consumer<S> {
        let known = self.consumers().position(|consumer| consumer.id == id);
        let index = known.unwrap_or_else(|| {
            let consumer = Consumer { id, sleeper: sleeper.clone(), asleep: false };
            match &self.first {
                None => self.first = Some(consumer),
                Some(_) => self.more.push(consumer),
            }
            self.more.len()
        });
        let consumer = self.consumers().nth(index).expect("it is there or has just been put there");
        if !consumer.sleeper.is_same(sleeper) {
            consumer.sleeper = sleeper.clone();
        }
        consumer
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
        awake.find(|consumer| consumer.sleeper.hurry(priority)).map(|found| found.sleeper.clone())
    }

    /// The consumer is awake for another reason than a message, or serves nobody for a while.
    pub(super) fn wake(&mut self, id: ConsumerId) {
        if let Some(consumer) = self.consumers().find(|consumer| consumer.id == id) {
            consumer.asleep = false;
        }
    }

    /// The consumer will not come back: its number is free for another.
    pub(super) fn dismiss(&mut self, id: ConsumerId) {
        self.more.retain(|consumer| consumer.id != id);
        if self.first.as_ref().is_some_and(|consumer| consumer.id == id) {
            self.first = self.more.pop();
        }
    }

    fn consumers(&mut self) -> impl Iterator<Item = &mut Consumer<S>> {
        self.first.iter_mut().chain(&mut self.more)
    }
}
