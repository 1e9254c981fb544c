//! Why a message did not pass a link.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::{AskError, TellError, TryTellError};
use crate::resilience::{InvalidOptions, Refused};

/// Why a link was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewLinkError {
    /// Somebody holds a link of this name.
    #[error("a link {name:?} exists already; clone it, or drop it first")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Its options cannot be as they are.
    #[error("the link {name:?} cannot be made: {source}")]
    Options {
        /// The name.
        name: String,
        /// Everything that is wrong with them.
        source: InvalidOptions,
    },
}

/// Why a message did not pass a [`Link`](super::Link), or was not answered: a guard refused it, or the agent behind the
/// link did, as `E` says.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkError<M, E> {
    /// A guard of the link refused it; the agent has seen nothing of it.
    Refused {
        /// The message.
        message: M,
        /// The link.
        link: Arc<str>,
        /// Which guard, and when to try again.
        guard: Refused,
    },
    /// The guards let it pass, and then it failed.
    Failed(E),
}

impl<M, E> LinkError<M, E> {
    /// The guard that refused, if one did.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        match self {
            Self::Refused { guard, .. } => Some(*guard),
            Self::Failed(_) => None,
        }
    }

    /// When another message may pass the guard that refused this one, from now, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refused().and_then(|guard| guard.retry_after())
    }

    /// How it failed, if no guard refused it.
    #[must_use]
    pub fn failed(&self) -> Option<&E> {
        match self {
            Self::Refused { .. } => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl<M> LinkError<M, TellError<M>> {
    /// The message that was refused.
    #[must_use]
    pub fn into_message(self) -> M {
        match self {
            Self::Refused { message, .. } => message,
            Self::Failed(error) => error.into_message(),
        }
    }

    /// Whether the agent has ended, so that there is no use in trying again.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Failed(TellError::Closed(_)))
    }
}

impl<M> LinkError<M, TryTellError<M>> {
    /// The message that was refused.
    #[must_use]
    pub fn into_message(self) -> M {
        match self {
            Self::Refused { message, .. } => message,
            Self::Failed(error) => error.into_message(),
        }
    }
}

impl<M> LinkError<M, AskError<M>> {
    /// The message, if it was refused rather than lost.
    #[must_use]
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Refused { message, .. } => Some(message),
            Self::Failed(error) => error.into_message(),
        }
    }
}

impl<M, E: fmt::Display> fmt::Display for LinkError<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { link, guard, .. } => {
                write!(f, "the link {link:?} refused the message: {guard}")?;
                match guard.retry_after() {
                    Some(rest) => write!(f, "; try again in {rest:?}"),
                    None => f.write_str("; try again later"),
                }
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<M, E: fmt::Display> fmt::Debug for LinkError<M, E> {
    /// The refusal without the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkError({self})")
    }
}

impl<M, E: fmt::Display> std::error::Error for LinkError<M, E> {}
