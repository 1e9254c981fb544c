//! What can be chosen about a mailbox, with the reason for each default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to a message that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// `tell` waits for room: backpressure on the sender. The default, since nothing is lost by it.
    #[default]
    Wait,
    /// The message comes back to the sender in the error.
    Reject,
    /// The newest message of the least urgent lane that is less urgent than the newcomer makes room
    /// and goes to the dead letters. With nothing less urgent queued, the newcomer is rejected.
    ShedLeastUrgent,
}

/// How messages that share a batch key are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// The most messages in one batch; at least 1. A full batch is handed over without waiting further.
    pub max_messages: usize,
    /// How long the first message of a batch waits for more. Zero takes what is there.
    pub linger: Duration,
}

impl BatchOptions {
    /// Batches of up to `max_messages`, handed over as soon as the agent is free.
    #[must_use]
    pub fn up_to(max_messages: usize) -> Self {
        Self { max_messages: max_messages.max(1), linger: Duration::ZERO }
    }

    /// Waits up to `linger` after a batch's first message for the batch to fill.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }
}

/// The shape of one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxOptions {
    /// The most messages queued at any moment, whoever sends and however; at least 1.
    pub capacity: usize,
    /// How many of `capacity` only Critical and High messages may use, so bulk can never fill it.
    pub reserve: usize,
    /// What happens to a message that does not fit.
    pub overflow: Overflow,
    /// A Normal or Low message is served after at most this many turns of others that are not Critical
    /// (a batch is one turn). `None` serves strictly by priority; at least 2 otherwise.
    pub bypass: Option<u32>,
    /// Gather messages by batch key. `None` hands over one message at a time.
    pub batch: Option<BatchOptions>,
}

impl MailboxOptions {
    /// 10,000 messages: deep enough that a burst of a second passes at 10,000 messages/s, shallow
    /// enough that at 100 bytes a message a full mailbox costs a megabyte.
    pub const DEFAULT_CAPACITY: usize = 10_000;
    /// One turn in 33 for the waiting lane keeps it moving and costs the urgent ones 3 %.
    pub const DEFAULT_BYPASS: u32 = 32;

    /// A mailbox of `capacity` messages, a tenth of it (at most 1,000, none below ten) reserved for
    /// Critical and High.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            capacity,
            reserve: (capacity / 10).min(1_000),
            overflow: Overflow::default(),
            bypass: Some(Self::DEFAULT_BYPASS),
            batch: None,
        }
    }

    /// The same with every bound inside its range: what the mailbox really uses.
    pub(crate) fn clamped(mut self) -> Self {
        self.capacity = self.capacity.max(1);
        // At least one place stays open to bulk: a mailbox that can never take a Normal message would
        // make its senders wait for ever.
        self.reserve = self.reserve.min(self.capacity - 1);
        self.bypass = self.bypass.map(|turns| turns.max(2));
        self.batch =
            self.batch.map(|batch| BatchOptions { max_messages: batch.max_messages.max(1), ..batch });
        self
    }
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }
}
