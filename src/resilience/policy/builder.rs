//! Putting a policy together.

use std::time::Duration;

use super::options::PolicyOptions;
use super::{Inner, Policy};
use crate::resilience::breaker::{BreakerOptions, CircuitBreaker};
use crate::resilience::bulkhead::{Bulkhead, BulkheadOptions};
use crate::resilience::event::{Environment, Hook};
use crate::resilience::fault::InvalidOptions;
use crate::resilience::limit::{RateLimitOptions, RateLimiter};
use crate::resilience::retry::{Retry, RetryOptions};
use crate::sync::{Arc, AtomicU64};

/// Puts a [`Policy`] together. Parts that are not named are not there.
#[derive(Debug, Clone)]
#[must_use]
pub struct PolicyBuilder {
    name: String,
    options: PolicyOptions,
    environment: Environment,
}

impl PolicyBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), options: PolicyOptions::default(), environment: Environment::default() }
    }

    /// All parts as these options have them, instead of those named before.
    pub fn options(mut self, options: PolicyOptions) -> Self {
        self.options = options;
        self
    }

    /// How many attempts may begin in how much time.
    pub fn rate_limit(mut self, options: RateLimitOptions) -> Self {
        self.options.rate_limit = Some(options);
        self
    }

    /// How many attempts may be under way at a time.
    pub fn bulkhead(mut self, options: BulkheadOptions) -> Self {
        self.options.bulkhead = Some(options);
        self
    }

    /// When to stop calling for a while.
    pub fn breaker(mut self, options: BreakerOptions) -> Self {
        self.options.breaker = Some(options);
        self
    }

    /// How long one attempt may take; 1 ms to a day.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// When to try again.
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.options.retry = Some(options);
        self
    }

    /// The clock, the listener and the chance of all parts. Default: the real clock, and nobody listens.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Every option of every part that is out of its bounds.
    pub fn build(self) -> Result<Policy, InvalidOptions> {
        let Self { name, options, environment } = self;
        options.validate()?;
        let (name, around) = (&*name, &environment);
        Ok(Policy {
            inner: Arc::new(Inner {
                rate_limit: options.rate_limit.map(|it| RateLimiter::new(name, &it, around)).transpose()?,
                bulkhead: options.bulkhead.map(|it| Bulkhead::new(name, &it, around)).transpose()?,
                breaker: options.breaker.map(|it| CircuitBreaker::new(name, &it, around)).transpose()?,
                timeout: options.timeout,
                retry: options.retry.map(|it| Retry::new(name, &it, around)).transpose()?,
                calls: AtomicU64::new(0),
                timed_out: AtomicU64::new(0),
                hook: Hook::new(name, around),
            }),
        })
    }
}
