//! Dead letters: every accepted message that was not handled, with the reason.
//!
//! The runtime keeps the latest in memory and hands each to a sink, where a deployment stores it. A dead
//! letter never holds the message itself: the message is dropped, so that whoever asked learns of it at
//! once. What is kept of the payload is what [`Message::body`](crate::Message::body) gives.

use std::collections::VecDeque;
use std::fmt;
use std::time::SystemTime;

use crate::mailbox::Reason;
use crate::message::Priority;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// A message that was accepted and not handled.
#[derive(Clone)]
pub struct DeadLetter {
    /// Number of this letter in its runtime, from 1.
    pub number: u64,
    /// The agent it was for.
    pub agent: Arc<str>,
    /// What kind of message it was.
    pub kind: &'static str,
    /// How urgent it was.
    pub priority: Priority,
    /// Why it was not handled.
    pub reason: Reason,
    /// Handling attempts that failed.
    pub attempts: u16,
    /// Nanoseconds from its send to its end.
    pub age_nanos: u64,
    /// When it was given up.
    pub at: SystemTime,
    /// Its payload, where its type has a form to keep.
    pub body: Option<Vec<u8>>,
}

impl fmt::Debug for DeadLetter {
    /// Everything but the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("number", &self.number)
            .field("agent", &self.agent)
            .field("kind", &self.kind)
            .field("priority", &self.priority)
            .field("reason", &self.reason)
            .field("attempts", &self.attempts)
            .field("age_nanos", &self.age_nanos)
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// Where dead letters go besides the runtime's memory.
///
/// Called on whatever thread gave the message up, often an agent's: it must not block. A sink that
/// writes to a database sends the letter on to a task of its own.
pub trait DeadLetterSink: Send + Sync + 'static {
    /// Takes note of one letter.
    fn letter(&self, letter: &DeadLetter);
}

impl<F: Fn(&DeadLetter) + Send + Sync + 'static> DeadLetterSink for F {
    fn letter(&self, letter: &DeadLetter) {
        self(letter);
    }
}

pub(crate) struct DeadLetters {
    kept: Mutex<VecDeque<DeadLetter>>,
    keep: usize,
    total: AtomicU64,
    sink: Option<Box<dyn DeadLetterSink>>,
}

impl DeadLetters {
    pub(crate) fn new(keep: usize, sink: Option<Box<dyn DeadLetterSink>>) -> Self {
        Self { kept: Mutex::new(VecDeque::new()), keep, total: AtomicU64::new(0), sink }
    }

    pub(crate) fn add(&self, mut letter: DeadLetter) {
        letter.number = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(sink) = &self.sink {
            // A sink that panics must not take an agent down with it.
            let note = std::panic::AssertUnwindSafe(|| sink.letter(&letter));
            if std::panic::catch_unwind(note).is_err() {
                tracing::error!(agent = %letter.agent, number = letter.number, "the dead-letter sink panicked");
            }
        }
        let mut kept = lock(&self.kept);
        if kept.len() >= self.keep {
            kept.pop_front();
        }
        if self.keep > 0 {
            kept.push_back(letter);
        }
    }

    pub(crate) fn latest(&self) -> Vec<DeadLetter> {
        lock(&self.kept).iter().cloned().collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("total", &self.total()).finish_non_exhaustive()
    }
}
