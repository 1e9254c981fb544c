//! Time in a run.

use crate::clock::Clock;

/// Nanoseconds since the run began.
pub(in crate::load) type Moment = u64;

/// Tells the time in a run.
#[derive(Debug, Clone)]
pub(in crate::load) struct Timeline {
    clock: Clock,
    /// The clock's time at which the run begins.
    zero: u64,
}

impl Timeline {
    /// A run that begins `lead` nanoseconds from now.
    pub(in crate::load) fn after(clock: Clock, lead: u64) -> Self {
        let zero = clock.now().0 + lead;
        Self { clock, zero }
    }

    /// Now. Before the beginning it is zero.
    #[inline]
    pub(in crate::load) fn now(&self) -> Moment {
        self.clock.now().0.saturating_sub(self.zero)
    }

    /// Nanoseconds until the beginning.
    pub(in crate::load) fn until_zero(&self) -> u64 {
        self.zero.saturating_sub(self.clock.now().0)
    }
}
