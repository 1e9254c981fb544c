//! The catalogue: every record that was read, by identity, with its history.
//!
//! [`Catalogue::apply`] takes records and deletions as they are read, in any order, from any number of workers, any
//! number of times, and always ends in the same state. It can, because what it stores are facts that only ever add up:
//!
//! * the **versions** of a record, each a distinct content, with the first and the last place it was seen at;
//! * the **deletions** of an article, each with the last place it was seen at;
//! * the **claims** of a study that some obsolete number is its own.
//!
//! Everything else follows from them, whatever order they came in:
//!
//! 1. Places are ordered by file name, then member, then index within it.
//! 2. A number that is claimed belongs to the study that claims it (of several, the one with the greatest number), and
//!    what arrived under it is a version of that study.
//! 3. A version is deleted if a deletion of its number or a greater one was seen after the last place the version was
//!    seen at. So an article comes back when it is seen again in a later place, or with a greater number.
//! 4. Current is the version with the newest revision that is not deleted; between equal revisions the one that was first
//!    seen at the later place. The others are its history.
//!
//! A shared DOI proves nothing by itself: it is kept as an identifier and reported as a possible duplicate.

mod apply;
mod claims;
mod error;
mod incoming;
mod outcome;
mod quarantine;
mod read;
mod schema;
mod sources;
mod thing;
mod write;

pub use self::error::CatalogueError;
pub use self::incoming::{Incoming, Prepared, SourcePosition};
pub use self::outcome::{Outcome, PossibleDuplicate, Refused};
pub use self::quarantine::QuarantineEntry;
pub use self::read::{StoredVersion, Totals};

use std::sync::Arc;

use statim::store::Store;

use self::sources::Sources;

/// The tables of records by identity. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Catalogue {
    store: Store,
    sources: Arc<Sources>,
}

impl Catalogue {
    /// Opens the catalogue in `store`, creating its tables if needed.
    ///
    /// # Errors
    ///
    /// [`CatalogueError::Migrate`] if they cannot be made, or were made by a newer program.
    pub async fn open(store: &Store) -> Result<Self, CatalogueError> {
        store.migrate("catalogue", schema::MIGRATIONS).await?;
        Ok(Self { store: store.clone(), sources: Arc::default() })
    }
}

#[cfg(test)]
mod tests;
