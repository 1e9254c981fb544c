//! What a system under test must offer, and the messages that are sent through it.

use std::future::Future;
use std::time::Duration;

use crate::Counter;

/// The mailbox bound asked of every system that has one, in messages.
pub const CAPACITY: usize = 10_000;

/// A way of moving messages to an actor, whole: its threads, its actor, its address.
pub trait System: 'static {
    /// The address of the actor under test.
    type Target: Target;

    /// The name as printed, with what sets it apart from a sibling in brackets.
    fn name() -> String;

    /// The crate whose version belongs beside the figures.
    fn package() -> &'static str;

    /// Whether this system can do such work; a pair that is not offered is left out of the tables.
    fn offers(verb: Verb, placement: Placement) -> bool;

    /// Starts an actor that feeds `counter`, runs each driver as a task or actor placed as asked (across threads, each
    /// on one of its own), and hands back the longest time that a driver measured. Starting and stopping stay outside
    /// the measured time.
    ///
    /// # Errors
    /// Whatever a driver failed with, or that the system could not start, panicked or stalled.
    fn run<D, F>(stage: Stage, counter: Counter, drivers: Vec<D>) -> Result<Duration, Fault>
    where
        D: FnOnce(Self::Target) -> F + Send + 'static,
        F: Future<Output = Result<Duration, Fault>> + Send + 'static;
}

/// The address of the actor under test.
pub trait Target: Send + Sync + 'static {
    /// Hands over one message, waiting for room where the system can wait. The message must not be dropped.
    ///
    /// # Errors
    /// The actor is gone.
    fn tell(&self, work: Work) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Asks one question and waits for its answer.
    ///
    /// # Errors
    /// The actor is gone or did not answer.
    fn ask(&self, ask: Ask) -> impl Future<Output = Result<u64, Fault>> + Send;
}

/// A message without an answer.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The urgency, for systems that know any.
    pub level: Level,
    /// The number of the message, summed by the receiver to prove that each arrived once.
    pub value: u64,
}

/// A question; the answer is the number after it.
#[derive(Debug, Clone, Copy)]
pub struct Ask(pub u64);

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Before everything else.
    Critical,
    /// Before the ordinary.
    High,
    /// The ordinary.
    Normal,
    /// Bulk.
    Low,
}

impl Level {
    /// The level of the message with this number: the four in turn, so that every system sees the same mix.
    pub fn in_turn(value: u64) -> Self {
        match value % 4 {
            0 => Self::Low,
            1 => Self::Normal,
            2 => Self::High,
            _ => Self::Critical,
        }
    }
}

/// What a workload needs a system to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Send and go on.
    Tell,
    /// Send and wait for the answer.
    Ask,
}

/// What an actor under test is given.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Where the drivers run.
    pub placement: Placement,
    /// The mailbox's bound in messages, where the system has one.
    pub capacity: usize,
}

impl Stage {
    /// A mailbox of [`CAPACITY`].
    pub fn usual(placement: Placement) -> Self {
        Self { placement, capacity: CAPACITY }
    }
}

/// Where the driver runs, seen from the actor under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// On the actor's own thread.
    SameThread,
    /// On another thread.
    AcrossThreads,
}

/// Why a run gives no figure. One fault fails the whole benchmark: a system that loses messages has no throughput.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The runtime or its threads could not be started.
    #[error("the system did not start: {0}")]
    Start(String),
    /// The actor went away while it was needed.
    #[error("the actor stopped before the work was done: {0}")]
    Gone(String),
    /// The receiver's sum is not that of the messages sent.
    #[error("messages were lost or doubled: their numbers sum to {found}, not {expected}")]
    Sum {
        /// The sum of all numbers sent.
        expected: u64,
        /// The sum of all numbers received.
        found: u64,
    },
    /// An answer belongs to another question.
    #[error("the answer to {asked} was {answered}")]
    Answer {
        /// The question.
        asked: u64,
        /// The answer.
        answered: u64,
    },
    /// Nothing came back in time: a message was lost, or the system hangs.
    #[error("nothing was confirmed within {0:?}: a message was lost or the system hangs")]
    Stalled(Duration),
    /// The driver went away without a word.
    #[error("the driver panicked or was dropped")]
    Panicked,
}

impl Fault {
    /// The actor is gone, as the system's own error says.
    pub fn gone(error: impl std::fmt::Display) -> Self {
        Self::Gone(error.to_string())
    }

    /// The system did not start, as its own error says.
    pub fn start(error: impl std::fmt::Display) -> Self {
        Self::Start(error.to_string())
    }
}
