//! What is no threshold.

use thiserror::Error;

/// A text that is no threshold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("threshold `{expression}`, character {position}: {fault}")]
pub struct ThresholdError {
    /// The text, or the beginning of a long one.
    pub expression: String,
    /// Where that shows first, in characters from 1 on.
    pub position: usize,
    /// What is wrong, and what may stand there.
    pub fault: String,
}
