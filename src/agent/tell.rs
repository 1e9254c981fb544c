//! Sending without waiting for an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cell::AgentCell;
use super::commons::Timer;
use super::error::TellError;
use crate::clock::Nanos;
use crate::mailbox::{Admission, Offer, Ticket};
use crate::message::{Caller, Envelope, Message, Priority};
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
    state: State<M>,
    deadline: Option<Nanos>,
}

enum State<M> {
    Ready(Envelope<M>),
    Waiting { ticket: Arc<Ticket<M>>, lane: usize, timer: Option<Timer> },
    Done,
}

impl<'a, M: Message> Tell<'a, M> {
    pub(super) fn new(cell: &'a Arc<AgentCell<M>>, message: M) -> Self {
        let envelope = Envelope::new(message, cell.now());
        Self { cell, state: State::Ready(envelope), deadline: None }
    }

    /// Sends at most this urgently. A priority above what the message's type grants has no effect.
    pub fn priority(mut self, priority: Priority) -> Self {
        if let State::Ready(envelope) = &mut self.state {
            envelope.priority = envelope.priority.at_most(priority);
        }
        self
    }

    /// Not to be handled later than this from now. Whoever waits for room gives up at the same moment.
    pub fn deadline(mut self, within: Duration) -> Self {
        if let State::Ready(envelope) = &mut self.state {
            envelope.deadline = Some(envelope.sent_at.after(within));
            self.deadline = envelope.deadline;
        }
        self
    }

    pub(super) fn answering(mut self, caller: Arc<dyn Caller>) -> Self {
        if let State::Ready(envelope) = &mut self.state {
            envelope.caller = Some(caller);
        }
        self
    }

    /// The deadline as a moment.
    pub(super) fn until(&self) -> Option<Nanos> {
        self.deadline
    }

    pub(super) fn cell(&self) -> &'a Arc<AgentCell<M>> {
        self.cell
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TellError<M>>> {
        let State::Waiting { ticket, lane, timer } = &mut self.state else {
            unreachable!("only a waiting sender waits")
        };
        if let Poll::Ready(admission) = ticket.poll(cx.waker()) {
            self.state = State::Done;
            return Poll::Ready(match admission {
                Admission::Accepted => Ok(()),
                Admission::Closed(envelope) => Err(TellError::Closed(envelope.message)),
            });
        }
        if timer.as_mut().is_some_and(|timer| Pin::new(timer).poll(cx).is_ready()) {
            // Between the look above and now it may have been let in after all.
            let given_up = self.cell.mailbox.give_up(*lane, ticket);
            self.state = State::Done;
            return Poll::Ready(match given_up {
                Some(envelope) => Err(TellError::Expired(envelope.message)),
                None => Ok(()),
            });
        }
        Poll::Pending
    }
}

impl<M: Message> Future for Tell<'_, M> {
    type Output = Result<(), TellError<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let State::Waiting { .. } = this.state {
            return this.wait(cx);
        }
        let State::Ready(envelope) = std::mem::replace(&mut this.state, State::Done) else {
            panic!("a `Tell` was polled after it had resolved");
        };
        let lane = envelope.priority.lane();
        match this.cell.offer_or_wait(envelope) {
            Ok(Offer::Accepted(_)) => Poll::Ready(Ok(())),
            Ok(Offer::Full(envelope)) => Poll::Ready(Err(TellError::Full(envelope.message))),
            Ok(Offer::Closed(envelope)) => Poll::Ready(Err(TellError::Closed(envelope.message))),
            Err(ticket) => {
                let timer = this.deadline.map(|until| this.cell.commons.sleep_until(until));
                this.state = State::Waiting { ticket, lane, timer };
                this.wait(cx)
            }
        }
    }
}

// The future moves freely: what must stay put (inside the timer) is boxed.
impl<M: Message> Unpin for Tell<'_, M> {}

impl<M: Message> Drop for Tell<'_, M> {
    fn drop(&mut self) {
        if let State::Waiting { ticket, lane, .. } = &self.state {
            drop(self.cell.mailbox.give_up(*lane, ticket));
        }
    }
}

impl<M: Message> fmt::Debug for Tell<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tell").field("to", &self.cell.name).finish_non_exhaustive()
    }
}
