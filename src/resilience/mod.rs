//! Resilience: what keeps one slow or broken part from taking the others with it.
//!
//! [`CircuitBreaker`], [`RateLimiter`], [`Bulkhead`], [`Retry`] and a timeout, each by itself or as one [`Policy`] around
//! any asynchronous call; [`KeyedRateLimiter`] for a limit for each client; and [`AdmissionController`], which refuses the
//! least urgent messages when messages wait too long. The defaults are resilience4j's, the most widely used library of the
//! kind, where it has one.
//!
//! A guard takes the time from the clock in its [`Environment`], so that tests run in virtual time; it counts every
//! decision in a snapshot that serialises; and it tells every decision to a [`Listener`], if there is one. None knows of
//! agents: a guard stands before any call.

mod admission;
mod backoff;
mod breaker;
mod bulkhead;
mod event;
mod fault;
mod limit;
mod policy;
mod retry;
mod seconds;
mod time;

pub(crate) use self::admission::QueueAdmission;
pub use self::admission::{AdmissionController, AdmissionOptions, AdmissionSnapshot, Controller, Overloaded};
pub use self::backoff::{Backoff, Jitter};
pub(crate) use self::breaker::BreakerForm;
pub use self::breaker::{
    BreakerOptions, BreakerSnapshot, BreakerState, CallCounts, CircuitBreaker, CircuitOpen, Outcome,
    OwnedPermit, Permit, RefusedCounts, Transitions, Window, WindowSnapshot,
};
pub use self::bulkhead::{Bulkhead, BulkheadFull, BulkheadOptions, BulkheadSnapshot, OwnedPlace, Place};
pub use self::event::{Decision, Environment, Event, Listener, LogListener};
pub use self::fault::{Fault, InvalidOptions};
pub use self::limit::{
    KeyedRateLimitOptions, KeyedRateLimitSnapshot, KeyedRateLimiter, RateLimitOptions, RateLimitSnapshot,
    RateLimited, RateLimiter,
};
pub use self::policy::{
    CallError, Classify, Leave, Policy, PolicyBuilder, PolicyOptions, PolicySnapshot, Refused,
};
pub use self::retry::{GivenUp, Retry, RetryBudget, RetryOptions, RetrySnapshot, Verdict};
pub use self::time::{ManualClock, Time};
