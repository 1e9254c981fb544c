//! What travels with a message.

use std::fmt;
use std::time::Duration;

use super::decode::DecodeError;
use super::encode::EncodeError;
use super::format::Format;
use super::id::MessageId;
use super::limits::Limits;
use super::time::Timestamp;
use super::trace::TraceContext;
use super::{named, tagged};
use crate::{Key, Message, Priority};

/// What travels with a message and is read without knowing its type: by a router, a database, a dead-letter list.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// What tells this message from every other.
    pub id: MessageId,
    /// Name of the agent it is for.
    pub receiver: String,
    /// What kind of message it is; a name, never the payload.
    pub kind: String,
    /// How urgent it is, after the sender may have lowered it.
    pub priority: Priority,
    /// When it was sent, by the sender's wall clock.
    pub sent_at: Timestamp,
    /// The entity it is about: what partitions, and what a purge removes by.
    pub key: Option<Key>,
    /// What it is batched by.
    pub batch_key: Option<Key>,
    /// When it is no longer worth handling, by the sender's wall clock. See [`remaining`](Self::remaining).
    pub deadline: Option<Timestamp>,
    /// Handling attempts that failed.
    pub attempts: u16,
    /// What makes its effect happen once, however often it is delivered.
    pub idempotency_key: Option<String>,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
    /// Where the answer goes: the name of an agent or a broker's subject.
    pub reply_to: Option<String>,
    /// The message that this one answers, or that the answer is to name.
    pub correlation: Option<MessageId>,
}

impl Header {
    /// Longest header, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// What a reader may spend on a header, unknown fields of a newer writer included.
    pub(super) const LIMITS: Limits =
        Limits { max_bytes: Self::MAX_BYTES, max_depth: 16, max_values: Self::MAX_BYTES };

    /// The header of a new message, sent now, of this kind and urgency; everything optional is absent.
    #[must_use]
    pub fn new(receiver: impl Into<String>, kind: impl Into<String>, priority: Priority) -> Self {
        Self {
            id: MessageId::generate(),
            receiver: receiver.into(),
            kind: kind.into(),
            priority,
            sent_at: Timestamp::now(),
            key: None,
            batch_key: None,
            deadline: None,
            attempts: 0,
            idempotency_key: None,
            trace: None,
            reply_to: None,
            correlation: None,
        }
    }

    /// The header of this message, sent now, as its type says.
    #[must_use]
    pub fn of<M: Message>(receiver: impl Into<String>, message: &M) -> Self {
        let mut header = Self::new(receiver, message.kind(), message.priority());
        header.key = message.key();
        header.batch_key = message.batch_key();
        header
    }

    /// How long the message is still worth handling, at this moment of the reader's wall clock; zero if its deadline has
    /// passed, `None` if it has none.
    ///
    /// Never more than the sender gave it: a reader whose clock is behind grants the time between sending and deadline
    /// and no more. A reader whose clock is ahead by so much gives it up by so much too early.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.since(now).min(deadline.since(self.sent_at)))
    }

    pub(super) fn write(&self, format: Format, bytes: &mut Vec<u8>) -> Result<(), EncodeError> {
        match format {
            Format::Bincode => tagged::write(self, bytes),
            Format::MessagePack | Format::Json => named::write(self, format, bytes),
        }
    }

    pub(super) fn read(bytes: &[u8], format: Format) -> Result<Self, DecodeError> {
        match format {
            Format::Bincode => tagged::read(bytes),
            Format::MessagePack | Format::Json => named::read(bytes, format),
        }
    }
}

impl fmt::Debug for Header {
    /// Shows that there are keys, not which: they can name a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("id", &self.id)
            .field("receiver", &self.receiver)
            .field("kind", &self.kind)
            .field("priority", &self.priority)
            .field("sent_at", &self.sent_at)
            .field("key", &self.key)
            .field("batch_key", &self.batch_key)
            .field("deadline", &self.deadline)
            .field("attempts", &self.attempts)
            .field("idempotency_key", &self.idempotency_key.as_ref().map(|_| ".."))
            .field("trace", &self.trace)
            .field("reply_to", &self.reply_to)
            .field("correlation", &self.correlation)
            .finish()
    }
}
