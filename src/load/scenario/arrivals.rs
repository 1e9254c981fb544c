//! When messages are sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

/// When messages are sent.
///
/// The first two are open models: the next message does not wait for the answer to the last, as patients do not wait for
/// each other before they fall ill. A target that stalls then faces what has come meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// By chance and independently of each other: the distances are exponentially distributed. What many independent
    /// senders add up to.
    #[default]
    Poisson,
    /// A closed model: each of a stage's users sends, waits for the end of it, thinks, and sends again. The stages' rates
    /// have no meaning; a slow target is asked less.
    Closed {
        /// From the end of a message to the user's next send.
        #[serde(rename = "think_seconds", with = "seconds")]
        think: Duration,
    },
}
