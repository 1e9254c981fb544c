//! What a database URL says, without ever repeating a password.

mod postgres;
mod sqlite;

use self::postgres::Server;
use self::sqlite::Place;
use super::Dialect;

/// Why a database URL cannot be used. No variant repeats more of the URL than its scheme, host and path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// A database this build cannot talk to.
    #[error(
        "{scheme}: neither SQLite nor PostgreSQL; give a URL such as sqlite://var/statim.db or \
         postgres://user:password@host/database"
    )]
    NotInThisBuild {
        /// The scheme of the URL, such as `mysql`.
        scheme: String,
    },
    /// Neither a known scheme nor a path behind one.
    #[error(
        "not a database URL; give one such as sqlite://var/statim.db, sqlite::memory: or \
         postgres://user:password@host/database"
    )]
    NotAUrl,
    /// The URL names no file.
    #[error("{url} names no file; give a path, such as sqlite://var/statim.db")]
    NoPath {
        /// The URL without user information and parameters.
        url: String,
    },
    /// A parameter behind the question mark that is not understood.
    #[error("{url}: {understood}")]
    Parameter {
        /// The URL without user information and parameters.
        url: String,
        /// Which may follow.
        understood: &'static str,
    },
    /// The URL of a server that makes no sense: its port, an escape, or the value of a parameter.
    #[error(
        "{url}: the port, a percent escape or the value of a parameter makes no sense; special characters in a \
         user name or password are written as percent escapes (@ is %40)"
    )]
    Malformed {
        /// The URL without user information and parameters.
        url: String,
    },
    /// The path is not text once its percent escapes are read.
    #[error("{url}: the path is not UTF-8 once its percent escapes are read")]
    Encoding {
        /// The URL without user information and parameters.
        url: String,
    },
}

/// The URL of a neighbouring database: `sqlite://var/statim.db` and `consent` give `sqlite://var/statim.consent.db`.
///
/// A database in memory has another database in memory for a neighbour. A PostgreSQL database is its own neighbour: what
/// a neighbour is for, commits that do not queue behind another component's, it gives anyway, and components have tables
/// of their own. Parameters are kept.
///
/// # Errors
///
/// [`UrlError`] when `url` is not one that [`Store::open`](super::Store::open) would take.
pub fn sibling_url(url: &str, suffix: &str) -> Result<String, UrlError> {
    Ok(Location::parse(url)?.sibling(suffix))
}

/// The URL as it may be shown: without user information and parameters.
///
/// # Errors
///
/// [`UrlError`] when `url` is not one that [`Store::open`](super::Store::open) would take.
pub fn shown_url(url: &str) -> Result<String, UrlError> {
    Ok(Location::parse(url)?.shown())
}

/// Where a database is. It has no `Debug`, because a PostgreSQL URL may hold a password.
#[derive(Clone)]
pub(super) enum Location {
    Sqlite(Place),
    Postgres(Server),
}

impl Location {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, _) = url.split_once(':').ok_or(UrlError::NotAUrl)?;
        let named = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
        // A scheme of one letter is a Windows drive; one with other characters may be anything, even a secret.
        if scheme.len() < 2 || scheme.len() > 16 || !scheme.chars().all(named) {
            return Err(UrlError::NotAUrl);
        }
        let rest = &url[scheme.len() + 1..];
        match &*scheme.to_ascii_lowercase() {
            "sqlite" => Place::parse(rest).map(Self::Sqlite),
            "postgres" | "postgresql" => Server::parse(rest).map(Self::Postgres),
            // `ann:hunter2@db` has a user where the scheme would be.
            scheme if rest.starts_with("//") => Err(UrlError::NotInThisBuild { scheme: scheme.to_owned() }),
            _ => Err(UrlError::NotAUrl),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The URL as it may be shown: no parameters, and nothing that stands where a user and password would.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Sqlite(place) => place.shown(),
            Self::Postgres(server) => server.shown().to_owned(),
        }
    }

    /// Whether the database is in memory, and so gone with its last connection.
    pub(super) fn in_memory(&self) -> bool {
        matches!(self, Self::Sqlite(place) if place.in_memory())
    }

    pub(super) fn sibling(&self, suffix: &str) -> String {
        match self {
            Self::Sqlite(place) => place.sibling(suffix),
            Self::Postgres(server) => server.url().to_owned(),
        }
    }
}
