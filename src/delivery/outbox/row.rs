//! A message as it is stored.

use std::time::{SystemTime, UNIX_EPOCH};

use super::id::StoredId;
use crate::message::{Key, Priority};
use crate::wire::Format;

/// What is written of one message.
pub(super) struct Row {
    pub(super) priority: Priority,
    pub(super) kind: &'static str,
    pub(super) format: Format,
    /// What a purge goes by.
    pub(super) key: Option<Key>,
    /// Not to be handled after this, in microseconds since 1970.
    pub(super) deadline: Option<i64>,
    pub(super) sent_at: i64,
    /// The fingerprint of the sender's idempotency key. Never the key itself: it may name a person.
    pub(super) idempotency: Option<Key>,
    pub(super) body: Vec<u8>,
}

/// What is read back of one.
pub(super) struct Stored {
    pub(super) id: StoredId,
    pub(super) format: Option<Format>,
    pub(super) key: Option<Key>,
    pub(super) deadline: Option<i64>,
    pub(super) body: Vec<u8>,
}

/// What became of a message that needs no delivery any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    /// Its handler succeeded.
    Handled(StoredId),
    /// It becomes a dead letter.
    Dead { id: StoredId, reason: &'static str, attempts: u16, at: i64, keep_body: bool },
}

/// Microseconds since 1970.
pub(super) fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
