//! What an outbox says of itself.

use serde::Serialize;

/// The figures of an outbox since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutboxStats {
    /// Group commits made.
    pub commits: u64,
    /// Messages stored by them.
    pub stored: u64,
    /// Messages whose idempotency key was known, so that they were not stored again.
    pub duplicates: u64,
    /// Commits tried again because the database was away.
    pub retries: u64,
    /// Commits given up, whose senders were told.
    pub failed_commits: u64,
    /// Messages that may have been delivered before.
    pub redelivered: u64,
    /// How long commits took, the median and the 99th percentile, in seconds.
    pub commit_seconds: [f64; 2],
    /// Each bound agent, by name.
    pub agents: Vec<AgentOutbox>,
}

/// The figures of one bound agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AgentOutbox {
    /// Its name.
    pub agent: String,
    /// Stored and not done with.
    pub pending: u64,
    /// Of these, held in memory between store and mailbox.
    pub in_memory: u64,
    /// Handled since the binding.
    pub handled: u64,
    /// Dead letters since the binding.
    pub dead: u64,
}
