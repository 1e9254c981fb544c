//! How long to rest after a failure.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::fault::{Checks, DAY};
use super::seconds;
use crate::clock::nanos;

/// How much of a delay is left to chance, so that those who failed together do not return together (Brooker,
/// "Exponential Backoff and Jitter", 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Nothing: exactly the delay.
    None,
    /// Half of it: between half the delay and the whole.
    Equal,
    /// All of it: between nothing and the whole delay. Spreads best.
    #[default]
    Full,
}

/// A delay that doubles with each failure in a row, up to a longest one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The delay after the first failure, before jitter; up to a day. Default: 0.5 s (resilience4j's).
    #[serde(rename = "first_seconds", with = "seconds")]
    pub first: Duration,
    /// The longest delay; at least `first`, up to a day. Default: 30 s.
    #[serde(rename = "longest_seconds", with = "seconds")]
    pub longest: Duration,
    /// How much is left to chance. Default: all of it.
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(500), Duration::from_secs(30))
    }
}

impl Backoff {
    /// Doubling from `first` to `longest`, with full jitter.
    #[must_use]
    pub const fn exponential(first: Duration, longest: Duration) -> Self {
        Self { first, longest, jitter: Jitter::Full }
    }

    /// Always exactly `delay`.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self { first: delay, longest: delay, jitter: Jitter::None }
    }

    /// The same with another jitter.
    #[must_use]
    pub const fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// The delay after so many failures in a row, before jitter.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(63);
        let grown = nanos(self.first).saturating_mul(1 << doublings);
        Duration::from_nanos(grown).min(self.longest)
    }

    /// The delay after so many failures in a row.
    pub(crate) fn delay(&self, failures: u32, chance: &mut StdRng) -> Duration {
        let ceiling = nanos(self.ceiling(failures));
        Duration::from_nanos(match self.jitter {
            Jitter::None => ceiling,
            Jitter::Equal => chance.random_range(ceiling / 2..=ceiling),
            Jitter::Full => chance.random_range(0..=ceiling),
        })
    }

    pub(super) fn check(&self, checks: &mut Checks) {
        checks.seconds("first_seconds", self.first, Duration::ZERO..=DAY);
        if self.first <= DAY {
            checks.seconds("longest_seconds", self.longest, self.first..=DAY);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_delay_doubles_up_to_the_longest() {
        let backoff = Backoff::exponential(Duration::from_millis(300), Duration::from_secs(2));
        let ceilings: Vec<_> = (0..6).map(|failures| backoff.ceiling(failures).as_millis()).collect();
        assert_eq!(ceilings, [300, 300, 600, 1200, 2000, 2000]);
        assert_eq!(backoff.ceiling(u32::MAX), Duration::from_secs(2));
    }

    #[test]
    fn jitter_stays_within_its_bounds_and_uses_them() {
        let mut chance = StdRng::seed_from_u64(7);
        let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(1));
        for (jitter, least) in [(Jitter::None, 1.0), (Jitter::Equal, 0.5), (Jitter::Full, 0.0)] {
            let delays: Vec<f64> =
                (0..1000).map(|_| backoff.jitter(jitter).delay(1, &mut chance).as_secs_f64()).collect();
            let (low, high) = delays.iter().fold((f64::MAX, 0f64), |(l, h), d| (l.min(*d), h.max(*d)));
            assert!(low >= least && low <= least + 0.02, "{jitter:?}: lowest {low}");
            assert!((0.98..=1.0).contains(&high), "{jitter:?}: highest {high}");
        }
    }
}
