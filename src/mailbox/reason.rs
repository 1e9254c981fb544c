//! Why a message was not handled.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Every message that is not handled is accounted for by one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Reason {
    /// It did not fit; the sender has it back.
    Rejected = 0,
    /// It made room for a more urgent one.
    Shed = 1,
    /// Its deadline had passed when its turn came.
    Expired = 2,
    /// Whoever asked was gone when its turn came.
    Cancelled = 3,
    /// It was removed by its key.
    Purged = 4,
    /// Handling it failed as often as it may.
    Poisoned = 5,
    /// Its agent stopped before its turn came.
    Undeliverable = 6,
    /// Messages wait too long, and it was among the least urgent; the sender has it back.
    Overloaded = 7,
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = 8;

    /// Every reason.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Rejected,
        Self::Shed,
        Self::Expired,
        Self::Cancelled,
        Self::Purged,
        Self::Poisoned,
        Self::Undeliverable,
        Self::Overloaded,
    ];

    /// The reason in lower case, as metrics and JSON write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Shed => "shed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Purged => "purged",
            Self::Poisoned => "poisoned",
            Self::Undeliverable => "undeliverable",
            Self::Overloaded => "overloaded",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
