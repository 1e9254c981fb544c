//! One error for each operation. Those that refuse a message hand it back; none shows it.

use std::fmt;
use std::sync::Arc;

use crate::store::{LockError, MigrateError, ReadError, WriteError};

/// Why an outbox cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Its tables cannot be brought up to date.
    #[error("the tables of the outbox cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// There are no threads to be had.
    #[error("the thread of the outbox cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Why an agent cannot be bound to an outbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another binding of this name is at work, in this process or another.
    #[error(
        "{agent}: its stored messages are being delivered already, by this process or another; stop that one first"
    )]
    Taken {
        /// The agent.
        agent: String,
    },
    /// The mailbox may evict what it accepted, which would deliver a key's messages out of order.
    #[error(
        "{agent}: its mailbox sheds accepted messages; let an agent of durable messages wait or reject instead"
    )]
    Sheds {
        /// The agent.
        agent: String,
    },
    /// There are no more numbers for agents.
    #[error("{agent}: the outbox has numbers for 32,768 agents and all are taken")]
    TooMany {
        /// The agent.
        agent: String,
    },
    /// The outbox was closed.
    #[error("the outbox is closed")]
    Closed,
    /// Whether another process delivers them cannot be told.
    #[error("{agent}: the lock on its stored messages cannot be taken")]
    Lock {
        /// The agent.
        agent: String,
        /// What failed.
        source: LockError,
    },
    /// The database failed.
    #[error("{agent}: its stored messages cannot be read")]
    Store {
        /// The agent.
        agent: String,
        /// What failed.
        source: StoreFault,
    },
}

/// What the database refused. Shared, because one commit's failure is many senders'.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFault {
    /// A transaction could not begin or be committed.
    #[error("the database did not take the transaction")]
    Write(#[source] Arc<WriteError>),
    /// A connection to read with was not to be had.
    #[error("the database could not be read")]
    Read(#[source] Arc<ReadError>),
    /// A statement failed.
    #[error("the database refused a statement")]
    Statement(#[source] Arc<sqlx::Error>),
}

impl From<WriteError> for StoreFault {
    fn from(error: WriteError) -> Self {
        Self::Write(Arc::new(error))
    }
}

impl From<ReadError> for StoreFault {
    fn from(error: ReadError) -> Self {
        Self::Read(Arc::new(error))
    }
}

impl From<sqlx::Error> for StoreFault {
    fn from(error: sqlx::Error) -> Self {
        Self::Statement(Arc::new(error))
    }
}

impl StoreFault {
    /// Whether it may be over in a while: the server is away or starting, or others were in the way.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Write(error) => error.is_passing(),
            Self::Read(error) => error.is_passing(),
            Self::Statement(error) => crate::store::is_passing(error),
        }
    }
}

/// Why a durable message was not stored.
#[non_exhaustive]
pub enum SendError<M> {
    /// It is longer than the outbox takes.
    TooLong {
        /// The message.
        message: M,
        /// The most the outbox takes.
        most: usize,
    },
    /// It has no form that can be stored, such as a variant with a reply.
    Unwritable(M),
    /// As many messages of this agent wait in the store as the outbox allows.
    Full(M),
    /// The agent has ended, or the outbox is closed.
    Closed(M),
    /// The transaction is one of another outbox.
    OtherOutbox(M),
    /// The database failed.
    Store {
        /// The message.
        message: M,
        /// The connection was lost while it committed, so it may be stored all the same and be delivered. To send it
        /// again without that risk, give it an idempotency key.
        unsure: bool,
        /// What failed.
        source: StoreFault,
    },
}

impl<M> SendError<M> {
    /// The message that was refused.
    #[must_use]
    pub fn into_message(self) -> M {
        match self {
            Self::TooLong { message, .. } | Self::Store { message, .. } => message,
            Self::Unwritable(message)
            | Self::Full(message)
            | Self::Closed(message)
            | Self::OtherOutbox(message) => message,
        }
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { most, .. } => {
                write!(f, "the message is longer than the {most} bytes that the outbox takes")
            }
            Self::Unwritable(_) => {
                f.write_str("the message has no form that can be stored; send it undurably")
            }
            Self::Full(_) => {
                f.write_str("as many messages of this agent are stored as may be; try again later")
            }
            Self::Closed(_) => f.write_str("the agent or the outbox has stopped taking messages"),
            Self::OtherOutbox(_) => f.write_str("the transaction was begun on another outbox"),
            Self::Store { unsure: false, .. } => f.write_str("the message could not be stored"),
            Self::Store { unsure: true, .. } => f.write_str(
                "the database was lost while it committed: the message may be stored, or not; \
                 send it again with an idempotency key",
            ),
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    /// The refusal without the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendError({self})")
    }
}

impl<M> std::error::Error for SendError<M> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a transaction of messages and effects was not begun, or not committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The database failed; nothing was kept.
    #[error("the transaction was undone")]
    Undone(#[source] StoreFault),
    /// The connection was lost while it committed: all of it was kept, or nothing.
    #[error("the database was lost while it committed; whether it did shows at the next delivery")]
    Unsure(#[source] StoreFault),
}

/// Why a message could not be settled in a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// It was handled before, so its effect has been made: undo this transaction and report success.
    #[error("message {id} was settled before; undo this transaction, its effect has been made")]
    AlreadySettled {
        /// The message.
        id: super::StoredId,
    },
    /// The message came through another outbox than the transaction was begun on.
    #[error("message {id} came through another outbox; begin the transaction on that one")]
    OtherOutbox {
        /// The message.
        id: super::StoredId,
    },
    /// The database failed.
    #[error("message {id} could not be settled")]
    Store {
        /// The message.
        id: super::StoredId,
        /// What failed.
        source: StoreFault,
    },
}
