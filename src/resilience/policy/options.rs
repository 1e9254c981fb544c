//! What a policy is made of, in code and in a configuration file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::resilience::breaker::BreakerOptions;
use crate::resilience::bulkhead::BulkheadOptions;
use crate::resilience::fault::{Checks, DAY, InvalidOptions, MILLISECOND};
use crate::resilience::limit::RateLimitOptions;
use crate::resilience::retry::RetryOptions;
use crate::resilience::seconds;

/// The options of a [`Policy`](super::Policy). A part that is left out is not there.
///
/// ```
/// use statim::resilience::PolicyOptions;
///
/// let options: PolicyOptions = toml::from_str(r#"
///     timeout_seconds = 2.0
///
///     [rate_limit]
///     permits = 100
///
///     [breaker]
///     preset = "health_sync"
///
///     [retry]
///     attempts = 3
///     backoff = { first_seconds = 0.1, longest_seconds = 1.0 }
/// "#)?;
/// options.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyOptions {
    /// How long one attempt may take; 1 ms to a day. resilience4j's is 1 s.
    #[serde(rename = "timeout_seconds", with = "seconds::optional")]
    pub timeout: Option<Duration>,
    /// How many attempts may begin in how much time.
    pub rate_limit: Option<RateLimitOptions>,
    /// How many attempts may be under way at a time.
    pub bulkhead: Option<BulkheadOptions>,
    /// When to stop calling for a while.
    pub breaker: Option<BreakerOptions>,
    /// When to try again.
    pub retry: Option<RetryOptions>,
}

impl PolicyOptions {
    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds, by its path, such as `retry.backoff.first_seconds`.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| {
            if let Some(timeout) = self.timeout {
                checks.seconds("timeout_seconds", timeout, MILLISECOND..=DAY);
            }
            if let Some(options) = &self.rate_limit {
                checks.section("rate_limit", |checks| options.check(checks));
            }
            if let Some(options) = &self.bulkhead {
                checks.section("bulkhead", |checks| options.check(checks));
            }
            if let Some(options) = &self.breaker {
                checks.section("breaker", |checks| options.check(checks));
            }
            if let Some(options) = &self.retry {
                checks.section("retry", |checks| options.check(checks));
            }
        })
    }
}
