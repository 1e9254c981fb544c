//! Sending and waiting for the answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cell::AgentCell;
use super::commons::Timer;
use super::current;
use super::error::AskError;
use super::reply::{Answer, Awaited, Reply, reply};
use super::tell::Tell;
use super::wait_graph::Edge;
use crate::clock::Nanos;
use crate::message::{Message, Priority};
use crate::sync::Arc;

/// A question about to be asked: choose its options, then await the answer.
///
/// Asked from inside a handler, an ask that would wait for its own asker fails at once with
/// [`AskError::Cycle`].
///
/// # Cancel safety
///
/// Dropped before it resolves, the question is dropped unhandled if it is still queued; if it is being
/// handled, the answer is dropped.
#[must_use = "a question is asked when the `Ask` is awaited"]
pub struct Ask<'a, M: Message, T> {
    tell: Option<Tell<'a, M>>,
    cell: &'a Arc<AgentCell<M>>,
    awaited: Awaited<T>,
    /// When to stop waiting.
    until: Option<Nanos>,
    /// Made when the asker has to wait, in a place of its own: an `Ask` is moved about before that.
    timer: Option<Box<Timer>>,
    edge: Option<Edge>,
    started: bool,
}

impl<'a, M: Message, T: Send + 'static> Ask<'a, M, T> {
    #[inline(always)]
    pub(super) fn new(cell: &'a Arc<AgentCell<M>>, question: impl FnOnce(Reply<T>) -> M) -> Self {
        let (reply, awaited, terms) = reply();
        let tell = Tell::new(cell, question(reply)).on_terms(terms);
        Self::asking(tell, awaited)
    }

    /// The question is built already: its target depended on it.
    #[inline(always)]
    pub(super) fn asking(tell: Tell<'a, M>, awaited: Awaited<T>) -> Self {
        let cell = tell.cell();
        Self { tell: Some(tell), cell, awaited, until: None, timer: None, edge: None, started: false }
    }

    /// Stops waiting this long from now, whether it waits for room or for the answer; a question still queued then is not handled any more,
    /// unless it [outlives its asker](crate::Message::outlives_its_asker).
    pub fn timeout(mut self, within: Duration) -> Self {
        self.until = self.tell.as_mut().map(|tell| tell.give_up_after(within));
        if let Some(until) = self.until {
            self.awaited.set_deadline(until);
        }
        self
    }

    /// Asks at most this urgently.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.tell = self.tell.map(|tell| tell.priority(priority));
        self
    }

    /// The place of the answer, to ask again.
    pub(crate) fn into_awaited(self) -> Awaited<T> {
        self.awaited
    }

    #[inline]
    fn start(&mut self) -> Result<(), AskError<M>> {
        self.started = true;
        if let Some(asker) = current::instance() {
            let target = Arc::clone(self.cell);
            self.edge = Some(Edge::enter(asker, target).map_err(AskError::Cycle)?);
        }
        Ok(())
    }

    fn answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, AskError<M>>> {
        self.awaited.poll(cx.waker()).map(|answer| match answer {
            Answer::Sent(answer) => Ok(answer),
            Answer::Dropped(reason) => Err(AskError::Dropped(reason)),
            Answer::None => Err(AskError::NoReply),
        })
    }

    fn timed_out(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(until) = self.until else { return false };
        let timer = self.timer.get_or_insert_with(|| Box::new(self.cell.commons.sleep_until(until)));
        Pin::new(&mut **timer).poll(cx).is_ready()
    }
}

impl<M: Message, T: Send + 'static> Future for Ask<'_, M, T> {
    type Output = Result<T, AskError<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.advance(cx);
        if polled.is_ready() {
            // Whoever still holds the question waits for nobody any more.
            self.edge = None;
        }
        polled
    }
}

impl<M: Message, T: Send + 'static> Ask<'_, M, T> {
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, AskError<M>>> {
        let this = self;
        if !this.started
            && let Err(cycle) = this.start()
        {
            return Poll::Ready(Err(cycle));
        }
        if let Some(tell) = &mut this.tell {
            match Pin::new(tell).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(refused)) => return Poll::Ready(Err(refused.into())),
                Poll::Ready(Ok(())) => this.tell = None,
            }
        }
        if let Poll::Ready(answer) = this.answer(cx) {
            return Poll::Ready(answer);
        }
        if this.timed_out(cx) {
            return Poll::Ready(Err(AskError::Timeout));
        }
        Poll::Pending
    }
}

// What must stay put is boxed.
impl<M: Message, T> Unpin for Ask<'_, M, T> {}

impl<M: Message, T> fmt::Debug for Ask<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("to", &self.cell.name).finish_non_exhaustive()
    }
}
