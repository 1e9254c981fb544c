//! Where guards take the time from.

use std::time::Duration;

use crate::clock::{Clock, Nanos, nanos};
use crate::sync::{Arc, AtomicU64, Ordering};

/// The clock of a guard: real, Tokio's (which a test pauses and advances), or one that is set by hand.
///
/// What *waits* (a timeout, a rest before a retry, a turn at a limiter) waits on Tokio's timers whatever the clock;
/// the clock is what durations and windows are measured with. Cloning is cheap and shares the clock.
#[derive(Debug, Clone)]
pub struct Time {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Clock(Clock),
    Manual(ManualClock),
}

impl Time {
    /// The processor's clock.
    #[must_use]
    pub fn real() -> Self {
        Self { source: Source::Clock(Clock::real()) }
    }

    /// Tokio's clock. Must be called, and the guards used, inside the Tokio runtime whose time it shows.
    #[must_use]
    pub fn tokio() -> Self {
        Self { source: Source::Clock(Clock::virtual_time()) }
    }

    /// A clock that stands still until it is told otherwise.
    #[must_use]
    pub fn manual() -> (Self, ManualClock) {
        let clock = ManualClock { nanos: Arc::default() };
        (Self { source: Source::Manual(clock.clone()) }, clock)
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match &self.source {
            Source::Clock(clock) => clock.now(),
            Source::Manual(clock) => Nanos(clock.nanos.load(Ordering::Acquire)),
        }
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::real()
    }
}

impl From<Clock> for Time {
    fn from(clock: Clock) -> Self {
        Self { source: Source::Clock(clock) }
    }
}

/// Moves the time that [`Time::manual`] shows.
#[derive(Debug, Clone)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// Lets this much time pass.
    pub fn advance(&self, time: Duration) {
        self.nanos.fetch_add(nanos(time), Ordering::AcqRel);
    }
}
