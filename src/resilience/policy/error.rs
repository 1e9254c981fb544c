//! Why a call through a policy has no result.

use std::time::Duration;

use thiserror::Error;

use crate::resilience::breaker::CircuitOpen;
use crate::resilience::bulkhead::BulkheadFull;
use crate::resilience::limit::RateLimited;

/// A guard refused the call before it began: the callee has seen nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The rate limit is reached.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// Too many calls are under way.
    #[error(transparent)]
    BulkheadFull(#[from] BulkheadFull),
    /// The circuit breaker refuses calls.
    #[error(transparent)]
    CircuitOpen(#[from] CircuitOpen),
}

impl Refused {
    /// When another call may pass, from now, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(limited) => Some(limited.retry_after),
            Self::CircuitOpen(open) => open.retry_after,
            Self::BulkheadFull(_) => None,
        }
    }
}

/// Why [`Policy::call`](super::Policy::call) has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// A guard refused the last attempt before it began. Earlier attempts may have reached the callee.
    #[error("the call was refused: {0}")]
    Refused(Refused),
    /// The last attempt did not end in time. It may have had its effect.
    #[error("the call did not end within {after:?}")]
    TimedOut {
        /// The time it was given.
        after: Duration,
    },
    /// The last attempt failed.
    #[error("the call failed: {0}")]
    Failed(E),
}

impl<E> CallError<E> {
    /// The callee's error, if it is one.
    #[must_use]
    pub fn into_failed(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Refused(_) | Self::TimedOut { .. } => None,
        }
    }
}
