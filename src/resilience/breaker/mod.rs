//! The circuit breaker: stops calling what does not answer, and finds out when it does again.
//!
//! `machine` is the state machine and `window` what it judges by, both pure; `core` puts them behind a short lock with
//! one atomic load in front, and [`Permit`] is what a caller holds. Why it is not built on `failsafe` is in
//! `docs/decisions/0012-circuit-breaker.md`.

mod core;
mod machine;
mod options;
mod permit;
mod snapshot;
mod window;

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use self::core::Core;
use self::machine::Machine;
use super::event::Environment;
use super::fault::InvalidOptions;
use crate::sync::Arc;

pub(crate) use self::options::BreakerForm;
pub use self::options::{BreakerOptions, Window};
pub use self::permit::{Outcome, OwnedPermit, Permit};
pub use self::snapshot::{
    BreakerSnapshot, BreakerState, CallCounts, RefusedCounts, Transitions, WindowSnapshot,
};

/// The breaker refused the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the circuit breaker is {state}")]
#[non_exhaustive]
pub struct CircuitOpen {
    /// The state that refused it.
    pub state: BreakerState,
    /// When an open breaker lets probes pass, from now. `None` if that is not known.
    pub retry_after: Option<Duration>,
}

/// Watches the calls to one callee, and refuses them while too many fail or are slow.
///
/// A call asks for a [`Permit`] and ends by telling it the [`Outcome`]; a permit that is dropped without one (the call
/// was cancelled, timed out outside, or panicked) counts as a failure. While calls pass, asking is one atomic load and
/// telling takes a lock for some nanoseconds. Cloning is cheap; clones are the same breaker.
///
/// - **Closed**, it judges the calls of its window after each of them, as soon as there are enough: there is no
///   interval to wait for.
/// - **Open**, it refuses until its time is over. Reading its state never changes it; the first call after that does.
/// - **Half-open**, exactly the configured number of probes pass, however many callers ask at once. It decides as soon
///   as the probes still out cannot change the verdict.
/// - An outcome counts only in the state its call began in: what ends after a trip neither closes nor trips.
///
/// ```
/// use statim::resilience::{BreakerOptions, BreakerState, CircuitBreaker, Environment};
///
/// let options = BreakerOptions::consecutive_failures(2);
/// let breaker = CircuitBreaker::new("pharmacy", &options, &Environment::default())?;
/// breaker.try_acquire()?.success();
/// breaker.try_acquire()?.failure();
/// drop(breaker.try_acquire()?);
/// assert_eq!(breaker.state(), BreakerState::Open);
/// assert!(breaker.try_acquire().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    core: Arc<Core>,
}

impl CircuitBreaker {
    /// A closed breaker.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &BreakerOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        options.validate()?;
        Ok(Self { core: Arc::new(Core::new(name, options, environment)) })
    }

    /// Asks for a permit.
    ///
    /// # Errors
    ///
    /// The breaker is open or forced open, or half-open with all probes out.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpen> {
        self.core.admit().map(|pass| Permit::new(&self.core, pass))
    }

    /// Asks for a permit that may outlive this reference.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    #[inline]
    pub fn try_acquire_owned(&self) -> Result<OwnedPermit, CircuitOpen> {
        self.core.admit().map(|pass| OwnedPermit::new(Arc::clone(&self.core), pass))
    }

    /// Why a call would certainly be refused now. `None` promises nothing: another may take the last probe. Changes
    /// nothing and counts nothing.
    #[must_use]
    pub fn refusal(&self) -> Option<CircuitOpen> {
        self.core.peek()
    }

    /// A refusal that is certain now, counted, before anything is spent on the call.
    #[inline]
    pub(super) fn refuse_early(&self) -> Option<CircuitOpen> {
        self.core.refuse_early()
    }

    /// The state. Changes nothing: an open breaker whose time is over stays open until a call asks.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.core.state()
    }

    /// When an open breaker lets probes pass, from now; zero if a call would be a probe. `None` in any other state.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.core.retry_after(self.core.hook().now())
    }

    /// Refuses every call until [`reset`](Self::reset) or [`force_closed`](Self::force_closed).
    pub fn force_open(&self) {
        self.core.force(Machine::force_open);
    }

    /// Lets every call pass, whatever the outcomes (which are still counted), until [`reset`](Self::reset) or
    /// [`force_open`](Self::force_open).
    pub fn force_closed(&self) {
        self.core.force(Machine::force_closed);
    }

    /// Closes it, whatever its state, with an empty window.
    pub fn reset(&self) {
        self.core.force(Machine::reset);
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.core.hook().name()
    }

    /// Its state and its counters. Changes nothing.
    #[must_use]
    pub fn snapshot(&self) -> BreakerSnapshot {
        self.core.snapshot()
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker").field("name", &self.name()).field("state", &self.state()).finish()
    }
}
