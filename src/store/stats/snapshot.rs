//! The state of a store at a moment, ready to be serialised.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::{Dialect, Fingerprint, StatementClass};
use crate::telemetry::Quantiles;

/// A store at one moment. Counts are since it was opened; times are in nanoseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreStats {
    /// Which database it is.
    pub dialect: Dialect,
    /// The connections; on SQLite the readers, while there is one writer beside them.
    pub pool: PoolStats,
    /// How long callers waited for the turn to write (SQLite); `None` before the first.
    pub turns: Option<Quantiles>,
    /// Turns to write that were taken (SQLite).
    #[serde(default)]
    pub turns_taken: u64,
    /// Statements, by class; classes that never occurred are left out.
    pub statements: BTreeMap<StatementClass, StatementStats>,
    /// Transactions tried again after a deadlock, a serialization failure or a busy database.
    pub retried: u64,
    /// Transactions given up after as many attempts as there may be.
    pub given_up: u64,
    /// The statements that were slow most recently, the slowest first.
    pub slow: Vec<SlowStatement>,
}

/// The connections of a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolStats {
    /// As many as there may be at a time.
    pub limit: usize,
    /// Handed out now.
    pub in_use: usize,
    /// Open and resting now.
    pub idle: usize,
    /// Callers waiting for one now.
    pub waiting: usize,
    /// Handed out in all.
    pub acquired: u64,
    /// How long callers waited, opening and testing included; `None` before the first.
    pub waits: Option<Quantiles>,
    /// Callers that gave up waiting.
    pub timeouts: u64,
    /// Opened.
    pub opened: u64,
    /// Closed because more were resting than are kept.
    pub closed: u64,
    /// Closed because of their age.
    pub recycled: u64,
    /// Found dead when tested.
    pub found_dead: u64,
    /// Thrown away because their caller stopped in the middle of a statement.
    pub interrupted: u64,
}

/// The statements of one class.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StatementStats {
    /// Statements, failed ones included.
    pub count: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that took as long as [`StoreOptions::slow_statement`](crate::store::StoreOptions::slow_statement).
    pub slow: u64,
    /// How long the database took, without what the caller did between two rows.
    pub duration: Quantiles,
}

/// A statement that was slow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowStatement {
    /// What it is known by in the log.
    pub fingerprint: Fingerprint,
    /// What it does.
    pub class: StatementClass,
    /// Its text without values, the first 300 characters.
    pub shape: String,
    /// How often it was slow.
    pub count: u64,
    /// The longest it took, in nanoseconds.
    pub longest: u64,
}
