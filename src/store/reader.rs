//! Reading.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::connection::Connection;
use super::pool::{AcquireError, Pooled};

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Every connection is in use, or the server does not answer.
    #[error(
        "no connection to the database came free within {waited:?}; look for statements that take long, or allow more \
         connections"
    )]
    NoConnection {
        /// How long the caller waited.
        waited: Duration,
        /// What the server last said, if it was it that was in the way.
        source: Option<sqlx::Error>,
    },
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The database refused.
    #[error("the database cannot be read")]
    Database(#[source] sqlx::Error),
}

/// A connection to read with, to which it dereferences; given back when dropped. It cannot write.
///
/// Each statement sees what was committed before it began; all of them together see one moment if it comes from
/// [`Store::snapshot`](super::Store::snapshot). Begin no transaction on it by hand: the next reader would be in it.
pub struct Reader {
    pooled: Pooled,
}

impl Reader {
    pub(super) fn new(pooled: Pooled) -> Self {
        Self { pooled }
    }
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.pooled.connection()
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Connection {
        self.pooled.connection_mut()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl From<AcquireError> for ReadError {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::TimedOut { waited, source } => Self::NoConnection { waited, source },
            AcquireError::Closed => Self::Closed,
            AcquireError::Database(error) => Self::Database(error),
        }
    }
}
