//! What several tests need.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::resilience::{
    BreakerOptions, CircuitBreaker, Decision, Environment, Event, ManualClock, Time, Window,
};

/// Milliseconds.
pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Every decision heard so far.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Decision>>>);

impl Heard {
    /// An ear for an [`Environment`].
    pub(crate) fn listener(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let heard = self.clone();
        move |event| heard.0.lock().unwrap().push(event.decision)
    }

    /// Takes out what was heard since the last time.
    pub(crate) fn take(&self) -> Vec<Decision> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A breaker on a clock that is moved by hand.
pub(crate) fn breaker(options: &BreakerOptions) -> (CircuitBreaker, ManualClock) {
    let (time, clock) = Time::manual();
    (CircuitBreaker::new("callee", options, &Environment::default().time(time)).unwrap(), clock)
}

/// Trips after two failures of two calls, stays open for 10 s, and then wants `probes`.
pub(crate) fn trips_after_two(probes: u32) -> BreakerOptions {
    BreakerOptions {
        window: Window::Calls(2),
        open: statim::resilience::Backoff::constant(Duration::from_secs(10)),
        probes,
        ..BreakerOptions::default()
    }
}

/// Fails twice, which trips a breaker of [`trips_after_two`].
pub(crate) fn trip(breaker: &CircuitBreaker) {
    for _ in 0..2 {
        breaker.try_acquire().unwrap().failure();
    }
}
