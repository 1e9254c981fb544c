//! Where a SQLite database is.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnectOptions;

use super::UrlError;

const UNDERSTOOD: &str = "only `mode=rw`, `mode=rwc` and `mode=memory` may follow the question mark";

/// A SQLite URL.
#[derive(Clone)]
pub(in crate::store) struct Place {
    /// The URL up to its path: `sqlite:` or `sqlite://`.
    prefix: String,
    /// The path as written, still with its percent escapes, or `:memory:`.
    path: String,
    /// The parameters as written, without the question mark.
    parameters: Option<String>,
    mode: Mode,
}

/// The `mode` parameter; files are created unless it says otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Existing,
    Memory,
}

/// A place that can be connected to: the same database for each connection, whatever becomes of the working directory.
#[derive(Debug, Clone)]
pub(in crate::store) struct Resolved {
    /// The URL for sqlx.
    pub(in crate::store) url: String,
    /// The file, or `None` for a database in memory.
    pub(in crate::store) file: Option<PathBuf>,
}

impl Place {
    /// Takes what follows `sqlite:`.
    pub(super) fn parse(rest: &str) -> Result<Self, UrlError> {
        let (slashes, rest) = rest.strip_prefix("//").map_or(("", rest), |rest| ("//", rest));
        let (path, parameters) = match rest.split_once('?') {
            Some((path, parameters)) => (path, Some(parameters)),
            None => (rest, None),
        };
        let mut place = Self {
            prefix: format!("sqlite:{slashes}"),
            path: path.to_owned(),
            parameters: parameters.map(str::to_owned),
            mode: if path == ":memory:" { Mode::Memory } else { Mode::Create },
        };
        if path.is_empty() {
            return Err(UrlError::NoPath { url: place.shown() });
        }
        for parameter in parameters.unwrap_or_default().split('&').filter(|it| !it.is_empty()) {
            place.mode = match parameter {
                "mode=memory" => Mode::Memory,
                "mode=rw" if place.mode != Mode::Memory => Mode::Existing,
                "mode=rwc" if place.mode != Mode::Memory => Mode::Create,
                _ => return Err(UrlError::Parameter { url: place.shown(), understood: UNDERSTOOD }),
            };
        }
        Ok(place)
    }

    pub(super) fn shown(&self) -> String {
        match self.path.rsplit_once('@') {
            Some((_, path)) => format!("{}***@{path}", self.prefix),
            None => format!("{}{}", self.prefix, self.path),
        }
    }

    /// The file as the URL names it, or `None` for a database in memory.
    pub(in crate::store) fn file(&self) -> Result<Option<PathBuf>, UrlError> {
        if self.mode == Mode::Memory {
            return Ok(None);
        }
        // The parameters were read above; sqlx repeats what it does not know in its errors, so it is not shown them.
        let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", self.path))
            .map_err(|_| UrlError::Encoding { url: self.shown() })?;
        Ok(Some(options.get_filename().to_owned()))
    }

    /// Settles which database is meant. The folder of `file` must exist for its links and dots to be followed.
    pub(in crate::store) fn resolve(&self, file: Option<PathBuf>) -> Result<Resolved, UrlError> {
        let Some(file) = file else {
            return Ok(Resolved { url: self.memory_url(), file: None });
        };
        let file = absolute(&file);
        let path = file.to_str().ok_or_else(|| UrlError::Encoding { url: self.shown() })?;
        let mode = if self.mode == Mode::Existing { "rw" } else { "rwc" };
        Ok(Resolved { url: format!("sqlite://{}?mode={mode}", escaped(path)), file: Some(file) })
    }

    /// `:memory:` is a new database each time; a named one is the same for the whole process while it is open.
    fn memory_url(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = match &*self.path {
            ":memory:" => NEXT.fetch_add(1, Ordering::Relaxed).to_string(),
            // By its bytes, because SQLite reads escapes in such a name once more.
            named => named.bytes().fold("named-".to_owned(), |name, byte| format!("{name}{byte:02x}")),
        };
        // With `file:` the connections of this process share it; without, each would have one of its own.
        format!("sqlite:file:statim-memory-{name}?mode=memory")
    }

    /// Whether opening may create what is missing.
    pub(in crate::store) fn creates(&self) -> bool {
        self.mode == Mode::Create
    }

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

/// The file by its one name: absolute, with links and dots in its folder followed. A URL may not hold dots, because
/// whoever reads it next takes them out without looking at the disk.
fn absolute(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        // No such folder: connecting will say so.
        _ => std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
    }
}

/// A path as a URL holds it.
fn escaped(path: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String takes everything");
        }
    }
    text
}
