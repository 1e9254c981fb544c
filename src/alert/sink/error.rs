//! Why a delivery failed, and whether to try again.

use std::io;
use std::time::Duration;

/// Why a sink was not told.
///
/// Says what happened and what to do, and never where exactly: an address may be a secret, and what a receiver answers may
/// be anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// There was no connection, so nothing was sent.
    #[error("{step} failed: {kind}; see whether the address is right and the network lets it through")]
    Unreachable {
        /// What was being done.
        step: Step,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The receiver could not prove who it is, so nothing was sent.
    #[error("the receiver is not trusted: {why}")]
    Untrusted {
        /// What is wrong with its certificate or with TLS.
        why: &'static str,
    },
    /// It took too long. If the request had been sent, it may have been taken all the same.
    #[error("{step} took longer than {limit:?}")]
    TimedOut {
        /// What was being done.
        step: Step,
        /// What it may take.
        limit: Duration,
    },
    /// The connection broke before there was an answer. It may have been taken all the same.
    #[error("the connection broke before there was an answer")]
    Broken,
    /// What answered is not what should be there: not HTTP, or not what this kind of receiver says. A proxy, perhaps.
    #[error("the answer is not one that this receiver gives{}; see what is at the address", in_words(*status))]
    Garbled {
        /// The status, if it was HTTP.
        status: Option<u16>,
    },
    /// Too much was asked in too short a time.
    #[error("the receiver answered {status}: too much at a time")]
    Limited {
        /// The status: 429.
        status: u16,
        /// When it wants to be asked again, from now.
        after: Option<Duration>,
    },
    /// The receiver has a fault of its own.
    #[error("the receiver answered {status}: a fault of its own")]
    Failed {
        /// The status: 5xx, 408 or 425.
        status: u16,
        /// When it wants to be asked again, from now.
        after: Option<Duration>,
    },
    /// The receiver does not want it, and would not want it again.
    #[error("the receiver answered {status}: refused; see whether the key and the address are right")]
    Refused {
        /// The status: 4xx.
        status: u16,
    },
    /// The receiver is elsewhere. Not followed: what is sent holds keys.
    #[error("the receiver answered {status}: it has moved; give its new address")]
    Redirected {
        /// The status: 3xx.
        status: u16,
    },
    /// It cannot be said within what the receiver takes.
    #[error("it takes {bytes} bytes to say, and the receiver takes {most}")]
    TooLarge {
        /// What it takes.
        bytes: usize,
        /// What may be.
        most: usize,
    },
    /// Some of its alerts were told and others were not. Sent again, those that were told are left out while this process
    /// lives, and after a restart known by their key.
    #[error("{told} of {of} alerts were told: {source}")]
    Partly {
        /// Alerts that were told, now or at an earlier attempt.
        told: usize,
        /// Alerts that were to be told.
        of: usize,
        /// Why the others were not: the fault that says most about trying again.
        source: Box<SinkError>,
    },
    /// The callback panicked.
    #[error("the callback panicked")]
    Panicked,
    /// The callback says so.
    #[error("{what}")]
    Callback {
        /// What it says. It reaches the log.
        what: String,
        /// Whether it wants to be called again.
        retry: RetryClass,
    },
}

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Finding the address of the host.
    Resolve,
    /// Connecting.
    Connect,
    /// Having a proxy connect.
    Proxy,
    /// The TLS handshake.
    Handshake,
    /// Sending, and waiting for the answer.
    Answer,
    /// The callback.
    Callback,
}

/// Whether, and when, the same delivery should be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// It would fail again in the same way. Somebody has to do something.
    Never,
    /// Whenever whoever calls thinks fit.
    Later,
    /// Not before so long from now: the receiver said so. At most 24 h.
    After(Duration),
}

impl SinkError {
    /// Whether, and when, the same delivery should be tried again.
    #[must_use]
    pub fn retry(&self) -> RetryClass {
        match self {
            Self::Refused { .. } | Self::Redirected { .. } | Self::TooLarge { .. } | Self::Panicked => {
                RetryClass::Never
            }
            Self::Limited { after, .. } | Self::Failed { after, .. } => {
                after.map_or(RetryClass::Later, RetryClass::After)
            }
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::TimedOut { .. }
            | Self::Broken
            | Self::Garbled { .. } => RetryClass::Later,
            Self::Partly { source, .. } => source.retry(),
            Self::Callback { retry, .. } => *retry,
        }
    }

    /// The HTTP status that the receiver answered with, if it answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Limited { status, .. }
            | Self::Failed { status, .. }
            | Self::Refused { status }
            | Self::Redirected { status } => Some(*status),
            Self::Garbled { status } => *status,
            Self::Partly { source, .. } => source.status(),
            _ => None,
        }
    }

    /// Whether the receiver may be down: what a circuit breaker should count. Being refused or limited is a sign of life.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::TimedOut { .. }
            | Self::Broken
            | Self::Garbled { .. }
            | Self::Failed { .. } => true,
            Self::Partly { source, .. } => source.is_outage(),
            _ => false,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the host",
            Self::Connect => "connecting",
            Self::Proxy => "connecting through the proxy",
            Self::Handshake => "the TLS handshake",
            Self::Answer => "the answer",
            Self::Callback => "the callback",
        })
    }
}

fn in_words(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" (status {status})"))
}
