//! What all agents of one runtime share.

use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::delivery::DeadLetters;

#[derive(Debug)]
pub(crate) struct Commons {
    pub(crate) clock: Clock,
    pub(crate) dead_letters: DeadLetters,
    /// Whether latencies are recorded.
    pub(crate) latencies: bool,
    /// The Tokio runtime of the system arbiter: its timers serve callers that have none.
    timers: OnceLock<Handle>,
}

impl Commons {
    pub(crate) fn new(clock: Clock, dead_letters: DeadLetters, latencies: bool) -> Self {
        Self { clock, dead_letters, latencies, timers: OnceLock::new() }
    }

    pub(crate) fn set_timers(&self, handle: Handle) {
        // Set once, when the system arbiter starts, before anything can be sent.
        let _ = self.timers.set(handle);
    }

    /// A timer that works on any executor. An agent uses its own arbiter's; anybody else the system
    /// arbiter's, because a foreign runtime may have no timers at all.
    pub(crate) fn sleep(&self, duration: Duration) -> Pin<Box<Sleep>> {
        if super::current::is_agent() {
            return Box::pin(tokio::time::sleep(duration));
        }
        let _inside = self.timers.get().map(Handle::enter);
        Box::pin(tokio::time::sleep(duration))
    }
}
