//! Retry: another attempt after a rest, for what may be better then.

mod budget;

use std::fmt;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::budget::Purse;
use super::backoff::Backoff;
use super::event::{Decision, Environment, Hook};
use super::fault::{Checks, InvalidOptions};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

pub use self::budget::RetryBudget;

/// The options of a [`Retry`]: resilience4j's three attempts and first rest of 0.5 s, with the rest growing and left to
/// chance, and a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOptions {
    /// Attempts, the first included; 1 to 100. Default: 3.
    pub attempts: u32,
    /// How long to rest in between. Default: 0.5 s, doubling up to 30 s, with full jitter.
    pub backoff: Backoff,
    /// Whether an attempt that ran out of time is tried again. It may have had its effect, so say yes only where the
    /// effect of two is that of one. Default: no.
    pub retry_timeouts: bool,
    /// How many retries all callers may make. Default: see there.
    pub budget: RetryBudget,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Backoff::default(),
            retry_timeouts: false,
            budget: RetryBudget::default(),
        }
    }
}

impl RetryOptions {
    /// So many attempts, the first included.
    #[must_use]
    pub fn attempts(attempts: u32) -> Self {
        Self { attempts, ..Self::default() }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| self.check(checks))
    }

    pub(super) fn check(&self, checks: &mut Checks) {
        checks.number("attempts", self.attempts, 1..=100);
        checks.section("backoff", |checks| self.backoff.check(checks));
        checks.section("budget", |checks| self.budget.check(checks));
    }
}

/// What a result says about the call and about another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call succeeded.
    Success,
    /// It failed, for a reason that may pass.
    Retryable,
    /// It failed for a reason that may pass, and the callee said when. A longer rest than the longest of the backoff is
    /// not waited for.
    RetryAfter(Duration),
    /// It failed, and another attempt would fail too.
    Permanent,
    /// The request was at fault, not the callee: no failure to a breaker, and no other attempt.
    Ignored,
}

/// Why a call is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GivenUp {
    /// Its failure is not marked as one that may pass.
    #[error("the failure is not one that may pass")]
    NotRetryable,
    /// It was the last attempt.
    #[error("it was the last attempt")]
    Attempts,
    /// The retries of all callers have used up their budget.
    #[error("the retry budget is used up")]
    Budget,
    /// The callee asked for a longer rest than the longest there is.
    #[error("the callee asked for a longer rest than is allowed")]
    RetryAfter,
}

/// Decides about other attempts. Cloning is cheap; clones share the budget.
///
/// A [`Policy`](super::Policy) uses it; by itself it is for code with a loop of its own, which calls
/// [`begin`](Self::begin) once a call and [`after`](Self::after) after each attempt that failed.
#[derive(Clone)]
pub struct Retry {
    inner: Arc<Inner>,
}

struct Inner {
    options: RetryOptions,
    purse: Purse,
    chance: Mutex<StdRng>,
    retries: AtomicU64,
    /// Of each [`GivenUp`], in its order.
    given_up: [AtomicU64; 4],
    hook: Hook,
}

/// The retries at a moment. Counts are since the retry was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrySnapshot {
    /// The name it was given.
    pub name: String,
    /// Attempts granted after a failed one.
    pub retries: u64,
    /// Failures not retried because they were not marked as such that may pass.
    pub not_retryable: u64,
    /// Failures not retried because it was the last attempt.
    pub attempts_exhausted: u64,
    /// Failures not retried because the budget was used up.
    pub budget_exhausted: u64,
    /// Failures not retried because the callee asked for too long a rest.
    pub retry_after_too_long: u64,
    /// Retries that the budget has now.
    pub budget: f64,
}

impl Retry {
    /// Retries with a whole budget.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &RetryOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        options.validate()?;
        let hook = Hook::new(name, environment);
        Ok(Self {
            inner: Arc::new(Inner {
                options: *options,
                purse: Purse::new(options.budget, hook.now()),
                chance: Mutex::new(StdRng::seed_from_u64(environment.chance())),
                retries: AtomicU64::new(0),
                given_up: Default::default(),
                hook,
            }),
        })
    }

    /// A call begins: pays into the budget.
    #[inline]
    pub fn begin(&self) {
        self.inner.purse.pay_in();
    }

    /// How long to rest before another attempt, after attempt number `attempt` (the first is 1) ended so.
    ///
    /// # Errors
    ///
    /// There is to be no other attempt.
    pub fn after(&self, attempt: u32, verdict: Verdict) -> Result<Duration, GivenUp> {
        let decision = self.inner.decide(attempt, verdict);
        match decision {
            Ok(delay) => {
                self.inner.retries.fetch_add(1, Ordering::Relaxed);
                self.inner.hook.emit(Decision::Retrying { attempt, delay });
            }
            Err(reason) => {
                self.inner.given_up[reason as usize].fetch_add(1, Ordering::Relaxed);
                self.inner.hook.emit(Decision::RetryRefused { attempt, reason });
            }
        }
        decision
    }

    /// Whether an attempt that ran out of time may be tried again.
    #[must_use]
    pub fn retries_timeouts(&self) -> bool {
        self.inner.options.retry_timeouts
    }

    /// Its counters.
    #[must_use]
    pub fn snapshot(&self) -> RetrySnapshot {
        let Inner { purse, retries, given_up, hook, .. } = &*self.inner;
        let [not_retryable, attempts_exhausted, budget_exhausted, retry_after_too_long] =
            [0, 1, 2, 3].map(|reason: usize| given_up[reason].load(Ordering::Relaxed));
        RetrySnapshot {
            name: hook.name().to_owned(),
            retries: retries.load(Ordering::Relaxed),
            not_retryable,
            attempts_exhausted,
            budget_exhausted,
            retry_after_too_long,
            budget: purse.balance(hook.now()),
        }
    }
}

impl Inner {
    /// Asks the budget last, so that only an attempt that will be made costs any of it.
    fn decide(&self, attempt: u32, verdict: Verdict) -> Result<Duration, GivenUp> {
        let wanted = match verdict {
            Verdict::Retryable => Duration::ZERO,
            Verdict::RetryAfter(rest) => rest,
            Verdict::Success | Verdict::Permanent | Verdict::Ignored => return Err(GivenUp::NotRetryable),
        };
        if attempt >= self.options.attempts {
            return Err(GivenUp::Attempts);
        }
        if wanted > self.options.backoff.longest {
            return Err(GivenUp::RetryAfter);
        }
        if !self.purse.take(self.hook.now()) {
            return Err(GivenUp::Budget);
        }
        Ok(self.options.backoff.delay(attempt, &mut lock(&self.chance)).max(wanted))
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("name", &self.inner.hook.name()).finish_non_exhaustive()
    }
}
