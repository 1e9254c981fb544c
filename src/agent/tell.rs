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
use crate::message::{Envelope, Message, Priority, Terms, Until};
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
    /// Not in an envelope yet: that is written once, where it stays.
    Ready {
        message: M,
        priority: Priority,
        sent_at: Nanos,
        terms: Option<Arc<dyn Terms>>,
    },
    Waiting {
        ticket: Arc<Ticket<M>>,
        lane: usize,
        timer: Option<Timer>,
    },
    Done,
}

impl<'a, M: Message> Tell<'a, M> {
    #[inline]
    pub(super) fn new(cell: &'a Arc<AgentCell<M>>, message: M) -> Self {
        let (priority, sent_at) = (message.priority(), cell.now());
        Self { cell, state: State::Ready { message, priority, sent_at, terms: None }, deadline: None }
    }

    /// Sends at most this urgently. A priority above what the message's type grants has no effect.
    pub fn priority(mut self, at_most: Priority) -> Self {
        if let State::Ready { priority, .. } = &mut self.state {
            *priority = priority.at_most(at_most);
        }
        self
    }

    /// Not to be handled later than this from now. Whoever waits for room gives up at the same moment.
    pub fn deadline(mut self, within: Duration) -> Self {
        if let Some(until) = self.give_up_after(within)
            && let State::Ready { terms, .. } = &mut self.state
        {
            *terms = Some(Arc::new(Until(until)));
        }
        self
    }

    /// Stops waiting for room after this long; when the message itself lapses, its terms say.
    pub(crate) fn give_up_after(&mut self, within: Duration) -> Option<Nanos> {
        if let State::Ready { sent_at, .. } = &self.state {
            self.deadline = Some(sent_at.after(within));
        }
        self.deadline
    }

    pub(crate) fn on_terms(mut self, its: Arc<dyn Terms>) -> Self {
        if let State::Ready { terms, .. } = &mut self.state {
            *terms = Some(its);
        }
        self
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
        let ready = std::mem::replace(&mut this.state, State::Done);
        let State::Ready { message, priority, sent_at, terms } = ready else {
            panic!("a `Tell` was polled after it had resolved");
        };
        if this.cell.refuses(priority) {
            return Poll::Ready(Err(TellError::Overloaded(message)));
        }
        let lane = priority.lane();
        match this.cell.offer_or_wait(Envelope::on_terms(message, priority, sent_at, terms)) {
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
