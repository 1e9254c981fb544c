//! Sending without waiting for an answer.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cell::AgentCell;
use super::commons::Timer;
use super::error::TellError;
use crate::clock::Nanos;
use crate::mailbox::{Admission, Offer, Outgoing, Ticket};
use crate::message::{Message, Priority, Terms, Until};
use crate::sync::Arc;

/// A message about to be sent: choose its options, then await it.
///
/// Resolves once the message is queued. If the mailbox is full, the agent's
/// [`Overflow`](crate::Overflow) decides: wait for room, hand the message back, or shed a less urgent one.
///
/// # Cancel safety
///
/// Dropped before it resolves, the message is dropped with it and was not sent.
#[must_use = "a message is sent when the `Tell` is awaited"]
pub struct Tell<'a, M: Message> {
    cell: &'a Arc<AgentCell<M>>,
    /// Not in an envelope yet: what that holds is written once, where it stays. `None` once it is sent or waits. In a
    /// cell, which only hides from the compiler what is inside, so that it moves in one piece (`mailbox::queue`).
    message: Option<Cell<M>>,
    terms: Option<Arc<dyn Terms>>,
    sent_at: Nanos,
    deadline: Option<Nanos>,
    priority: Priority,
    waiting: Option<Box<Waiting<M>>>,
}

struct Waiting<M> {
    ticket: Arc<Ticket<M>>,
    timer: Option<Timer>,
}

impl<'a, M: Message> Tell<'a, M> {
    #[inline(always)]
    pub(super) fn new(cell: &'a Arc<AgentCell<M>>, message: M) -> Self {
        let (priority, sent_at) = (message.priority(), cell.now());
        let message = Some(Cell::new(message));
        Self { cell, message, terms: None, sent_at, deadline: None, priority, waiting: None }
    }

    /// Sends at most this urgently. A priority above what the message's type grants has no effect.
    pub fn priority(mut self, at_most: Priority) -> Self {
        self.priority = self.priority.at_most(at_most);
        self
    }

    /// Not to be handled later than this from now. Whoever waits for room gives up at the same moment.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.terms = Some(Arc::new(Until(self.give_up_after(within))));
        self
    }

    /// Stops waiting for room after this long; when the message itself lapses, its terms say.
    pub(crate) fn give_up_after(&mut self, within: Duration) -> Nanos {
        let until = self.sent_at.after(within);
        self.deadline = Some(until);
        until
    }

    #[inline(always)]
    pub(crate) fn on_terms(mut self, its: Arc<dyn Terms>) -> Self {
        self.terms = Some(its);
        self
    }

    pub(super) fn cell(&self) -> &'a Arc<AgentCell<M>> {
        self.cell
    }

    #[cold]
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TellError<M>>> {
        let Some(waiting) = &mut self.waiting else {
            panic!("a `Tell` was polled after it had resolved");
        };
        let Waiting { ticket, timer } = &mut **waiting;
        if let Poll::Ready(admission) = ticket.poll(cx.waker()) {
            self.waiting = None;
            return Poll::Ready(match admission {
                Admission::Accepted => Ok(()),
                Admission::Closed(envelope) => Err(TellError::Closed(envelope.message)),
            });
        }
        if timer.as_mut().is_some_and(|timer| Pin::new(timer).poll(cx).is_ready()) {
            // Between the look above and now it may have been let in after all.
            let given_up = self.cell.mailbox.give_up(self.priority.lane(), ticket);
            self.waiting = None;
            return Poll::Ready(match given_up {
                Some(envelope) => Err(TellError::Expired(envelope.message)),
                None => Ok(()),
            });
        }
        Poll::Pending
    }

    /// What becomes of a message that was not simply queued.
    #[cold]
    fn turned_away(
        &mut self,
        decided: Result<Offer<M>, Arc<Ticket<M>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TellError<M>>> {
        match decided {
            Ok(Offer::Accepted(_)) => Poll::Ready(Ok(())),
            Ok(Offer::Full(envelope)) => Poll::Ready(Err(TellError::Full(envelope.message))),
            Ok(Offer::Closed(envelope)) => Poll::Ready(Err(TellError::Closed(envelope.message))),
            Err(ticket) => {
                let timer = self.deadline.map(|until| self.cell.commons.sleep_until(until));
                self.waiting = Some(Box::new(Waiting { ticket, timer }));
                self.wait(cx)
            }
        }
    }
}

impl<M: Message> Future for Tell<'_, M> {
    type Output = Result<(), TellError<M>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.message.is_none() {
            return this.wait(cx);
        }
        let cell = this.cell;
        if cell.refuses(this.priority)
            && let Some(message) = this.message.take()
        {
            return Poll::Ready(Err(TellError::Overloaded(message.into_inner())));
        }
        let mut outgoing = Outgoing::new(&mut this.message, &mut this.terms, this.priority, this.sent_at);
        match cell.accept(&mut outgoing) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(refused) => {
                let decided = cell.turned_away_or_wait(outgoing, refused);
                this.turned_away(decided, cx)
            }
        }
    }
}

// The future moves freely: what must stay put (inside the timer) is boxed.
impl<M: Message> Unpin for Tell<'_, M> {}

impl<M: Message> Drop for Tell<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            drop(self.cell.mailbox.give_up(self.priority.lane(), &waiting.ticket));
        }
    }
}

impl<M: Message> fmt::Debug for Tell<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tell").field("to", &self.cell.name).finish_non_exhaustive()
    }
}
