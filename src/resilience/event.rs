//! What guards decide, for whoever listens.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::Serialize;

use super::breaker::{BreakerState, Outcome};
use super::retry::GivenUp;
use super::time::Time;
use crate::clock::Nanos;
use crate::message::Priority;
use crate::sync::Arc;

/// One decision of one guard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The name the guard was given; the parts of a policy share the policy's.
    pub guard: &'a str,
    /// When, since the guard's clock began.
    pub at: Duration,
    /// What was decided.
    pub decision: Decision,
}

/// What a guard decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// The rate limit had room; `waited` if not at once.
    RateGranted {
        /// Whether the call waited for its turn.
        waited: bool,
    },
    /// The rate limit had no room in the time the call may wait.
    RateLimited {
        /// When there may be room, from now.
        retry_after: Duration,
    },
    /// The bulkhead had a place.
    BulkheadEntered {
        /// Whether the call waited for its place.
        waited: bool,
    },
    /// The bulkhead had no place in the time the call may wait.
    BulkheadFull,
    /// The breaker let a call pass.
    CallPermitted {
        /// Whether it is one of the probes of a half-open breaker.
        probe: bool,
    },
    /// The breaker refused a call.
    CallRefused {
        /// The state it was in.
        state: BreakerState,
    },
    /// A call's outcome counts.
    CallRecorded {
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
        /// Whether that is slow.
        slow: bool,
    },
    /// A call's outcome came after the breaker had changed its state, and does not count.
    CallLate {
        /// How it ended.
        outcome: Outcome,
    },
    /// The breaker changed its state.
    StateChanged {
        /// The state before.
        from: BreakerState,
        /// The state now.
        to: BreakerState,
    },
    /// A call did not end in time.
    TimedOut {
        /// The time it was given.
        after: Duration,
    },
    /// A call will be tried again.
    Retrying {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// How long it rests before the next.
        delay: Duration,
    },
    /// A call will not be tried again.
    RetryRefused {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// Why.
        reason: GivenUp,
    },
    /// A message went past the guards of its link unasked, because it is too urgent to be refused.
    Exempted {
        /// Its priority.
        priority: Priority,
    },
    /// Admission control admitted a message.
    Admitted {
        /// Its priority.
        priority: Priority,
    },
    /// Admission control refused a message.
    Shed {
        /// Its priority.
        priority: Priority,
    },
    /// Admission control changed what it refuses.
    AdmissionChanged {
        /// The share refused, from 0 to 1: Critical (always 0), High, Normal, Low.
        refused: [f64; Priority::COUNT],
    },
}

/// Hears of every decision of the guards it is given to.
///
/// It is called by the thread that decided, after the guard's locks are released and before the call goes on, so it
/// should be quick. Decisions of several threads may be heard in another order than they were taken in. A listener that
/// panics is reported to the log and does not disturb the call.
pub trait Listener: Send + Sync {
    /// A guard decided.
    fn on_event(&self, event: &Event<'_>);

    /// Whether it wants to hear of such a decision; `false` saves making the event. Default: of every one.
    fn hears(&self, _decision: &Decision) -> bool {
        true
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Listener for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Writes changes of state to the log at `INFO` (trips at `WARN`), and everything else but what passes at `DEBUG`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogListener;

impl Listener for LogListener {
    fn on_event(&self, event: &Event<'_>) {
        let Event { guard, decision, .. } = event;
        match decision {
            Decision::StateChanged { from, to: to @ (BreakerState::Open | BreakerState::ForcedOpen) } => {
                tracing::warn!(guard, %from, %to, "the circuit breaker refuses calls");
            }
            Decision::StateChanged { from, to } => {
                tracing::info!(guard, %from, %to, "the circuit breaker changed its state");
            }
            Decision::AdmissionChanged { refused } => {
                tracing::info!(guard, ?refused, "admission control changed what it refuses");
            }
            Decision::RateGranted { .. }
            | Decision::BulkheadEntered { .. }
            | Decision::CallPermitted { .. }
            | Decision::CallRecorded { .. }
            | Decision::Exempted { .. }
            | Decision::Admitted { .. } => {}
            decision => tracing::debug!(guard, ?decision, "a guard decided"),
        }
    }

    fn hears(&self, decision: &Decision) -> bool {
        !matches!(
            decision,
            Decision::RateGranted { .. }
                | Decision::BulkheadEntered { .. }
                | Decision::CallPermitted { .. }
                | Decision::CallRecorded { .. }
                | Decision::Exempted { .. }
                | Decision::Admitted { .. }
        )
    }
}

/// What guards share with the world around them: the clock, who listens, and chance.
#[derive(Clone, Default)]
#[must_use]
pub struct Environment {
    time: Time,
    listener: Option<Arc<dyn Listener>>,
    seed: Option<u64>,
}

impl Environment {
    /// Takes the time from here. Default: the real clock.
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// Tells every decision to `listener`. Default: nobody listens, and events cost nothing.
    pub fn listener(mut self, listener: impl Listener + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Makes jitter the same every time. Default: it differs.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Tells `also` besides.
    pub(crate) fn heard_by(mut self, also: &(impl Listener + Clone + 'static)) -> Self {
        let also = also.clone();
        self.listener = Some(match self.listener.take() {
            None => Arc::new(also),
            Some(first) => Arc::new(Both { first, also }),
        });
        self
    }

    /// The seed for one guard's jitter.
    pub(super) fn chance(&self) -> u64 {
        self.seed.unwrap_or_else(rand::random)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("time", &self.time)
            .field("listener", &self.listener.is_some())
            .field("seed", &self.seed)
            .finish()
    }
}

/// Two listeners, of whom each hears what it wants to.
struct Both<L> {
    first: Arc<dyn Listener>,
    also: L,
}

impl<L: Listener> Listener for Both<L> {
    fn on_event(&self, event: &Event<'_>) {
        // Ours first: the other is a user's and may panic.
        if self.also.hears(&event.decision) {
            self.also.on_event(event);
        }
        if self.first.hears(&event.decision) {
            self.first.on_event(event);
        }
    }

    fn hears(&self, decision: &Decision) -> bool {
        self.also.hears(decision) || self.first.hears(decision)
    }
}

/// A guard's name, clock and listener.
#[derive(Clone)]
pub(super) struct Hook {
    name: Arc<str>,
    time: Time,
    listener: Option<Arc<dyn Listener>>,
}

impl Hook {
    pub(super) fn new(name: &str, environment: &Environment) -> Self {
        Self { name: name.into(), time: environment.time.clone(), listener: environment.listener.clone() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn time(&self) -> &Time {
        &self.time
    }

    #[inline]
    pub(super) fn now(&self) -> Nanos {
        self.time.now()
    }

    /// Tells the listener, if there is one. Never called under a guard's lock.
    #[inline]
    pub(super) fn emit(&self, decision: Decision) {
        if let Some(listener) = &self.listener
            && listener.hears(&decision)
        {
            self.tell(&**listener, decision);
        }
    }

    #[cold]
    fn tell(&self, listener: &dyn Listener, decision: Decision) {
        let event = Event { guard: &self.name, at: Duration::from_nanos(self.now().0), decision };
        // A permit reports while a panic unwinds; a second panic there would abort the process.
        if catch_unwind(AssertUnwindSafe(|| listener.on_event(&event))).is_err() {
            tracing::error!(guard = &*self.name, "a listener panicked");
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("name", &self.name).finish_non_exhaustive()
    }
}
