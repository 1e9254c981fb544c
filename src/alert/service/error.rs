//! What can go wrong.

use std::time::Duration;

use crate::alert::check::RuleFaults;
use crate::alert::dispatch::NotFiring;
use crate::alert::silence::SilenceFault;
use crate::resilience::InvalidOptions;
use crate::store::{LockError, MigrateError, ReadError, WriteError};

/// Why an [`AlertSetup`](super::AlertSetup) cannot be used. Nothing of it is in force then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Rules are wrong.
    #[error(transparent)]
    Rules(#[from] RuleFaults),
    /// Two sinks have one name.
    #[error("two sinks are called {0:?}; names are unique")]
    SinkTwice(String),
    /// A silence makes no sense.
    #[error("the silence {id:?} cannot be used: {fault}")]
    Silence {
        /// Which.
        id: String,
        /// What is wrong with it.
        fault: SilenceFault,
    },
    /// Options of a sink's guards are out of their bounds.
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    /// The service has ended.
    #[error("alerting has ended")]
    Closed,
}

/// Why an [`AlertService`](super::AlertService) did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertOpenError {
    /// The setup cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Its tables cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// Its thread did not start.
    #[error("the thread of alerting did not start")]
    Thread(#[source] std::io::Error),
}

/// Why what was decided is not stored. It is kept in memory and stored with what comes next; nothing of it is sent before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A transaction could not begin or be committed.
    #[error("what was decided could not be stored, and nothing of it is sent before it is: {0}")]
    Write(#[from] WriteError),
    /// A statement failed.
    #[error(
        "what was decided could not be stored, and nothing of it is sent before it is: a statement failed"
    )]
    Statement(#[from] sqlx::Error),
    /// The database did not answer.
    #[error("what was decided could not be stored within {0:?}, and nothing of it is sent before it is")]
    TimedOut(Duration),
    /// Another process has taken over.
    #[error("another process evaluates the alerts of this database now; this one stands by")]
    Deposed,
}

/// Why an evaluation did not do all it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TickError {
    /// What it found could not be stored.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The right to evaluate could not be asked for.
    #[error("the lock that says who evaluates cannot be taken: {0}")]
    Lock(#[from] LockError),
    /// What another process left could not be read.
    #[error("the state of the alerts cannot be read: {0}")]
    Read(#[from] LedgerError),
    /// The service has ended.
    #[error("alerting has ended")]
    Closed,
}

/// Why something that an operator wants was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// Nothing fires under this key that somebody was told of.
    #[error(transparent)]
    NotFiring(#[from] NotFiring),
    /// The silence makes no sense, or there are too many.
    #[error(transparent)]
    Silence(#[from] SilenceFault),
    /// There is no such silence.
    #[error("there is no silence {0:?}")]
    NoSilence(String),
    /// It is in force, but not stored yet.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// Another process evaluates.
    #[error("another process evaluates the alerts of this database; ask through the database (AlertLedger)")]
    Standby,
    /// The service has ended.
    #[error("alerting has ended")]
    Closed,
}

/// Why the tables of alerting cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// They cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// No connection to read with.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A transaction could not begin or be committed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A statement failed.
    #[error("a statement on the tables of alerting failed")]
    Statement(#[from] sqlx::Error),
    /// The database did not answer.
    #[error("the database did not answer within {0:?}")]
    TimedOut(Duration),
}
