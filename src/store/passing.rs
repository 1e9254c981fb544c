//! Whether a failure may be over in a while: the server is away or starting, or others were in the way.

use super::fault::{Fault, may_connect_later};
use super::{ReadError, WriteError};

/// Whether the same statement may succeed later, unchanged.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    !matches!(Fault::of(error), Fault::Other) || may_connect_later(error)
}

impl WriteError {
    /// Whether the same transaction may succeed later, unchanged.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::NoTurn { .. } | Self::NoConnection { .. } | Self::Busy(_) | Self::Conflict(_) => true,
            Self::Undone(error) | Self::Database(error) => is_passing(error),
            Self::Closed => false,
        }
    }
}

impl ReadError {
    /// Whether reading may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::NoConnection { .. } => true,
            Self::Database(error) => is_passing(error),
            Self::Closed => false,
        }
    }
}
