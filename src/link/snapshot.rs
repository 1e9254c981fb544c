//! A link at a moment, ready to be serialised.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::resilience::{Outcome, PolicySnapshot};

/// How it ended with one message given to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkEnd {
    /// The agent has it (`tell`), or answered it (`ask`).
    Passed = 0,
    /// Refused by the rate limit.
    RateLimited = 1,
    /// Refused by the bulkhead.
    BulkheadFull = 2,
    /// Refused by the circuit breaker.
    CircuitOpen = 3,
    /// The mailbox had no room.
    Full = 4,
    /// Refused by the mailbox's admission control.
    Overloaded = 5,
    /// The agent has ended.
    Closed = 6,
    /// No room, or no answer, in time.
    TimedOut = 7,
    /// A question was accepted and then not handled.
    Dropped = 8,
    /// A question's handler ended without an answer.
    NoReply = 9,
    /// A question would have waited for its own asker.
    Cycle = 10,
    /// Whoever sent it stopped waiting.
    Abandoned = 11,
}

impl LinkEnd {
    pub(super) const COUNT: usize = 12;
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Passed,
        Self::RateLimited,
        Self::BulkheadFull,
        Self::CircuitOpen,
        Self::Full,
        Self::Overloaded,
        Self::Closed,
        Self::TimedOut,
        Self::Dropped,
        Self::NoReply,
        Self::Cycle,
        Self::Abandoned,
    ];

    /// The way in lower case, as metrics and JSON write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::RateLimited => "rate_limited",
            Self::BulkheadFull => "bulkhead_full",
            Self::CircuitOpen => "circuit_open",
            Self::Full => "full",
            Self::Overloaded => "overloaded",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::NoReply => "no_reply",
            Self::Cycle => "cycle",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether a guard of the link refused it.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::RateLimited | Self::BulkheadFull | Self::CircuitOpen)
    }
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One link at one moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkSnapshot {
    /// `from -> to`.
    pub name: String,
    /// Whose link it is.
    pub from: String,
    /// The agent behind it.
    pub to: String,
    /// Messages given to it. Each ends in one of the ways below; those that have not are under way.
    pub offered: u64,
    /// Messages, of these, that went past the guards because of their priority.
    pub exempt: u64,
    /// How it ended with each, for each way that occurred.
    pub ended: BTreeMap<LinkEnd, u64>,
    /// How attempts ended that a breaker or a bulkhead let pass, as far as is known yet: what became of a message told,
    /// once it was handled or given up, and of a question, once it was answered.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The guards.
    pub guards: PolicySnapshot,
}

impl LinkSnapshot {
    /// How many messages ended so.
    #[must_use]
    pub fn ended(&self, end: LinkEnd) -> u64 {
        self.ended.get(&end).copied().unwrap_or_default()
    }

    /// Messages that the guards of the link refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.ended.iter().filter(|(end, _)| end.is_refusal()).map(|(_, count)| count).sum()
    }
}
