//! What can be chosen about an outbox.

use std::time::Duration;

/// The options of an [`Outbox`](super::Outbox). Every one has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxOptions {
    /// Most messages of one commit, from 1. A larger commit costs less a message and keeps its first sender waiting for
    /// its last. Default: 1,024.
    pub commit_messages: usize,
    /// Most bytes of bodies in one commit; a single larger message is a commit of its own. Default: 4 MiB.
    pub commit_bytes: usize,
    /// Most bytes of one message once it is written down. Default: 1 MiB.
    pub message_bytes: usize,
    /// Most messages of one agent that are stored and not handled yet; more are refused. Default: 1,000,000.
    pub pending: u64,
    /// Messages of one agent and priority held in memory between their commit and their place in the mailbox. What
    /// exceeds it is read back from the store when its turn comes. Default: 1,024.
    pub window: usize,
    /// How long a commit is tried again while the database cannot be reached, before its senders are told. Default: 30 s.
    pub patience: Duration,
    /// How long an acknowledgement may wait for company. It delays no sender and no handler: a crash within it means
    /// that a message is delivered once more. Default: 5 ms.
    pub linger: Duration,
    /// How long a binding waits for another process to let go of the agent's messages: one that was killed a moment ago
    /// may seem alive to the server for a little while. Default: 5 s.
    pub takeover: Duration,
    /// How long an idempotency key is remembered. Default: 7 days.
    pub key_retention: Duration,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            commit_messages: 1_024,
            commit_bytes: 4 << 20,
            message_bytes: 1 << 20,
            pending: 1_000_000,
            window: 1_024,
            patience: Duration::from_secs(30),
            linger: Duration::from_millis(5),
            takeover: Duration::from_secs(5),
            key_retention: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl OutboxOptions {
    /// With what would make no sense put right: at least one message a commit and in memory.
    pub(super) fn sound(mut self) -> Self {
        self.commit_messages = self.commit_messages.clamp(1, 16_384);
        self.window = self.window.max(1);
        self
    }
}
