//! What can go wrong. Nothing here repeats what a record says.

use statim::store::{MigrateError, ReadError, WriteError};

/// Why the catalogue (or its neighbours, the quarantine and the dead letters) could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The tables could not be brought up to date.
    #[error("the tables of the catalogue cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// The transaction could not begin or be committed.
    #[error("the catalogue cannot be written")]
    Write(#[from] WriteError),
    /// No connection to read with.
    #[error("the catalogue cannot be read")]
    Read(#[from] ReadError),
    /// The database refused.
    #[error("the catalogue cannot be read or written")]
    Database(#[from] sqlx::Error),
    /// A stored value that this program cannot read.
    #[error("a stored {what} cannot be read; it was written by another program or is damaged")]
    Unreadable {
        /// What sort of value.
        what: &'static str,
    },
}
