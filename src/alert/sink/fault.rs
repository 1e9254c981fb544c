//! Why there is no sink.

use super::http::AddressFault;

/// What is wrong with how a sink was described. Never repeats an address or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkFault {
    /// Its address.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// It has none.
    #[error("there is no address")]
    NoAddress,
    /// The key cannot be right.
    #[error("the key {0}")]
    Key(&'static str),
}
