//! What can go wrong. Nothing here repeats what a patient's record says.

use statim::store::{MigrateError, ReadError, WriteError};

/// What is wrong with a provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionFault {
    /// An identifier or code without a visible character.
    #[error("{field} is blank or contains a blank entry")]
    Blank {
        /// The field.
        field: &'static str,
    },
    /// An identifier or code longer than [`Provision::LONGEST_CODE`](super::Provision::LONGEST_CODE).
    #[error("{field} is or contains an entry of more than 256 bytes")]
    TooLong {
        /// The field.
        field: &'static str,
    },
    /// A list longer than [`Provision::MOST_CODES`](super::Provision::MOST_CODES).
    #[error("{field} has more than 1000 entries")]
    TooManyCodes {
        /// The field.
        field: &'static str,
    },
    /// Exceptions nested deeper than [`Provision::MOST_LEVELS`](super::Provision::MOST_LEVELS).
    #[error("exceptions are nested more than 16 levels deep")]
    TooDeep,
    /// More rules than [`Provision::MOST_RULES`](super::Provision::MOST_RULES).
    #[error("there are more than 1000 rules")]
    TooManyRules,
    /// A period that ends before it begins.
    #[error("a period ends before it begins")]
    EmptyPeriod,
}

/// Why the ledger could not be opened, read or appended to. A failed append has appended nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store loses commits in a power cut.
    #[error("the consent ledger needs a store opened with full durability")]
    NotDurable,
    /// The tables could not be brought up to date.
    #[error("the tables of the consent ledger cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// The transaction could not begin or be committed.
    #[error("the consent ledger cannot be written")]
    Write(#[from] WriteError),
    /// No connection to read with.
    #[error("the consent ledger cannot be read")]
    Read(#[from] ReadError),
    /// The database refused.
    #[error("the consent ledger cannot be read or written")]
    Database(#[from] sqlx::Error),
    /// A provision that makes no sense is not recorded.
    #[error("the provision is refused: {0}")]
    Provision(#[from] ProvisionFault),
    /// A change that cannot be written as JSON.
    #[error("a change cannot be written as JSON")]
    Encode,
    /// A stored event that this program cannot read.
    #[error("event {seq} of the consent ledger cannot be read; run `statim consent verify`")]
    Unreadable {
        /// The event.
        seq: u64,
    },
}
