//! One store on a URL: SQLite (the embedded default) or PostgreSQL.
//!
//! A [`Store`] is one database. [`Store::read`] gives a connection to read with, [`Store::write`] a transaction; both
//! dereference to a [`Connection`], an executor of sqlx on which every statement is measured. The same SQL with `$1`, `$2`
//! for parameters runs on both databases where the databases agree; where they do not, [`Store::dialect`] says which it is.
//! [`Store::migrate`] brings the tables of a named component up to date, and [`Store::sibling`] names a neighbouring file
//! for a component whose commits must not queue behind another's.
//!
//! On SQLite (in WAL mode) there are any number of readers and one writer at a time. SQLite admits a single writer per
//! file, and callers that meet at its lock poll and sleep, so the turn is taken in the process first, in order of arrival.
//! On PostgreSQL readers and writers share a pool of connections.
//!
//! # Several runtimes
//!
//! A `Store` may be opened on one Tokio runtime and used on others, such as the single-threaded runtimes of actix
//! arbiters, and outlive the one it was opened on, and tests hold it to that:
//!
//! * a SQLite connection is a thread of its own behind channels, so no socket or timer of a runtime is tied to it;
//! * PostgreSQL's connections are sockets, and live on a small runtime of the store's own, the thread `statim-store`;
//! * a connection is given back on the spot when it is dropped, not by a task on a runtime that may be busy.
//!
//! SQLite's threads and PostgreSQL's sockets are invisible to a *paused* Tokio clock: a runtime with nothing else to do
//! jumps ahead while it waits for them. The store itself sets no timer on the caller's runtime, except while somebody else
//! has SQLite's turn or every reader of SQLite is in use.

mod bulk;
pub mod cache;
mod connect;
mod connection;
mod dialect;
mod fault;
mod handle;
mod home;
mod lock;
mod migrate;
mod open;
mod options;
mod passing;
mod pool;
mod query;
mod reader;
mod slot;
mod statement;
mod stats;
mod transact;
mod url;
mod writer;

pub use self::bulk::{BulkInsert, BulkKey, BulkUpdate};
pub use self::connection::Connection;
pub use self::dialect::Dialect;
pub use self::handle::Store;
pub use self::lock::{Lock, LockError, LockId};
pub use self::migrate::{MigrateError, Migration};
pub use self::open::OpenError;
pub use self::options::{Durability, StoreOptions};
pub(crate) use self::passing::is_passing;
pub use self::query::{QueryBuilder, Row};
pub use self::reader::{ReadError, Reader};
pub use self::statement::{Fingerprint, StatementClass};
pub use self::stats::{PoolStats, SlowStatement, StatementStats, StoreStats};
pub use self::url::{UrlError, shown_url, sibling_url};
pub use self::writer::{WriteError, Writer};

#[cfg(test)]
mod tests;
