//! What goes wrong with files.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A file that could not be written.
#[derive(Debug, Error)]
#[error("cannot write {path}", path = path.display())]
pub struct WriteError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// A result that could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is larger than any result.
    #[error("{path} is larger than 256 MiB and no result of a load test", path = path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{path} holds no result of a load test", path = path.display())]
    NoResult {
        /// Which.
        path: PathBuf,
        /// Where that shows.
        #[source]
        source: serde_json::Error,
    },
}
