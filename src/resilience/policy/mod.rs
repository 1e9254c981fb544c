//! One policy of all guards around any call.

mod builder;
mod error;
mod guarded;
mod options;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breaker::{BreakerSnapshot, CircuitBreaker, Outcome};
use super::bulkhead::{Bulkhead, BulkheadSnapshot};
use super::event::{Decision, Hook};
use super::limit::{RateLimitSnapshot, RateLimiter};
use super::retry::{Retry, RetrySnapshot, Verdict};
use crate::message::Priority;
use crate::sync::{Arc, AtomicU64, Ordering};

pub use self::builder::PolicyBuilder;
pub use self::error::{CallError, Refused};
pub use self::guarded::Leave;
pub use self::options::PolicyOptions;

/// Guards around the calls to one callee. Cloning is cheap; clones are the same policy.
///
/// From the outside in: **retry** ( **rate limit** ( **bulkhead** ( **circuit breaker** ( **timeout** ( call ) ) ) ) ).
///
/// - The retry is outermost, so that every attempt is a call like any other to all the guards: it takes a permit of the
///   rate limit, a place, and counts in the breaker. What a guard refuses is not retried.
/// - The guards that can make a call wait come before the breaker, so that its permit is taken last, right before the
///   call: a wait is not measured as a slow call, and no probe of a half-open breaker is held by a call that waits.
/// - The timeout is innermost but for the call, so that running out of time is a failure to the breaker and frees the
///   place. It is the time of one attempt; the waits for the limit and for a place have bounds of their own.
/// - Before all that a breaker that is certainly open is asked, so that a call without a chance costs no rate.
///
/// resilience4j's default order is retry ( breaker ( limit ( timeout ( bulkhead ( call ) ) ) ) ): there a refusal of our
/// own limit counts against the callee unless it is ignored by configuration, and waiting for a permit makes a slow
/// call. Which errors count and which may be retried is said by a [`Verdict`] on each result.
///
/// ```
/// use std::time::Duration;
/// use statim::resilience::{BreakerOptions, CallError, Policy, RateLimitOptions, RetryOptions, Verdict};
///
/// # #[derive(Debug)] enum LookupError { Unreachable, NoSuchPatient }
/// # async fn look_up(id: u32) -> Result<String, LookupError> { Ok(String::new()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pharmacy = Policy::builder("pharmacy")
///     .rate_limit(RateLimitOptions::per_second(100))
///     .breaker(BreakerOptions::health_sync())
///     .timeout(Duration::from_secs(2))
///     .retry(RetryOptions::attempts(3))
///     .build()?;
/// let verdict = |result: &Result<String, LookupError>| match result {
///     Ok(_) => Verdict::Success,
///     Err(LookupError::Unreachable) => Verdict::Retryable,
///     Err(LookupError::NoSuchPatient) => Verdict::Ignored,
/// };
/// match pharmacy.call_judged(verdict, || look_up(7)).await {
///     Ok(prescriptions) => println!("{prescriptions}"),
///     Err(CallError::Refused(refused)) => println!("not now: {refused}"),
///     Err(error) => println!("failed: {error:?}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    rate_limit: Option<RateLimiter>,
    bulkhead: Option<Bulkhead>,
    breaker: Option<CircuitBreaker>,
    timeout: Option<Duration>,
    retry: Option<Retry>,
    calls: AtomicU64,
    timed_out: AtomicU64,
    hook: Hook,
}

/// A policy's parts at a moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySnapshot {
    /// The name it was given.
    pub name: String,
    /// Calls made through it; retries and refusals are in the parts.
    pub calls: u64,
    /// Attempts that did not end in time.
    pub timed_out: u64,
    /// Its rate limit, if it has one.
    pub rate_limit: Option<RateLimitSnapshot>,
    /// Its bulkhead, if it has one.
    pub bulkhead: Option<BulkheadSnapshot>,
    /// Its breaker, if it has one.
    pub breaker: Option<BreakerSnapshot>,
    /// Its retry, if it has one.
    pub retry: Option<RetrySnapshot>,
}

/// Says what an error means to the guards, for [`Policy::call`].
pub trait Classify {
    /// Never [`Verdict::Success`], which an error is not; it would be taken for [`Verdict::Ignored`] by a retry and
    /// for a success by a breaker.
    fn verdict(&self) -> Verdict;
}

impl Policy {
    /// Begins a policy; `name` is what its events and snapshots are called by. It has no parts yet.
    pub fn builder(name: &str) -> PolicyBuilder {
        PolicyBuilder::new(name)
    }

    /// Calls through all guards; the error's [`Classify`] says what it means to them.
    ///
    /// # Errors
    ///
    /// A guard refused, the call did not end in time, or it failed: the last attempt's.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt under way, which then counts as a failure to the breaker, and gives its
    /// place back. Whether the callee has acted is for the operation to know.
    pub async fn call<T, E, F>(&self, operation: impl FnMut() -> F) -> Result<T, CallError<E>>
    where
        E: Classify,
        F: Future<Output = Result<T, E>>,
    {
        let verdict = |result: &Result<T, E>| result.as_ref().err().map_or(Verdict::Success, E::verdict);
        self.call_judged(verdict, operation).await
    }

    /// Calls through all guards; `verdict` says what a result means to them. It may find a failure in an `Ok`, too.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// As [`call`](Self::call).
    pub async fn call_judged<T, E, F>(
        &self,
        verdict: impl Fn(&Result<T, E>) -> Verdict,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let Some(retry) = &self.inner.retry else {
            return self.attempt(&verdict, &mut operation).await.0;
        };
        retry.begin();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (result, judged) = self.attempt(&verdict, &mut operation).await;
            let Some(judged) = judged.filter(|it| !matches!(it, Verdict::Success | Verdict::Ignored)) else {
                return result;
            };
            match retry.after(attempt, judged) {
                Ok(delay) => tokio::time::sleep(delay).await,
                Err(_) => return result,
            }
        }
    }

    /// One attempt, and what it means to a retry; `None` if a guard refused it.
    async fn attempt<T, E, F>(
        &self,
        verdict: &impl Fn(&Result<T, E>) -> Verdict,
        operation: &mut impl FnMut() -> F,
    ) -> (Result<T, CallError<E>>, Option<Verdict>)
    where
        F: Future<Output = Result<T, E>>,
    {
        let Inner { rate_limit, bulkhead, breaker, timeout, retry, timed_out, hook, .. } = &*self.inner;
        let refused = |refused: Refused| (Err(CallError::Refused(refused)), None);
        if let Some(open) = breaker.as_ref().and_then(CircuitBreaker::refuse_early) {
            return refused(open.into());
        }
        if let Some(limit) = rate_limit
            && let Err(limited) = limit.acquire().await
        {
            return refused(limited.into());
        }
        let _place = match bulkhead {
            Some(bulkhead) => match bulkhead.enter().await {
                Ok(place) => Some(place),
                Err(full) => return refused(full.into()),
            },
            None => None,
        };
        let permit = match breaker.as_ref().map(CircuitBreaker::try_acquire).transpose() {
            Ok(permit) => permit,
            Err(open) => return refused(open.into()),
        };
        let result = match timeout {
            Some(time) => tokio::time::timeout(*time, operation()).await.map_err(|_| *time),
            None => Ok(operation().await),
        };
        match result {
            Ok(result) => {
                let judged = verdict(&result);
                if let Some(permit) = permit {
                    permit.settle(match judged {
                        Verdict::Success => Outcome::Success,
                        Verdict::Ignored => Outcome::Ignored,
                        Verdict::Retryable | Verdict::RetryAfter(_) | Verdict::Permanent => Outcome::Failure,
                    });
                }
                (result.map_err(CallError::Failed), Some(judged))
            }
            Err(after) => {
                if let Some(permit) = permit {
                    permit.settle(Outcome::TimedOut);
                }
                timed_out.fetch_add(1, Ordering::Relaxed);
                hook.emit(Decision::TimedOut { after });
                let again = retry.as_ref().is_some_and(Retry::retries_timeouts);
                let judged = if again { Verdict::Retryable } else { Verdict::Permanent };
                (Err(CallError::TimedOut { after }), Some(judged))
            }
        }
    }

    /// Asks every guard once, without waiting and without trying again: for a link between agents, where the message
    /// goes one way and its outcome comes another. The timeout and the retry have no part in it. Guards know no
    /// priorities: a link sends what may not be refused past them.
    ///
    /// # Errors
    ///
    /// The first guard that refuses, from the outside in. A permit of the rate limit that was taken before is not given
    /// back.
    pub fn try_enter(&self) -> Result<Leave, Refused> {
        let Inner { rate_limit, bulkhead, breaker, .. } = &*self.inner;
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(open) = breaker.as_ref().and_then(CircuitBreaker::refuse_early) {
            return Err(open.into());
        }
        rate_limit.as_ref().map(RateLimiter::check).transpose()?;
        let place = bulkhead.as_ref().map(Bulkhead::try_enter_owned).transpose()?;
        let permit = breaker.as_ref().map(CircuitBreaker::try_acquire_owned).transpose()?;
        Ok(Leave::new(permit, place))
    }

    /// Asks every guard once, and waits as long as its options let a call wait: [`try_enter`](Self::try_enter) for a caller
    /// that may wait. The timeout and the retry have no part in it.
    ///
    /// # Errors
    ///
    /// As [`try_enter`](Self::try_enter).
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it holds nothing; a permit of the rate limit that was taken before is not given back.
    pub async fn enter(&self) -> Result<Leave, Refused> {
        let Inner { rate_limit, bulkhead, breaker, .. } = &*self.inner;
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(open) = breaker.as_ref().and_then(CircuitBreaker::refuse_early) {
            return Err(open.into());
        }
        if let Some(limit) = rate_limit {
            limit.acquire().await?;
        }
        let place = match bulkhead {
            Some(bulkhead) => Some(bulkhead.enter_owned().await?),
            None => None,
        };
        let permit = breaker.as_ref().map(CircuitBreaker::try_acquire_owned).transpose()?;
        Ok(Leave::new(permit, place))
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.hook.name()
    }

    /// Its breaker, to look at or to force.
    #[must_use]
    pub fn breaker(&self) -> Option<&CircuitBreaker> {
        self.inner.breaker.as_ref()
    }

    /// Whether a call may be made to wait before it begins.
    pub(crate) fn may_wait(&self) -> bool {
        let Inner { rate_limit, bulkhead, .. } = &*self.inner;
        rate_limit.as_ref().is_some_and(RateLimiter::may_wait)
            || bulkhead.as_ref().is_some_and(Bulkhead::may_wait)
    }

    /// Whether it matters to it how a call ends.
    pub(crate) fn wants_outcomes(&self) -> bool {
        self.inner.breaker.is_some() || self.inner.bulkhead.is_some()
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.inner.timeout
    }

    pub(crate) fn retry(&self) -> Option<&Retry> {
        self.inner.retry.as_ref()
    }

    /// An attempt did not end in the time of the policy, on a caller's own timer.
    pub(crate) fn note_timed_out(&self) {
        self.inner.timed_out.fetch_add(1, Ordering::Relaxed);
        self.inner.hook.emit(Decision::TimedOut { after: self.inner.timeout.unwrap_or_default() });
    }

    /// A message goes past the guards.
    pub(crate) fn note_exempt(&self, priority: Priority) {
        self.inner.hook.emit(Decision::Exempted { priority });
    }

    /// The counters of all its parts.
    #[must_use]
    pub fn snapshot(&self) -> PolicySnapshot {
        let Inner { rate_limit, bulkhead, breaker, retry, calls, timed_out, hook, .. } = &*self.inner;
        PolicySnapshot {
            name: hook.name().to_owned(),
            calls: calls.load(Ordering::Relaxed),
            timed_out: timed_out.load(Ordering::Relaxed),
            rate_limit: rate_limit.as_ref().map(RateLimiter::snapshot),
            bulkhead: bulkhead.as_ref().map(Bulkhead::snapshot),
            breaker: breaker.as_ref().map(CircuitBreaker::snapshot),
            retry: retry.as_ref().map(Retry::snapshot),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { rate_limit, bulkhead, breaker, timeout, retry, .. } = &*self.inner;
        f.debug_struct("Policy")
            .field("name", &self.name())
            .field("rate_limit", &rate_limit.is_some())
            .field("bulkhead", &bulkhead.is_some())
            .field("breaker", breaker)
            .field("timeout", timeout)
            .field("retry", &retry.is_some())
            .finish()
    }
}
