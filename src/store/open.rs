//! Opening a store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Dialect;
use super::connect::{Connector, PREALLOCATED_PAGES, Part};
use super::fault::Fault;
use super::handle::{Inner, Store};
use super::home::Home;
use super::options::StoreOptions;
use super::pool::Pool;
use super::slot::Slot;
use super::stats::Figures;
use super::url::{Location, UrlError};
use crate::resilience::{Environment, InvalidOptions, Retry};

/// How many bytes make a preallocated log as long as it gets: its pages with their frame headers, and room for the
/// transaction that comes last.
const PREALLOCATED_BYTES: u32 = PREALLOCATED_PAGES * 5_120;

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
    /// PostgreSQL cannot be reached, or does not let us in.
    #[error("cannot connect to {url}; check that the server runs there, and the user, password and database")]
    Postgres {
        /// The URL without user information and parameters.
        url: String,
        /// What the server or the network said.
        source: sqlx::Error,
    },
    /// PostgreSQL does not answer.
    #[error("{url} did not answer within {waited:?}; check the address and the network")]
    NoAnswer {
        /// The URL without user information and parameters.
        url: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// How transactions are to be tried again makes no sense.
    #[error("the options of the store make no sense: {0}")]
    Options(#[from] InvalidOptions),
    /// The store's thread could not be started.
    #[error("cannot start a thread for the connections; the machine is short of threads or files")]
    Thread(#[source] std::io::Error),
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

    /// Opens the database at `url`. A SQLite file and its folder are created if they are missing; a PostgreSQL database
    /// must be there, and is connected to once to see that it is.
    ///
    /// `sqlite://path` and `sqlite:path` are the same: a path relative to the working directory, or absolute if it
    /// begins with a slash (`sqlite:///var/lib/statim.db`). `sqlite::memory:` is a new, empty database that is gone
    /// when the store is. `?mode=rw` refuses to create either.
    ///
    /// `postgres://user:password@host:port/database?sslmode=require`, also `postgresql:`. TLS is as `sslmode` says:
    /// `disable`, `prefer` (the default: where the server can), `require`, `verify-ca`, `verify-full`, with `sslrootcert`.
    /// What the URL leaves out comes from `PGHOST`, `PGUSER`, `PGPASSWORD` and so on, and from `~/.pgpass`.
    ///
    /// Cancel safe: a file may have been created, and nothing else.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the URL is not one of this build's, the folder cannot be created, SQLite refuses the file, or
    /// PostgreSQL cannot be reached or does not let us in. No error repeats a password.
    pub async fn open_with(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let location = Location::parse(url)?;
        match &location {
            Location::Sqlite(_) => Self::open_sqlite(location, options).await,
            Location::Postgres(_) => Self::open_postgres(location, options).await,
        }
    }

    async fn open_sqlite(location: Location, options: StoreOptions) -> Result<Self, OpenError> {
        let Location::Sqlite(place) = &location else { return Err(UrlError::NotAUrl.into()) };
        let refused = |source| OpenError::Sqlite { url: location.shown(), source };
        let file = place.file()?;
        let folder = file.as_deref().and_then(|it| it.parent()).filter(|it| !it.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|_| place.creates()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        }
        let resolved = place.resolve(file)?;
        let figures = Arc::new(Figures::new(Dialect::Sqlite, options.slow_statement));
        let connector = |part| Connector::sqlite(&resolved.url, part, &options, &figures).map_err(refused);
        let writer = connector(Part::Writer)?;
        let mut slot = open_patiently(&writer, options.busy_timeout).await.map_err(refused)?;
        if options.preallocate {
            slot.preallocate(PREALLOCATED_BYTES).await;
        }
        let pool = Pool::new(connector(Part::Reader)?, &options);
        let slot = Some(Arc::new(Mutex::new(slot)));
        let inner = Inner {
            retry: retry(&location, &options)?,
            location,
            file: resolved.file,
            connector: writer,
            figures,
            pool,
            slot,
            identity: resolved.url,
            acquire_timeout: options.acquire_timeout,
            durability: options.durability,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    async fn open_postgres(location: Location, options: StoreOptions) -> Result<Self, OpenError> {
        let Location::Postgres(server) = &location else { return Err(UrlError::NotAUrl.into()) };
        let refused = |source| OpenError::Postgres { url: location.shown(), source };
        let home = Arc::new(Home::start().map_err(OpenError::Thread)?);
        let figures = Arc::new(Figures::new(Dialect::Postgres, options.slow_statement));
        let connector =
            Connector::postgres(server.url(), &options, Arc::clone(&home), &figures).map_err(refused)?;
        let acquire_timeout = options.acquire_timeout;
        let first = home
            .timeout(acquire_timeout, connector.connect())
            .await
            .map_err(|_| OpenError::NoAnswer { url: location.shown(), waited: acquire_timeout })?
            .map_err(refused)?;
        let pool = Pool::new(connector.clone(), &options);
        pool.put(first);
        let inner = Inner {
            retry: retry(&location, &options)?,
            location,
            file: None,
            connector,
            figures,
            pool,
            slot: None,
            identity: String::new(),
            acquire_timeout,
            durability: options.durability,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

fn retry(location: &Location, options: &StoreOptions) -> Result<Retry, OpenError> {
    Ok(Retry::new(&location.shown(), &options.retry, &Environment::default())?)
}

/// Opens the writer. Two programs that open a new file at the same moment both switch it to the write-ahead log, and the
/// one that loses is told "locked" at once: for this lock SQLite does not wait its busy timeout, so we do.
async fn open_patiently(connector: &Connector, patience: Duration) -> Result<Slot, sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match Slot::open(connector.clone()).await {
            Err(error) if Fault::of(&error) == Fault::Busy && waited < patience => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            opened => return opened,
        }
    }
}
