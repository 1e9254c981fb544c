//! How a store is opened.

use std::time::Duration;

use crate::resilience::RetryOptions;

/// What a commit means when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The commit is on the disk: it survives the process being killed and the machine losing power. Costs an `fsync`
    /// a commit. On PostgreSQL, whatever the server's `synchronous_commit` says, which is this unless somebody changed
    /// it.
    #[default]
    Full,
    /// The commit survives the process being killed. A power cut (on PostgreSQL, a crash of the server) may lose the last
    /// commits, and never corrupts the database. For data that can be made again, such as an ingested catalogue.
    Normal,
}

/// How a [`Store`](super::Store) is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// What a commit promises. Default: [`Durability::Full`].
    pub durability: Durability,
    /// SQLite: most readers at a time, from 1; each is a thread while it lives. Default: 4.
    pub readers: u32,
    /// PostgreSQL: connections that are kept open, from 1. Default: 20.
    pub connections: u32,
    /// PostgreSQL: connections beyond those when they are needed at the same time; closed once they are not. Default: 30.
    pub overflow: u32,
    /// PostgreSQL: the age at which a connection is replaced by a new one. Default: an hour.
    pub recycle: Duration,
    /// PostgreSQL: whether a connection that rested is tried before it is handed out, which is a trip to the server
    /// except before a transaction, whose `BEGIN` is the trial. Default: yes.
    pub test_before_acquire: bool,
    /// How long a statement waits for a lock that another *process* holds: SQLite's. Default: 5 s.
    pub busy_timeout: Duration,
    /// How long to wait for a connection, or for the turn to write, before giving up. Default: 30 s.
    pub acquire_timeout: Duration,
    /// How often [`Store::transact`](super::Store::transact) tries, and how long it rests in between. Default: eight
    /// attempts, with rests left to chance up to 5 ms, doubling up to a second.
    pub retry: RetryOptions,
    /// A statement that takes this long is put into the log, by its class and fingerprint. Default: 1 s.
    pub slow_statement: Duration,
    /// SQLite: page cache of the writer, in bytes. Default: 16 MiB.
    pub writer_cache_bytes: u64,
    /// SQLite: gives the write-ahead log its full size when the store is opened (1.3 MiB, and as much in the database
    /// file), so that no commit has to enlarge a file: for commits that may not wait. Enlarging a file commits the file
    /// system's journal, which may first have to write what others have under way. Default: no.
    pub preallocate: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            readers: 4,
            connections: 20,
            overflow: 30,
            recycle: Duration::from_secs(3600),
            test_before_acquire: true,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(30),
            retry: super::transact::default_retry(),
            slow_statement: Duration::from_secs(1),
            writer_cache_bytes: 16 << 20,
            preallocate: false,
        }
    }
}
