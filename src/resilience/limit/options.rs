//! How many calls in how much time.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use serde::{Deserialize, Serialize};

use crate::resilience::fault::{Checks, DAY, HOUR, InvalidOptions, MILLISECOND};
use crate::resilience::seconds;

/// The options of a rate limiter.
///
/// There is no default rate: resilience4j's (50 calls every 500 ns) limits nothing, and any other would be a guess. An
/// option set without `permits` is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitOptions {
    /// Calls that may pass in each period, evenly spread once the burst is used up; 1 to 1,000,000.
    pub permits: u32,
    /// The period; 1 ms to a day. Default: 1 s.
    #[serde(rename = "per_seconds", with = "seconds")]
    pub per: Duration,
    /// Calls that may pass at once after a rest; 1 to 1,000,000. Default: `None`, as many as `permits`.
    pub burst: Option<u32>,
    /// How long a call may wait for its turn, up to an hour; zero refuses at once. Default: 5 s (resilience4j's).
    #[serde(rename = "max_wait_seconds", with = "seconds")]
    pub max_wait: Duration,
}

impl Default for RateLimitOptions {
    fn default() -> Self {
        Self { permits: 0, per: Duration::from_secs(1), burst: None, max_wait: Duration::from_secs(5) }
    }
}

impl RateLimitOptions {
    /// So many calls a second.
    #[must_use]
    pub fn per_second(permits: u32) -> Self {
        Self { permits, ..Self::default() }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| self.check(checks))
    }

    pub(in crate::resilience) fn check(&self, checks: &mut Checks) {
        checks.number("permits", self.permits, 1..=1_000_000);
        checks.seconds("per_seconds", self.per, MILLISECOND..=DAY);
        if let Some(burst) = self.burst {
            checks.number("burst", burst, 1..=1_000_000);
        }
        checks.seconds("max_wait_seconds", self.max_wait, Duration::ZERO..=HOUR);
    }

    /// The time after which one more call may pass. At least a nanosecond.
    pub(super) fn interval(&self) -> Duration {
        (self.per / self.permits.max(1)).max(Duration::from_nanos(1))
    }

    /// The quota of valid options. A burst takes ten years to fill at most: governor counts in 64 bits of nanoseconds.
    pub(super) fn quota(&self) -> Quota {
        const TEN_YEARS: u128 = 3650 * 86_400 * 1_000_000_000;
        let fits = TEN_YEARS / self.interval().as_nanos();
        let burst = self.burst.unwrap_or(self.permits).min(u32::try_from(fits).unwrap_or(u32::MAX));
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        match Quota::with_period(self.interval()) {
            Some(quota) => quota.allow_burst(burst),
            None => Quota::per_second(burst),
        }
    }
}

/// The options of a [`KeyedRateLimiter`](super::KeyedRateLimiter).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyedRateLimitOptions {
    /// What each key may do. Its `max_wait` has no meaning here: a keyed limiter never waits.
    pub rate: RateLimitOptions,
    /// The most keys it remembers; 1 to 10,000,000. Keys beyond that share one limit among them. Default: 100,000.
    pub max_keys: usize,
}

impl Default for KeyedRateLimitOptions {
    fn default() -> Self {
        Self { rate: RateLimitOptions::default(), max_keys: 100_000 }
    }
}

impl KeyedRateLimitOptions {
    /// So many calls a second for each key.
    #[must_use]
    pub fn per_second(permits: u32) -> Self {
        Self { rate: RateLimitOptions::per_second(permits), ..Self::default() }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| {
            checks.section("rate", |checks| self.rate.check(checks));
            checks.number("max_keys", self.max_keys, 1..=10_000_000);
        })
    }
}
