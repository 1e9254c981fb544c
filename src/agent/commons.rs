//! What all agents of one runtime share.

use std::fmt;
use std::pin::Pin;
use std::sync::RwLock;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Sleep;

use crate::clock::{Clock, Nanos};
use crate::delivery::DeadLetters;
use crate::link::Links;
use crate::resilience::Environment;
use crate::sync::Arc;
use crate::telemetry::{Happenings, Metered};

#[derive(Debug)]
pub(crate) struct Commons {
    pub(crate) clock: Clock,
    pub(crate) dead_letters: DeadLetters,
    /// Whether latencies are recorded.
    pub(crate) latencies: bool,
    /// The clock of the guards on links and mailboxes, and who hears of their decisions.
    pub(crate) guards: Environment,
    pub(crate) links: Links,
    /// Which figures threads count.
    pub(crate) metering: Metered,
    /// What befell agents lately.
    pub(crate) happenings: Happenings,
    timers: Arc<Timers>,
}

/// The Tokio runtime of the system arbiter, whose timers serve callers that have none. `None` before it has
/// started and once it is about to end: a timer must not be touched after that.
type Timers = RwLock<Option<Handle>>;

impl Commons {
    pub(crate) fn new(
        clock: Clock,
        dead_letters: DeadLetters,
        latencies: bool,
        guards: Environment,
        metering: Metered,
    ) -> Self {
        let happenings = Happenings::default();
        let guards = guards.time(clock.clone().into()).heard_by(&happenings);
        Self {
            clock,
            dead_letters,
            latencies,
            guards,
            links: Links::default(),
            metering,
            happenings,
            timers: Arc::default(),
        }
    }

    /// Called once, when the system arbiter starts, before anything can be sent.
    pub(crate) fn set_timers(&self, handle: Handle) {
        *self.timers.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(handle);
    }

    /// The system arbiter is about to end.
    pub(crate) fn close_timers(&self) {
        *self.timers.write().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// A timer that works on any executor. An agent uses its own arbiter's; anybody else the system
    /// arbiter's, because a foreign runtime may have no timers at all.
    pub(crate) fn sleep(&self, duration: Duration) -> Timer {
        if super::current::is_agent() {
            return Timer { sleep: Some(Box::pin(tokio::time::sleep(duration))), lent_by: None };
        }
        let timers = self.timers.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let sleep = timers.as_ref().map(|handle| {
            let _inside = handle.enter();
            Box::pin(tokio::time::sleep(duration))
        });
        Timer { sleep, lent_by: Some(Arc::clone(&self.timers)) }
    }

    /// Runs a future that waits on Tokio's timers, on any executor: `None` if the runtime that lends them ends meanwhile.
    pub(crate) async fn with_timers<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| {
            if super::current::is_agent() {
                return future.as_mut().poll(cx).map(Some);
            }
            let timers = self.timers.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let Some(handle) = &*timers else { return Poll::Ready(None) };
            let _inside = handle.enter();
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }

    pub(crate) fn sleep_until(&self, moment: Nanos) -> Timer {
        self.sleep(Duration::from_nanos(moment.since(self.clock.now())))
    }
}

/// A timer that is over at its time, or when the runtime that lent it ends: nothing that it was to limit
/// can happen after that. (Tokio's own panics then.)
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    lent_by: Option<Arc<Timers>>,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { sleep, lent_by } = &mut *self;
        let Some(sleep) = sleep else { return Poll::Ready(()) };
        let Some(timers) = lent_by else { return sleep.as_mut().poll(cx) };
        // Held while the timer is touched, so that its runtime does not end meanwhile; that it ends wakes us.
        let timers = timers.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if timers.is_none() { Poll::Ready(()) } else { sleep.as_mut().poll(cx) }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}
