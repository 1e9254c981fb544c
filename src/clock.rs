//! Time as the runtime sees it: nanoseconds since the runtime started, real or virtual.

use std::fmt;
use std::time::Duration;

/// A moment, in nanoseconds since the clock began. 64 bits last 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(nanos(delay)))
    }

    /// How long ago `earlier` was; zero if it is not past (clocks of two cores may disagree a little).
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A duration in whole nanoseconds, saturating at 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where the time comes from.
///
/// The real clock reads the processor's time-stamp counter through `quanta` (9 ns on the machine of
/// 2026-11, against 25 ns for `std::time::Instant`), because two readings a message are most of what
/// telemetry costs. The virtual clock is Tokio's, which a test pauses and advances.
#[derive(Clone)]
pub(crate) enum Clock {
    Real { clock: quanta::Clock, origin: u64 },
    Virtual { origin: tokio::time::Instant },
}

impl Clock {
    pub(crate) fn real() -> Self {
        let clock = quanta::Clock::new();
        let origin = clock.raw();
        Self::Real { clock, origin }
    }

    /// Must be called, and read, inside the paused Tokio runtime whose time it shows.
    pub(crate) fn virtual_time() -> Self {
        Self::Virtual { origin: tokio::time::Instant::now() }
    }

    /// Whether time stands still while somebody computes.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match self {
            Self::Real { clock, origin } => Nanos(clock.delta_as_nanos(*origin, clock.raw())),
            Self::Virtual { origin } => Nanos(nanos(origin.elapsed())),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real { .. } => "Clock::Real",
            Self::Virtual { .. } => "Clock::Virtual",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_clock_agrees_with_the_system_clock() {
        let clock = Clock::real();
        let (ours, theirs) = (clock.now(), std::time::Instant::now());
        std::thread::sleep(Duration::from_millis(100));
        let (ours, theirs) = (clock.now().since(ours), nanos(theirs.elapsed()));
        assert!(ours.abs_diff(theirs) < theirs / 50, "ours {ours} ns, system {theirs} ns");
    }

    #[test]
    fn a_moment_never_runs_backwards() {
        let clock = Clock::real();
        let mut last = clock.now();
        for _ in 0..100_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }
}
