//! How everybody else reaches an agent.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::task::{Wake, Waker};

use tokio::sync::oneshot;

use super::ask::Ask;
use super::cell::{AgentCell, AnyCell};
use super::commons::Commons;
use super::error::{ControlError, TryTellError};
use super::instance::{Command, Inspection};
use super::reply::{Awaited, Reply, reply};
use super::tell::Tell;
use crate::mailbox::{Offer, Outgoing, Overflow};
use crate::message::{Key, Message, Priority, Terms};
use crate::sync::{Arc, Ordering};

/// An agent's address: `Send`, `Sync`, cheap to clone, usable from any thread and any executor.
///
/// Holding one does not keep the agent alive, and dropping the last one does not stop it: agents stop
/// when they are told to, or with their runtime.
pub struct AgentRef<M: Message> {
    route: Route<M>,
}

enum Route<M: Message> {
    One(Arc<AgentCell<M>>),
    ByKey(Arc<Members<M>>),
}

struct Members<M: Message> {
    cells: Vec<Arc<AgentCell<M>>>,
    next: AtomicUsize,
}

impl<M: Message> AgentRef<M> {
    pub(crate) fn to(cell: Arc<AgentCell<M>>) -> Self {
        Self { route: Route::One(cell) }
    }

    pub(crate) fn by_key(cells: Vec<Arc<AgentCell<M>>>) -> Self {
        Self { route: Route::ByKey(Arc::new(Members { cells, next: AtomicUsize::new(0) })) }
    }

    /// Sends a message. Await the [`Tell`]; it resolves when the message is queued.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`TellError`](crate::TellError).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, the message was not sent.
    #[inline(always)]
    pub fn tell(&self, message: M) -> Tell<'_, M> {
        Tell::new(self.cell_for(&message), message)
    }

    /// Sends a message if there is room for it now. Never waits, whatever the overflow policy.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`TryTellError`].
    pub fn try_tell(&self, message: M) -> Result<(), TryTellError<M>> {
        self.try_tell_at_most(Priority::Critical, message)
    }

    /// Like [`try_tell`](Self::try_tell), at most this urgently.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`TryTellError`].
    pub fn try_tell_at_most(&self, priority: Priority, message: M) -> Result<(), TryTellError<M>> {
        self.try_tell_on(priority, message, None)
    }

    /// The same on terms.
    #[inline]
    pub(crate) fn try_tell_on(
        &self,
        priority: Priority,
        message: M,
        terms: Option<Arc<dyn Terms>>,
    ) -> Result<(), TryTellError<M>> {
        let cell = self.cell_for(&message);
        let priority = message.priority().at_most(priority);
        if cell.refuses(priority) {
            return Err(TryTellError::Overloaded(message));
        }
        let (mut message, mut terms) = (Some(Cell::new(message)), terms);
        let mut outgoing = Outgoing::new(&mut message, &mut terms, priority, cell.now());
        let Err(refused) = cell.accept(&mut outgoing) else { return Ok(()) };
        match cell.turned_away(outgoing, refused) {
            Offer::Accepted(_) => Ok(()),
            Offer::Full(envelope) => Err(TryTellError::Full(envelope.message)),
            Offer::Closed(envelope) => Err(TryTellError::Closed(envelope.message)),
        }
    }

    /// Sends a message from a thread that may block, and blocks it while there is no room.
    ///
    /// Not for async code: it would block the executor's thread.
    ///
    /// # Errors
    ///
    /// The message comes back in the [`TellError`](crate::TellError).
    pub fn tell_blocking(&self, message: M) -> Result<(), crate::TellError<M>> {
        block_on(self.tell(message))
    }

    /// Asks a question. Await the [`Ask`] for the answer.
    ///
    /// # Errors
    ///
    /// [`AskError`](crate::AskError): refused, not handled, not answered, not in time, or never to be
    /// answered because the asker would wait for itself.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it resolves, a question still queued is not handled.
    #[inline]
    pub fn ask<T: Send + 'static>(&self, question: impl FnOnce(Reply<T>) -> M) -> Ask<'_, M, T> {
        match &self.route {
            Route::One(cell) => Ask::new(cell, question),
            Route::ByKey(_) => {
                let (reply, awaited, terms) = reply();
                let message = question(reply);
                Ask::asking(self.tell(message).on_terms(terms), awaited)
            }
        }
    }

    /// Removes every message about `key`, queued or waiting for room; each goes to the dead letters as purged. Says how many.
    pub fn purge(&self, key: Key) -> usize {
        self.cells().iter().map(|cell| cell.purge(key)).sum()
    }

    /// The name it was spawned under, by which it is found; of a member of a pool by key, the member's.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.route {
            Route::One(cell) => &cell.name,
            Route::ByKey(members) => &members.cells[0].family,
        }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.cells()[0].mailbox.options().overflow
    }

    /// Messages queued.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.cells().iter().flat_map(|cell| cell.mailbox.depth()).sum()
    }

    /// Whether it takes no more messages.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cells().iter().all(|cell| cell.mailbox.is_closed())
    }

    /// Stops serving between two messages until [`resume`](Self::resume); messages queue.
    ///
    /// # Errors
    ///
    /// If the agent has ended.
    pub fn pause(&self) -> Result<(), ControlError> {
        self.command(|| Command::Pause)
    }

    /// Goes on after [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// If the agent has ended.
    pub fn resume(&self) -> Result<(), ControlError> {
        self.command(|| Command::Resume)
    }

    /// Rebuilds the agent from its factory, between two messages. The mailbox keeps what it holds.
    ///
    /// # Errors
    ///
    /// If the agent has ended.
    pub fn restart(&self) -> Result<(), ControlError> {
        self.command(|| Command::Restart)
    }

    /// Takes no more messages, handles those queued, and ends.
    ///
    /// # Errors
    ///
    /// If the agent has ended.
    pub fn stop(&self) -> Result<(), ControlError> {
        self.command(|| Command::Stop { drain: true })
    }

    /// Ends between two messages; what is queued goes to the dead letters.
    ///
    /// # Errors
    ///
    /// If the agent has ended.
    pub fn stop_now(&self) -> Result<(), ControlError> {
        self.command(|| Command::Stop { drain: false })
    }

    /// The state of each living instance, answered between two messages.
    ///
    /// # Errors
    ///
    /// If all have ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn inspect(&self) -> Result<Vec<Inspection>, ControlError> {
        // Asked all at once, so that the slowest decides and not the sum.
        let mut asked = Vec::new();
        for instance in self.cells().iter().flat_map(|cell| cell.instances()) {
            let (answer, answered) = oneshot::channel();
            if instance.command(Command::Inspect(answer)).is_ok() {
                asked.push(answered);
            }
        }
        let mut found = Vec::new();
        for answered in asked {
            // One that ends meanwhile has nothing to show.
            found.extend(answered.await.ok());
        }
        if found.is_empty() { Err(ControlError::Ended) } else { Ok(found) }
    }

    fn command(&self, command: impl Fn() -> Command) -> Result<(), ControlError> {
        let reached = self.cells().iter().filter(|cell| cell.command(&command)).count();
        if reached > 0 { Ok(()) } else { Err(ControlError::Ended) }
    }

    #[inline]
    fn cell_for(&self, message: &M) -> &Arc<AgentCell<M>> {
        match &self.route {
            Route::One(cell) => cell,
            Route::ByKey(members) => {
                let count = members.cells.len();
                let member = match message.key() {
                    Some(key) => key.member(count),
                    None => members.next.fetch_add(1, Ordering::Relaxed) % count,
                };
                &members.cells[member]
            }
        }
    }

    fn cells(&self) -> &[Arc<AgentCell<M>>] {
        match &self.route {
            Route::One(cell) => std::slice::from_ref(cell),
            Route::ByKey(members) => &members.cells,
        }
    }

    /// A question, and where its answer will be: to be asked as often as it comes back.
    pub(crate) fn question<T: Send + 'static>(question: impl FnOnce(Reply<T>) -> M) -> (M, Awaited<T>) {
        let (reply, awaited, _) = reply();
        (question(reply), awaited)
    }

    /// Asks a question that is built already.
    pub(crate) fn ask_built<T: Send + 'static>(&self, message: M, awaited: Awaited<T>) -> Ask<'_, M, T> {
        Ask::asking(self.tell(message).on_terms(awaited.terms()), awaited)
    }

    /// What its runtime's agents share.
    pub(crate) fn commons(&self) -> &Arc<Commons> {
        &self.cells()[0].commons
    }

    pub(crate) fn any_cells(&self) -> Vec<Arc<dyn AnyCell>> {
        self.cells().iter().map(|cell| Arc::clone(cell) as Arc<dyn AnyCell>).collect()
    }
}

/// Runs a future on this thread, asleep between polls.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

impl<M: Message> Clone for AgentRef<M> {
    fn clone(&self) -> Self {
        let route = match &self.route {
            Route::One(cell) => Route::One(Arc::clone(cell)),
            Route::ByKey(members) => Route::ByKey(Arc::clone(members)),
        };
        Self { route }
    }
}

impl<M: Message> fmt::Debug for AgentRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AgentRef").field(&self.name()).finish()
    }
}
