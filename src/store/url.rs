//! What a database URL says, without ever repeating a password.

use std::path::PathBuf;
use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;

/// Why a database URL cannot be used. No variant repeats more of the URL than its scheme and path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// A database this build cannot talk to.
    #[error("{scheme}: this build has SQLite only; give a URL such as sqlite://var/statim.db")]
    NotInThisBuild {
        /// The scheme of the URL, such as `postgres`.
        scheme: String,
    },
    /// Neither a known scheme nor a path behind one.
    #[error("not a database URL; give one such as sqlite://var/statim.db or sqlite::memory:")]
    NotAUrl,
    /// The URL names no file.
    #[error("{url} names no file; give a path, such as sqlite://var/statim.db")]
    NoPath {
        /// The URL without user information and parameters.
        url: String,
    },
    /// A parameter behind the question mark that is not understood.
    #[error("{url}: only `mode=rw`, `mode=rwc` and `mode=memory` may follow the question mark")]
    Parameter {
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
/// A database in memory has another database in memory for a neighbour. Parameters are kept.
///
/// # Errors
///
/// [`UrlError`] when `url` is not one that [`Store::open`](super::Store::open) would take.
pub fn sibling_url(url: &str, suffix: &str) -> Result<String, UrlError> {
    Ok(Location::parse(url)?.sibling(suffix))
}

/// Where a SQLite database is.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The URL up to its path: `sqlite:` or `sqlite://`.
    prefix: String,
    /// The path as written, still with its percent escapes, or `:memory:`.
    path: String,
    /// The parameters as written, without the question mark.
    parameters: Option<String>,
    mode: Mode,
}

/// The `mode` parameter; files are created unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Existing,
    Memory,
}

impl Location {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, _) = url.split_once(':').ok_or(UrlError::NotAUrl)?;
        let named = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
        // A scheme of one letter is a Windows drive; one with other characters may be anything, even a secret.
        if scheme.len() < 2 || scheme.len() > 16 || !scheme.chars().all(named) {
            return Err(UrlError::NotAUrl);
        }
        if !scheme.eq_ignore_ascii_case("sqlite") {
            return Err(UrlError::NotInThisBuild { scheme: scheme.to_ascii_lowercase() });
        }
        let rest = &url["sqlite:".len()..];
        let (slashes, rest) = rest.strip_prefix("//").map_or(("", rest), |rest| ("//", rest));
        let (path, parameters) = match rest.split_once('?') {
            Some((path, parameters)) => (path, Some(parameters)),
            None => (rest, None),
        };
        let mut location = Self {
            prefix: format!("sqlite:{slashes}"),
            path: path.to_owned(),
            parameters: parameters.map(str::to_owned),
            mode: if path == ":memory:" { Mode::Memory } else { Mode::Create },
        };
        if path.is_empty() {
            return Err(UrlError::NoPath { url: location.shown() });
        }
        for parameter in parameters.unwrap_or_default().split('&').filter(|it| !it.is_empty()) {
            location.mode = match parameter {
                "mode=memory" => Mode::Memory,
                "mode=rw" if location.mode != Mode::Memory => Mode::Existing,
                "mode=rwc" if location.mode != Mode::Memory => Mode::Create,
                _ => return Err(UrlError::Parameter { url: location.shown() }),
            };
        }
        Ok(location)
    }

    /// The URL as it may be shown: no parameters, and nothing that stands where a user and password would.
    pub(super) fn shown(&self) -> String {
        match self.path.rsplit_once('@') {
            Some((_, path)) => format!("{}***@{path}", self.prefix),
            None => format!("{}{}", self.prefix, self.path),
        }
    }

    /// sqlx's options for this place, and the file if there is one.
    pub(super) fn connect_options(&self) -> Result<(SqliteConnectOptions, Option<PathBuf>), UrlError> {
        // The parameters were read above; sqlx repeats what it does not know in its errors, so it is not shown them.
        let memory = if self.mode == Mode::Memory && self.path != ":memory:" { "?mode=memory" } else { "" };
        let options = SqliteConnectOptions::from_str(&format!("sqlite://{}{memory}", self.path))
            .map_err(|_| UrlError::Encoding { url: self.shown() })?
            .create_if_missing(self.mode != Mode::Existing);
        let file = (self.mode != Mode::Memory).then(|| options.get_filename().to_owned());
        Ok((options, file))
    }

    /// Whether opening may create what is missing.
    pub(super) fn creates(&self) -> bool {
        self.mode == Mode::Create
    }

    /// Whether the database is in memory, and so gone with its last connection.
    pub(super) fn in_memory(&self) -> bool {
        self.mode == Mode::Memory
    }

    pub(super) fn sibling(&self, suffix: &str) -> String {
        let Self { prefix, path, .. } = self;
        let parameters = self.parameters.as_ref().map(|it| format!("?{it}")).unwrap_or_default();
        if path == ":memory:" {
            return format!("{prefix}{path}{parameters}");
        }
        let (folder, file) = path
            .rsplit_once('/')
            .map_or(("", path.as_str()), |(_, file)| path.split_at(path.len() - file.len()));
        // A leading dot hides a file; it does not begin an extension.
        match file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
            Some((stem, extension)) => format!("{prefix}{folder}{stem}.{suffix}.{extension}{parameters}"),
            None => format!("{prefix}{folder}{file}.{suffix}{parameters}"),
        }
    }
}
