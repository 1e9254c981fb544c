//! Opening a database and taking turns at writing to it.
//!
//! A [`Store`] is one SQLite database in WAL mode: any number of readers through [`Store::pool`], and one writer at a
//! time through [`Store::write`]. SQLite admits a single writer per file, and callers that meet at its lock poll and
//! sleep, so the turn is taken in the process first, in order of arrival. [`Store::migrate`] brings the tables of a named
//! component up to date, and [`Store::sibling`] names a neighbouring file for a component whose commits must not queue
//! behind another's.
//!
//! This build has SQLite only; the URL is what will choose another database.
//!
//! # Several runtimes
//!
//! A `Store` may be opened on one Tokio runtime and used on others, such as the single-threaded runtimes of actix
//! arbiters, and outlive the one it was opened on. Read in sqlx 0.9.0, and tested here:
//!
//! * a SQLite connection is a thread of its own behind channels, so no socket or timer of a runtime is tied to it;
//! * the pool's semaphore is Tokio's, which any runtime can wait on;
//! * the one task a pool starts on the runtime that opens it reaps idle and old connections. It would die with that
//!   runtime, so both limits are switched off here and the task is never started;
//! * giving a pooled connection back runs as a task on the *current* runtime: on an arbiter that is busy the connection
//!   comes back late. For a reader that costs a place in the pool for a while; for the writer it would stop everybody,
//!   so the writer is not pooled: it is a connection behind a fair lock and is free the moment its guard is gone.
//!
//! SQLite's threads are invisible to a *paused* Tokio clock: a runtime with nothing else to do jumps ahead while it
//! waits for them, so that the pool's timer fires and a reader fails with `PoolTimedOut`. Under virtual time read through
//! [`Store::write`], which sets no timer while nobody else has the turn.

mod migrate;
mod open;
mod url;
mod writer;

pub use self::migrate::{MigrateError, Migration};
pub use self::open::{Durability, OpenError, Store, StoreOptions};
pub use self::url::{UrlError, sibling_url};
pub use self::writer::{WriteError, Writer};

#[cfg(test)]
mod tests;
