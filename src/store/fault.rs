//! What an error of a database means, and what of it may be shown.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

/// What an error means for the one who met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another transaction was in the way: the same again may succeed.
    Conflict,
    /// SQLite's lock is held by another process.
    Busy,
    /// The connection, or the server behind it, is gone.
    Lost,
    /// Anything else: the statement is at fault, or the disk.
    Other,
}

impl Fault {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) if is_sqlite(&**error) => {
                // The primary result code is the low byte: 5 is SQLITE_BUSY, 6 is SQLITE_LOCKED.
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                if code.is_some_and(|code| matches!(code & 0xff, 5 | 6)) { Self::Busy } else { Self::Other }
            }
            sqlx::Error::Database(error) => match error.code().as_deref() {
                // Serialization failure, deadlock detected.
                Some("40001" | "40P01") => Self::Conflict,
                // The server is shutting down, crashed or is starting; class 08 is the connection.
                Some("57P01" | "57P02" | "57P03") => Self::Lost,
                Some(code) if code.starts_with("08") => Self::Lost,
                _ => Self::Other,
            },
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Self::Lost,
            _ => Self::Other,
        }
    }
}

fn is_sqlite(error: &(dyn DatabaseError + 'static)) -> bool {
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
}

/// Whether connecting may succeed a moment later: the server is starting, or has no place just now.
pub(super) fn may_connect_later(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        sqlx::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::UnexpectedEof
                | ErrorKind::BrokenPipe
                | ErrorKind::NotFound
        ),
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("53300" | "57P01" | "57P02" | "57P03"))
        }
        _ => false,
    }
}

/// The error without what PostgreSQL repeats of the row that it refuses: its "detail" quotes keys and whole rows, and so
/// do the messages of class 22 (data exception). SQLite names columns only.
pub(super) fn redacted(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(told) => sqlx::Error::Database(Box::new(Refusal::of(told))),
            None => sqlx::Error::Database(error),
        },
        other => other,
    }
}

/// A refusal of PostgreSQL that quotes no value.
struct Refusal {
    code: String,
    message: String,
    constraint: Option<String>,
    table: Option<String>,
}

impl Refusal {
    fn of(told: &PgDatabaseError) -> Self {
        let message = match told.code() {
            code if code.starts_with("22") => "a value does not fit its type or column".to_owned(),
            _ => told.message().to_owned(),
        };
        Self {
            code: told.code().to_owned(),
            message,
            constraint: told.constraint().map(str::to_owned),
            table: told.table().map(str::to_owned),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("constraint", &self.constraint)
            .field("table", &self.table)
            .finish()
    }
}

impl StdError for Refusal {}

impl DatabaseError for Refusal {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.code))
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    fn kind(&self) -> ErrorKind {
        match &*self.code {
            "23505" => ErrorKind::UniqueViolation,
            "23503" => ErrorKind::ForeignKeyViolation,
            "23502" => ErrorKind::NotNullViolation,
            "23514" => ErrorKind::CheckViolation,
            "23P01" => ErrorKind::ExclusionViolation,
            _ => ErrorKind::Other,
        }
    }
}
