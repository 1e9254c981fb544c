//! The answer to an ask: a place that is filled once, by whoever handles the message.

use std::fmt;
use std::task::{Poll, Waker};

use crate::mailbox::Reason;
use crate::message::Caller;
use crate::sync::{Arc, Mutex, lock};

/// Carried inside a message that wants an answer.
///
/// Answer with [`send`](Self::send), from the handler or from anywhere the reply was moved to. Dropping it
/// without an answer tells the asker so at once.
#[must_use = "whoever asked waits for an answer"]
pub struct Reply<T> {
    slot: Option<Arc<Slot<T>>>,
}

impl<T: Send + 'static> Reply<T> {
    /// Answers. If the asker is gone the answer is dropped.
    pub fn send(mut self, answer: T) {
        if let Some(slot) = self.slot.take() {
            slot.fill(State::Answered(answer));
        }
    }

    /// Whether the asker has stopped waiting, so that the answer would not reach anybody.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.slot.as_ref().is_none_or(|slot| slot.is_gone())
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.fill(State::Unanswered);
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// What the asker finds in the slot.
pub(super) enum Answer<T> {
    Sent(T),
    None,
    Dropped(Reason),
}

enum State<T> {
    Waiting(Option<Waker>),
    Answered(T),
    Unanswered,
    Dropped(Reason),
    /// The asker has its answer, or is gone.
    Gone,
}

pub(super) struct Slot<T> {
    state: Mutex<State<T>>,
}

impl<T> Slot<T> {
    fn fill(&self, outcome: State<T>) {
        let mut state = lock(&self.state);
        let unused = match &mut *state {
            State::Waiting(waker) => {
                let waker = waker.take();
                *state = outcome;
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
                return;
            }
            // Why a message was dropped says more than that its reply was.
            State::Unanswered if matches!(outcome, State::Dropped(_)) => {
                *state = outcome;
                return;
            }
            _ => outcome,
        };
        drop(state);
        drop(unused);
    }

    fn poll(&self, waker: &Waker) -> Poll<Answer<T>> {
        let mut state = lock(&self.state);
        if let State::Waiting(registered) = &mut *state {
            match registered {
                Some(registered) => registered.clone_from(waker),
                None => *registered = Some(waker.clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(match std::mem::replace(&mut *state, State::Gone) {
            State::Answered(answer) => Answer::Sent(answer),
            State::Dropped(reason) => Answer::Dropped(reason),
            State::Unanswered | State::Gone | State::Waiting(_) => Answer::None,
        })
    }
}

impl<T: Send> Caller for Slot<T> {
    fn is_gone(&self) -> bool {
        matches!(*lock(&self.state), State::Gone)
    }

    fn fail(&self, reason: Reason) {
        self.fill(State::Dropped(reason));
    }
}

/// The asker's end.
pub(super) struct Awaited<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Awaited<T> {
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Answer<T>> {
        self.slot.poll(waker)
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        let unused = std::mem::replace(&mut *lock(&self.slot.state), State::Gone);
        drop(unused);
    }
}

/// Both ends, and the mailbox's view of the asker.
pub(super) fn reply<T: Send + 'static>() -> (Reply<T>, Awaited<T>, Arc<dyn Caller>) {
    let slot = Arc::new(Slot { state: Mutex::new(State::Waiting(None)) });
    let caller: Arc<dyn Caller> = slot.clone();
    (Reply { slot: Some(slot.clone()) }, Awaited { slot }, caller)
}
