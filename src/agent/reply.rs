//! The answer to an ask: a place that is filled once, by whoever handles the message.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::task::{Poll, Waker};

use crate::clock::Nanos;
use crate::mailbox::Reason;
use crate::message::{Asker, Terms};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

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
    /// The asker has stopped waiting. Apart from the state, so that a look costs no lock.
    gone: AtomicBool,
    /// When the asker stops waiting, in nanoseconds of the runtime's clock. Set before the question is sent.
    deadline: AtomicU64,
}

const NO_DEADLINE: u64 = u64::MAX;

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
        self.gone.store(true, Ordering::Release);
        Poll::Ready(match std::mem::replace(&mut *state, State::Gone) {
            State::Answered(answer) => Answer::Sent(answer),
            State::Dropped(reason) => Answer::Dropped(reason),
            State::Unanswered | State::Gone | State::Waiting(_) => Answer::None,
        })
    }
}

impl<T: Send> Terms for Slot<T> {
    fn deadline(&self) -> Option<Nanos> {
        Some(self.deadline.load(Ordering::Relaxed)).filter(|&deadline| deadline != NO_DEADLINE).map(Nanos)
    }

    fn asker(&self) -> Option<&dyn Asker> {
        Some(self)
    }
}

impl<T: Send> Asker for Slot<T> {
    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    fn fail(&self, reason: Reason) {
        self.fill(State::Dropped(reason));
    }
}

/// The asker's end.
pub(crate) struct Awaited<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Awaited<T> {
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Answer<T>> {
        self.slot.poll(waker)
    }

    /// Says when the asker will stop waiting. Before the question is sent.
    pub(super) fn set_deadline(&self, deadline: Nanos) {
        self.slot.deadline.store(deadline.0, Ordering::Relaxed);
    }
}

impl<T: Send + 'static> Awaited<T> {
    /// The mailbox's view of the asker.
    pub(super) fn terms(&self) -> Arc<dyn Terms> {
        self.slot.clone()
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        // Set already, by us, when the answer was taken.
        if !self.slot.gone.load(Ordering::Relaxed) {
            self.slot.gone.store(true, Ordering::Release);
            let unused = std::mem::replace(&mut *lock(&self.slot.state), State::Gone);
            drop(unused);
        }
    }
}

/// Both ends, and the mailbox's view of the asker.
#[inline]
pub(super) fn reply<T: Send + 'static>() -> (Reply<T>, Awaited<T>, Arc<dyn Terms>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        gone: AtomicBool::new(false),
        deadline: AtomicU64::new(NO_DEADLINE),
    });
    let terms: Arc<dyn Terms> = slot.clone();
    (Reply { slot: Some(slot.clone()) }, Awaited { slot }, terms)
}
