//! What is sent.

use serde::{Deserialize, Serialize};

use crate::message::Priority;

/// A part of the mix of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// A kind that the target knows: `patient_consent`.
    pub kind: String,
    /// How many of it to how many of the others.
    pub weight: u32,
    /// At most this urgently; `None` is as urgent as the kind is.
    pub priority: Option<Priority>,
    /// Over how many batch keys (patients, studies) its messages are spread; 0 is none, and messages without a key.
    pub batch_keys: u32,
}

impl Share {
    /// Messages of a kind, of its own priority, without keys.
    #[must_use]
    pub fn new(kind: &str, weight: u32) -> Self {
        Self { kind: kind.to_owned(), weight, priority: None, batch_keys: 0 }
    }
}
