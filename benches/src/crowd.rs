//! Many small actors, and what each of them does: the same code on every system, so that only the system differs.
//!
//! A [`Crowd`] is one way of starting actors and reaching them; a [`Venue`] is a crowd on its threads. What an actor
//! does with a [`Note`] is written once, in [`Member`]; a system wraps a member in an actor of its own kind.

mod member;
mod venue;

use std::fmt;
use std::future::Future;

use tokio::sync::oneshot;

pub use member::{BRANCHES, Member};

use crate::{Ask, Fault};

/// How a system starts actors and reaches them, from inside its own threads.
pub trait Crowd: Sized + Send + Sync + 'static {
    /// An actor's address.
    type Ref: Clone + Send + Sync + 'static;
    /// What it takes to start one more.
    type Here: Clone + Send + Sync + 'static;

    /// Starts an actor around `member`, here.
    fn start(
        here: &Self::Here,
        member: Member<Self>,
    ) -> impl Future<Output = Result<Self::Ref, Fault>> + Send;

    /// Sends a note, waiting for room where the system can wait.
    fn tell(to: &Self::Ref, note: Note<Self>) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Asks a question and waits for its answer.
    fn ask(to: &Self::Ref, ask: Ask) -> impl Future<Output = Result<u64, Fault>> + Send;
}

/// A crowd on its threads: what the tables call a system.
pub trait Venue: 'static {
    /// The crowd that lives here.
    type Crowd: Crowd;

    /// The name as printed.
    fn name() -> String;

    /// The crate whose version belongs beside the figures.
    fn package() -> &'static str;

    /// Runs `driver` where the crowd lives, as a task or an actor, and hands back what it found. Starting the threads
    /// and ending the crowd stay outside.
    ///
    /// # Errors
    /// Whatever the driver failed with, or that the system could not start, panicked or stalled.
    fn run<T, D, F>(driver: D) -> Result<T, Fault>
    where
        T: Send + 'static,
        D: FnOnce(<Self::Crowd as Crowd>::Here) -> F + Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static;
}

/// What is sent to a member of a crowd.
pub enum Note<C: Crowd> {
    /// The neighbour to pass tokens to.
    Link(C::Ref),
    /// Goes round the ring until nothing is `left`, and then tells the driver how far it came.
    Token {
        /// Hops still to go.
        left: u64,
        /// Hops gone.
        gone: u64,
        /// The driver's ear.
        finish: oneshot::Sender<u64>,
    },
    /// To be counted at the member's gate.
    Count(u64),
    /// Becomes the root of a tree over the leaves `first..first + leaves`, and reports their sum.
    Grow {
        /// The receiver's own address, for its children to report to.
        me: C::Ref,
        /// To whom to report.
        parent: Parent<C>,
        /// The number of the first leaf.
        first: u64,
        /// How many leaves.
        leaves: u64,
    },
    /// What a child's tree came to, or what stopped it.
    Sum(Result<u64, Fault>),
}

/// To whom a tree reports its sum.
pub enum Parent<C: Crowd> {
    /// Another tree.
    Member(C::Ref),
    /// The driver.
    Driver(oneshot::Sender<Result<u64, Fault>>),
}

/// Whether an actor goes on after a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It waits for the next.
    Stay,
    /// Its work is done and it ends.
    End,
}

impl<C: Crowd> fmt::Debug for Note<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link(_) => "Link",
            Self::Token { .. } => "Token",
            Self::Count(_) => "Count",
            Self::Grow { .. } => "Grow",
            Self::Sum(_) => "Sum",
        })
    }
}

impl<C: Crowd> fmt::Debug for Parent<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parent")
    }
}
