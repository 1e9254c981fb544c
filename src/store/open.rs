//! The store itself: options, opening, reading, closing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::url::{Location, UrlError};
use super::writer::{Slot, WriteError, Writer, is_busy};

/// A write-ahead log is truncated to this size when a checkpoint empties it, so that one large transaction does not
/// leave a large file behind for ever.
const KEPT_LOG_BYTES: u64 = 64 << 20;

/// Pages (of 4 KiB) in the write-ahead log of a preallocated store when it is moved into the database and begun again …
const PREALLOCATED_PAGES: u32 = 256;
/// … and how many bytes make it that long: the pages with their frame headers, and room for the transaction that comes
/// last.
const PREALLOCATED_BYTES: u32 = PREALLOCATED_PAGES * 5_120;

/// What a commit means when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The commit is on the disk: it survives the process being killed and the machine losing power. Costs an `fsync`
    /// a commit.
    #[default]
    Full,
    /// The commit survives the process being killed. A power cut may lose the last commits, and never corrupts the
    /// file. For data that can be made again, such as an ingested catalogue.
    Normal,
}

/// How a [`Store`] is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// What a commit promises. Default: [`Durability::Full`].
    pub durability: Durability,
    /// Most readers at a time, from 1; each is a thread while it lives. Default: 4.
    pub readers: u32,
    /// How long a statement waits for a lock that another *process* holds. Default: 5 s.
    pub busy_timeout: Duration,
    /// How long to wait for a reader of the pool, or for the turn to write, before giving up. Default: 30 s.
    pub acquire_timeout: Duration,
    /// Page cache of the writer, in bytes. Default: 16 MiB.
    pub writer_cache_bytes: u64,
    /// Gives the write-ahead log its full size when the store is opened (1.3 MiB, and as much in the database file), so
    /// that no commit has to enlarge a file: for commits that may not wait. Enlarging a file commits the file system's
    /// journal, which may first have to write what others have under way. Default: no.
    pub preallocate: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(30),
            writer_cache_bytes: 16 << 20,
            preallocate: false,
        }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is no good.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The folder of the database could not be created.
    #[error("cannot create the folder {}; create it, or choose another place for the database", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite refused the file: no permission, not a database, a full disk.
    #[error("cannot open {url}; check that the file is a SQLite database and may be written")]
    Sqlite {
        /// The URL without user information and parameters.
        url: String,
        /// What SQLite said.
        source: sqlx::Error,
    },
}

/// One open database. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    location: Location,
    pool: SqlitePool,
    slot: Arc<Mutex<Slot>>,
    acquire_timeout: Duration,
    durability: Durability,
}

impl Store {
    /// Opens the database at `url` with [`StoreOptions::default`]; see [`open_with`](Self::open_with).
    ///
    /// # Errors
    ///
    /// As [`open_with`](Self::open_with).
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, StoreOptions::default()).await
    }

    /// Opens the database at `url`, creating the file and its folder if they are missing.
    ///
    /// `sqlite://path` and `sqlite:path` are the same: a path relative to the working directory, or absolute if it
    /// begins with a slash (`sqlite:///var/lib/statim.db`). `sqlite::memory:` is a new, empty database that is gone
    /// when the store is. `?mode=rw` refuses to create either.
    ///
    /// Cancel safe: a file may have been created, and nothing else.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the URL is not one of this build's, the folder cannot be created, or SQLite refuses the file.
    pub async fn open_with(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let location = Location::parse(url)?;
        let (connect, file) = location.connect_options()?;
        let folder = file.as_deref().and_then(|it| it.parent()).filter(|it| !it.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|_| location.creates()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        }
        let connect = configure(connect, &options);
        let cache_kib = (options.writer_cache_bytes / 1024).clamp(64, i32::MAX as u64);
        let writer = connect.clone().pragma("cache_size", format!("-{cache_kib}"));
        let mut slot = open_patiently(writer, options.busy_timeout)
            .await
            .map_err(|source| OpenError::Sqlite { url: location.shown(), source })?;
        if options.preallocate {
            slot.preallocate(PREALLOCATED_BYTES).await;
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .min_connections(0)
            .acquire_timeout(options.acquire_timeout)
            // See "Several runtimes" in the module's documentation.
            .idle_timeout(None)
            .max_lifetime(None)
            // The connection is a thread of this process: nothing can have hung up, and a ping is a thread wake.
            .test_before_acquire(false)
            .connect_lazy_with(connect.pragma("query_only", "ON"));
        let inner = Inner {
            location,
            pool,
            slot: Arc::new(Mutex::new(slot)),
            acquire_timeout: options.acquire_timeout,
            durability: options.durability,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The readers. Each sees the last commit made before its statement (or read transaction) began, and waits for no
    /// writer. They cannot write: SQLite answers "attempt to write a readonly database", because a second writer would
    /// meet the first one at SQLite's lock; write through [`write`](Self::write).
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    /// Takes the turn to write and begins a transaction (`BEGIN IMMEDIATE`). Turns are given in order of arrival.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue, and a transaction already begun is rolled back.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: the turn did not come within [`StoreOptions::acquire_timeout`], another process held the file
    /// longer than [`StoreOptions::busy_timeout`], the store is closed, or SQLite failed.
    pub async fn write(&self) -> Result<Writer, WriteError> {
        Writer::begin(self.turn().await?).await
    }

    /// Takes the turn to write without beginning a transaction: for a single statement, which is a transaction of its
    /// own. Each statement is a trip to the connection's thread and back, and on a busy machine each trip waits for a
    /// processor twice, so whoever may not wait makes one trip instead of three.
    ///
    /// Cancel safe: a caller that stops waiting leaves the queue.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn write_alone(&self) -> Result<Writer, WriteError> {
        Writer::alone(self.turn().await?).await
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<Slot>, WriteError> {
        let slot = &self.inner.slot;
        // A free turn is taken without a timer. This jumps no queue: a freed turn goes straight to the first in it.
        if let Ok(turn) = Arc::clone(slot).try_lock_owned() {
            return Ok(turn);
        }
        let patience = self.inner.acquire_timeout;
        tokio::time::timeout(patience, Arc::clone(slot).lock_owned())
            .await
            .map_err(|_| WriteError::NoTurn { waited: patience })
    }

    /// The URL of a neighbouring database; see [`sibling_url`](super::sibling_url).
    #[must_use]
    pub fn sibling(&self, suffix: &str) -> String {
        self.inner.location.sibling(suffix)
    }

    /// The URL as it may be shown: without user information and parameters.
    #[must_use]
    pub fn shown_url(&self) -> String {
        self.inner.location.shown()
    }

    /// What a commit promises.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.inner.durability
    }

    /// Whether the database is in memory, and so gone when the last handle is.
    #[must_use]
    pub fn in_memory(&self) -> bool {
        self.inner.location.in_memory()
    }

    /// Waits for the readers and the writer to finish and closes the file, which folds the write-ahead log into it.
    /// Every handle is closed; a second call does nothing. Dropping the last handle closes too, but does not wait.
    ///
    /// Not cancel safe: the store may be left half closed, refusing work while the file is still open.
    pub async fn close(&self) {
        self.inner.pool.close().await;
        let connection = self.inner.slot.lock().await.close();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(database = %self.inner.location.shown(), %error, "closing the database failed");
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.inner.location.shown()).finish_non_exhaustive()
    }
}

/// Opens the writer. Two programs that open a new file at the same moment both switch it to the write-ahead log, and the
/// one that loses is told "locked" at once: for this lock SQLite does not wait its busy timeout, so we do.
async fn open_patiently(connect: SqliteConnectOptions, patience: Duration) -> Result<Slot, sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match Slot::open(connect.clone()).await {
            Err(error) if is_busy(&error) && waited < patience => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            opened => return opened,
        }
    }
}

fn configure(connect: SqliteConnectOptions, options: &StoreOptions) -> SqliteConnectOptions {
    let connect = match options.preallocate {
        true => connect.pragma("wal_autocheckpoint", PREALLOCATED_PAGES.to_string()),
        false => connect,
    };
    connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match options.durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        })
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .pragma("journal_size_limit", KEPT_LOG_BYTES.to_string())
        // sqlx logs whole statements; a statement of a thousand rows is a page, so none is logged.
        .disable_statement_logging()
        .thread_name(|id| format!("statim-sqlite-{id}"))
}
