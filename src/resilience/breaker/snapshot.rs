//! The state of a breaker at a moment, ready to be serialised.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a breaker lets calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum BreakerState {
    /// Calls pass, and their outcomes are watched.
    Closed = 0,
    /// Calls are refused until its time is over; the first call after that is a probe.
    Open = 1,
    /// A set number of probes pass; their outcomes decide.
    HalfOpen = 2,
    /// Calls are refused until somebody says otherwise.
    ForcedOpen = 3,
    /// Calls pass whatever their outcomes, until somebody says otherwise.
    ForcedClosed = 4,
}

impl BreakerState {
    pub(super) fn of(code: u64) -> Self {
        match code {
            0 => Self::Closed,
            1 => Self::Open,
            2 => Self::HalfOpen,
            3 => Self::ForcedOpen,
            _ => Self::ForcedClosed,
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::ForcedClosed => "forced closed",
        })
    }
}

/// One breaker at one moment. Every count is since the breaker was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BreakerSnapshot {
    /// The name it was given.
    pub name: String,
    /// Its state. An open breaker whose time is over stays open until a call asks.
    pub state: BreakerState,
    /// Seconds until an open breaker lets probes pass.
    pub retry_after_seconds: Option<f64>,
    /// Calls that passed and have ended, by how they ended. Calls under way are not in it yet.
    pub calls: CallCounts,
    /// Calls, of those that count, that took longer than a call may.
    pub slow: u64,
    /// Calls whose outcome came after a change of state, and therefore did not count.
    pub late: u64,
    /// Calls refused, by the state that refused them.
    pub refused: RefusedCounts,
    /// Changes of state, by the state entered.
    pub transitions: Transitions,
    /// What it judges by now: the calls of the window, or the probes so far.
    pub window: WindowSnapshot,
}

/// Ended calls, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallCounts {
    /// They succeeded.
    pub succeeded: u64,
    /// They failed.
    pub failed: u64,
    /// They did not end in time. A failure.
    pub timed_out: u64,
    /// They panicked. A failure.
    pub panicked: u64,
    /// They were dropped before they had an outcome. A failure.
    pub abandoned: u64,
    /// Their outcome says nothing about the callee.
    pub ignored: u64,
}

/// Refused calls, by the state that refused them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RefusedCounts {
    /// It was open.
    pub open: u64,
    /// It was half-open, and its probes were out.
    pub half_open: u64,
    /// It was forced open.
    pub forced_open: u64,
}

/// Changes of state, by the state entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Transitions {
    /// It tripped.
    pub opened: u64,
    /// Its time was over, and a call asked.
    pub half_opened: u64,
    /// Its probes were well, or it was reset.
    pub closed: u64,
    /// It was forced open.
    pub forced_open: u64,
    /// It was forced closed.
    pub forced_closed: u64,
}

/// What a breaker judges by at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WindowSnapshot {
    /// Calls.
    pub calls: u64,
    /// Calls of these that failed.
    pub failed: u64,
    /// Calls of these that were slow.
    pub slow: u64,
}
